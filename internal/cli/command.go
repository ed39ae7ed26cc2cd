package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/ldirectord/ldirectord/internal/cli/view"
	"github.com/ldirectord/ldirectord/internal/report"
)

// A command is one row of the command line: parsing, help, completion and the manual page
// use it.
type command struct {
	name        string
	arguments   string // that follow the name, as usage shows them; "" is none
	original    bool   // behind FILE it ignores further words, but options that the original lacks
	takesFile   bool   // an argument is the configuration file
	least, most int    // how many arguments besides options; a most of -1 leaves that to the action
	summary     string // one line for the list of commands
	help        string // before the options, "" is none
	footer      string // behind the options, "" is none
	offers      string // the arguments that completion offers
	prose       bool   // its lines are for people, and may be folded on a terminal

	// define adds the options to flags, each with its help, and returns the action that
	// uses their values.
	define func(flags *pflag.FlagSet) action
}

// An action runs a command with its arguments, options excluded.
type action func(s *session, arguments []string) error

// plain is the define of a command without options and arguments.
func plain(run func(*session) error) func(*pflag.FlagSet) action {
	return func(*pflag.FlagSet) action {
		return func(s *session, _ []string) error { return run(s) }
	}
}

// commands returns all commands, in the order of the list that help prints.
func commands() []*command {
	return slices.Concat(processCommands(), readCommands(), orderCommands(), tableCommands(), hostCommands(), shellCommands())
}

// commandNamed returns the command with a name, nil if there is none.
func commandNamed(name string) *command {
	for _, c := range commands() {
		if c.name == name {
			return c
		}
	}
	return nil
}

// commandNames returns the names of all commands.
func commandNames() []string {
	var names []string
	for _, c := range commands() {
		names = append(names, c.name)
	}
	return names
}

// processCommands start and end the daemon; they are the original's.
func processCommands() []*command {
	return []*command{
		{
			name: "start", original: true, define: plain((*session).start),
			summary: "start the daemon, unless it runs already",
			help: `Returns when the daemon runs and the virtual services are in the kernel's table;
real servers get traffic as soon as their first check succeeds. If the daemon
cannot start, the reason is printed and the exit status is not 0.`,
		},
		{
			name: "stop", original: true, define: plain((*session).stop),
			summary: "stop the daemon and wait until it has ended",
			help: `The daemon removes its virtual services from the kernel's table, except those
with cleanstop=no. Works with a broken configuration file, too.`,
		},
		{
			name: "restart", original: true, define: plain((*session).restart),
			summary: "stop the daemon if it runs, and start it",
			help:    `A broken configuration file is reported and leaves the running daemon alone.`,
		},
		{
			name: "try-restart", original: true, define: plain((*session).tryRestart),
			summary: "restart the daemon only if it runs",
		},
		{
			name: "reload", original: true, define: plain((*session).reload),
			summary: "let the daemon read its configuration again",
			help: `A broken configuration file is reported and leaves the running daemon alone,
with the configuration that it has.`,
		},
		{
			name: "force-reload", original: true, define: plain((*session).reload),
			summary: "the same as reload",
		},
		{
			name: "status", arguments: "[--json]", original: true, prose: true, define: statusCommand,
			summary: "report whether the daemon runs",
			help: `Exit status 0: it runs; 3: it does not; 1: it does not, but left its pid file,
or it hangs.`,
		},
	}
}

