package cli

import (
	"github.com/ldirectord/ldirectord/internal/cli/view"
)

// What help says about the commands that ask the running daemon.
const (
	showHelp = `Asks the running daemon. The table is that of ipvsadm -L -n; beside it stand the
state and since when, the last check, the weight in the file if the kernel has
another one, orders in force, and what others have changed in the kernel.

  --virtual V     only this virtual service: 10.0.0.1:80, tcp:10.0.0.1:80, 10.0.0.1,
                  a firewall mark, its servicename, or as the file has it
  --real R        only this real server: its address, address and port, or name
  --json          everything that is known, as JSON
  --stats         the kernel's counters, as ipvsadm --stats
  --rate          its rates, as ipvsadm --rate
  --connections   the kernel's connections, as ipvsadm -c
  --persistent    only which clients are remembered for which real server

A dry run is shown when no daemon runs, or with --dry-run before the command.
Exit status 3: neither runs.`

	topHelp = `Sorted by trouble at first. Keys:

  ` + view.Keys + `

Colours are left out if NO_COLOR is set. Where there is no terminal, it is shown
once.`

	historyHelp = `  --virtual V   only this virtual service
  --all         everything that happened, not only who was gone and back
  --limit N     the last N; 50 if not given
  --json        as JSON`

	whyHelp = `Shows the last results of its checks: what was asked, how long it took, and what
came of it; for those that failed also what was sent and received. Passwords and
other secrets are shown as ***.

  --virtual V   only this virtual service
  --json        as JSON`

	orderHelp = `REAL is a real server's address, its address and port, or its name. The order is
for all virtual services that it is in. Orders outlive reloads and restarts; they
are logged with who gave them, and enable ends them.

  --virtual V      only for this virtual service
  --for TIME       as long as that: 90s, 30m, 12h
  --comment TEXT   why, for those who look at it later`

	drainHelp = `
  --wait[=TIME]    return when no connection is left, or fail after TIME`

	planHelp = `Prints the changes as ipvsadm's lines. What the running daemon knows of its real
servers is taken into account; without one, it is what a start would change. Exit
status 0: nothing; 3: something; 2: mistakes in the file.`
)
