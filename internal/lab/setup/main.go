// Command setup installs what the tests need of this machine: the Debian
// packages of the lab. It does nothing when all are there.
package main

import (
	"context"
	"fmt"
	"os"

	"ldirectord/internal/lab"
)

func main() {
	if os.Geteuid() != 0 {
		fmt.Println("not root: nothing installed; the kernel tests will be left out")
		return
	}
	if err := lab.Install(context.Background(), lab.Packages...); err != nil {
		fmt.Fprintln(os.Stderr, "setup:", err)
		os.Exit(1)
	}
}