// readCommands only read: the file, the daemon, or a dry run.
func readCommands() []*command {
	return []*command{
		{
			name: "check", arguments: "[options]", takesFile: true, prose: true, define: checkCommand,
			summary: "test the configuration file, without a daemon",
			help: `Reports every mistake with its line, not only the first as start does. The file
may follow the command, too: ldirectord check FILE. Exit status 0: no mistakes,
perhaps warnings; 2: mistakes.`,
		},
		{
			name: "show", arguments: "[options]", prose: true, define: showCommand,
			summary: "the table, with the state of every real server",
			help: `Queries the running daemon. The table is the output of ipvsadm -L -n; each real
server also has its state and since when, the last check, the weight in the file
if the kernel has another, orders in force, and external changes of the kernel.`,
			footer: `A dry run is shown when no daemon runs, or with --dry-run before the command.
Exit status 3: neither runs.`,
		},
		{
			name: "served", arguments: "[VIP]", most: 1, prose: true, define: servedCommand,
			summary: "whether a virtual address is served, or all are",
			help: `An address is served while its virtual services are (announce), and no order has
withdrawn it: keepalived, Pacemaker or a BGP daemon may announce it. Without VIP
each address has a line. Exit status 0: it is served, or all are; 1: it is not,
or the daemon does not answer within two seconds; 3: no daemon runs.`,
		},
		{
			name: "top", define: plain((*session).top),
			summary: "the table of show, live and full-screen",
			help: `Sorted by trouble at first. Keys:

  ` + view.Keys + `

Colours are left out if NO_COLOR is set. Without a terminal, the screen is
printed once.`,
		},
		{
			name: "history", arguments: "[REAL] [options]", most: 1, prose: true, define: historyCommand,
			summary: "which real servers were gone and back, when and why",
			help:    `Without --follow the last ones are printed, the newest at the end.`,
		},
		{
			name: "why", arguments: "REAL [options]", least: 1, most: 1, prose: true, define: whyCommand,
			summary: "the last checks of a real server, and their results",
			help: `Shows the last results of its checks: the request, its duration and the result;
for failed checks also the data sent and received. Passwords and other secrets
are shown as ***.`,
		},
		{
			name: "recheck", arguments: "[REAL] [options]", most: 1, prose: true, define: recheckCommand,
			summary: "check a real server, or all, now",
			help: `Prints how many checks begin now, and which do not: one that is running begins
again when it has ended, and some kinds wait while too many run at a time. The
results are in ldirectord why REAL.`,
		},
	}
}

// orderHelp begins the help of all orders.
const orderHelp = `REAL is a real server's address, its address and port, or its name. The order is
for all its virtual services. Orders outlive reloads and restarts; they are
logged with the user who gave them, and enable ends them.`

// orderCommands give the daemon an order.
func orderCommands() []*command {
	return []*command{
		{
			name: "drain", arguments: "REAL [options]", least: 1, most: 1, define: orderCommand(report.Drain),
			summary: "no new connections to a real server; others run out", help: orderHelp,
		},
		{
			name: "disable", arguments: "REAL [options]", least: 1, most: 1, define: orderCommand(report.Disable),
			summary: "take a real server out, as if it were down", help: orderHelp,
		},
		{
			name: "enable", arguments: "REAL [options]", least: 1, most: 1, define: orderCommand(report.Enable),
			summary: "leave a real server to its checks again", help: orderHelp,
		},
		{
			name: "weight", arguments: "REAL N|N% [options]", least: 2, most: 2, define: orderCommand(report.Weight),
			summary: "give a real server another weight",
			help: orderHelp + `
N% is a share of the weight in the file, at least 1.`,
		},
		{
			name: "withdraw", arguments: "[VIP] [options]", most: 1, define: addressCommand(report.Withdraw),
			summary: "let a virtual address not be served here, or all",
			help: `The address counts as not served, whatever its virtual services are, so that
other directors take it. The order outlives reloads and restarts, and announce
ends it.`,
		},
		{
			name: "announce", arguments: "[VIP] [options]", most: 1, define: addressCommand(report.Announce),
			summary: "end withdraw for a virtual address, or all",
		},
	}
}

// tableCommands read or make files about the kernel's table.
func tableCommands() []*command {
	return []*command{
		{
			name: "plan", arguments: "[options]", define: planCommand,
			summary: "preview what a reload would change in the kernel",
			help: `Prints the changes as ipvsadm's lines. The results of the running daemon's
checks are taken into account; without a daemon, the changes are those of a
start. A line "# left out: CHANGE: REASON", on standard error, is a change that
the file asks for and that is not made: no kernel takes it, or the virtual
service is another daemon's. Exit status 0: no changes; 3: changes; 2: mistakes
in the file.`,
		},
		{
			name: "save", define: plain((*session).save),
			summary: "print the kernel's table as ipvsadm-save does",
			help: `Sync daemons have lines before it, and so have timeouts of connections that are
not the kernel's own. ipvsadm -R restores all of it.`,
		},
		{
			name: "import", arguments: "FILE [--id ID]", least: 1, most: 1, define: importCommand,
			summary: "convert a table or keepalived.conf to ldirectord.cf",
			help: `FILE is a dump of the table (ipvsadm -S -n, ldirectord save), a keepalived.conf,
or - for standard input. What cannot be expressed is a comment in its place and
a line on standard error, and the exit status is 3. A dump has no checks of real
servers: connect and ping are used. What a keepalived.conf includes is read,
too, unless it comes from standard input.`,
		},
	}
}

