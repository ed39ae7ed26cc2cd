// Command setup installs what the tests need of this machine: the Debian
// packages of the lab and a C compiler for the race detector. It does nothing
// when all are there.
package main

import (
	"context"
	"fmt"
	"os"

	"ldirectord/internal/lab"
)

var compiler = []lab.Package{
	{Name: "gcc", File: "/usr/bin/gcc"},
	{Name: "libc6-dev", File: "/usr/include/stdio.h"},
}

func main() {
	if os.Geteuid() != 0 {
		fmt.Println("not root: left out are the tests on a kernel with IPVS and those for which packages would have to be installed")
		return
	}
	if err := lab.Install(context.Background(), append(compiler, lab.Packages...)...); err != nil {
		fmt.Fprintln(os.Stderr, "setup:", err)
		os.Exit(1)
	}
}
