// Command setup installs the Debian packages that the tests need, and does
// nothing when all are there:
//
//	setup         all tests
//	setup race    the race detector, too
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"

	"github.com/ldirectord/ldirectord/internal/lab"
)

func main() {
	packages := lab.TestPackages()
	race := len(os.Args) > 1 && os.Args[1] == "race"
	if race {
		packages = append(packages, lab.RacePackages()...)
	}
	if os.Geteuid() == 0 {
		if err := lab.Install(context.Background(), os.Stdout, packages...); err != nil {
			fail(err)
		}
		return
	}
	if _, err := exec.LookPath("gcc"); race && err != nil {
		fail("the race detector of \"make check\" needs a C compiler: apt-get install gcc libc6-dev")
	}
	fmt.Println("not root: left out are the tests on a kernel with IPVS and those for which packages would have to be installed")
}

func fail(why any) {
	fmt.Fprintln(os.Stderr, "setup:", why)
	os.Exit(1)
}