// hostCommands set up or examine the host.
func hostCommands() []*command {
	return []*command{
		{
			name: "host", arguments: "WHAT up|down|status", most: -1, define: hostCommand, offers: "director realserver marks up down status",
			summary: "set up the host: director, realserver or marks",
			help:    hostHelp,
		},
		{
			name: "doctor", arguments: "[options]", most: -1, prose: true, define: doctorCommand,
			summary: "what is wrong with this host, and the cure",
			help:    doctorHelp,
			footer:  `Exit status 0: nothing, or notes; 1: warnings; 2: errors.`,
		},
	}
}

// shellCommands are about the command line itself.
func shellCommands() []*command {
	return []*command{
		{
			name: "completion", arguments: "bash|zsh|fish", least: 1, most: 1, define: completionCommand, offers: "bash zsh fish",
			summary: "print the completion script of a shell",
		},
		{
			name: "help", arguments: "[COMMAND]", most: 1, define: helpCommand,
			summary: "explain a command",
		},
	}
}

// flags are the command's options, and its action.
func (c *command) flags() (*pflag.FlagSet, action) {
	flags := newFlags()
	flags.SetInterspersed(true)
	return flags, c.define(flags)
}

// usage is the command line of the command.
func (c *command) usage() string { return strings.TrimSpace(c.name + " " + c.arguments) }

// execute runs the command with words, its options and arguments.
func (c *command) execute(s *session, words []string) error {
	run, arguments, err := c.read(words)
	if err != nil {
		return err
	}
	return run(s, arguments)
}

// read parses words, the command's options and arguments, and returns the action with the
// arguments.
func (c *command) read(words []string) (run action, arguments []string, err error) {
	flags, run := c.flags()
	if err := parseOptions(flags, words); err != nil {
		return nil, nil, err
	}
	switch n := flags.NArg(); {
	case c.most >= 0 && n < c.least:
		return nil, nil, usageError("usage: ldirectord [CONFIG] " + c.usage())
	case c.most >= 0 && n > c.most:
		return nil, nil, usageError(c.tooMany(flags))
	}
	return run, flags.Args(), nil
}

// tooMany is the error of more arguments than the command takes.
func (c *command) tooMany(flags *pflag.FlagSet) string {
	extra, hint := flags.Args()[flags.NArg()-1], ""
	flags.Visit(func(f *pflag.Flag) {
		for _, word := range flags.Args() {
			value := word
			if _, err := time.ParseDuration(word); err != nil { // perhaps only the unit is missing
				value += "s"
			}
			if _, err := time.ParseDuration(value); err == nil && f.NoOptDefVal != "" && f.Value.Type() == "duration" {
				extra, hint = word, fmt.Sprintf("; a value of --%s is written --%s=%s", f.Name, f.Name, value)
			}
		}
	})
	return fmt.Sprintf("%q is one argument too many%s\nusage: ldirectord [CONFIG] %s", extra, hint, c.usage())
}

// explanation is the text of help for the command.
func (c *command) explanation() string {
	var b strings.Builder
	fmt.Fprintf(&b, "ldirectord [options] [CONFIG] %s\n\n%s.\n", c.usage(), strings.ToUpper(c.summary[:1])+c.summary[1:])
	flags, _ := c.flags()
	for _, part := range []string{c.help, optionHelp(flags), c.footer} {
		if part != "" {
			fmt.Fprintf(&b, "\n%s\n", part)
		}
	}
	return b.String()
}
