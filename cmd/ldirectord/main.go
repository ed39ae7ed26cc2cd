// A server is not down because the serial number of its certificate is negative
// (RFC 5280, section 4.1.2.2).
//go:debug x509negativeserial=1

// Ldirectord watches the real servers of a Linux Virtual Server and keeps the
// kernel's IPVS table in step with them. See ldirectord --help.
package main

import (
	"os"
	"os/signal"

	"github.com/ldirectord/ldirectord/internal/cli"
	"github.com/ldirectord/ldirectord/internal/daemon"
)

// version is set by the linker.
var version = "(development)"

func main() {
	os.Exit(cli.Main(cli.Env{
		Args: os.Args, Version: version, Stdout: os.Stdout, Stderr: os.Stderr, Signals: catchSignals, ChangeDir: os.Chdir,
	}))
}

// catchSignals catches the signals of a daemon until stop is called.
func catchSignals() (signals <-chan os.Signal, stop func()) {
	caught := make(chan os.Signal, 16)
	signal.Notify(caught, daemon.Signals...)
	return caught, func() { signal.Stop(caught) }
}
