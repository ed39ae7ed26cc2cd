package main

import (
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/internal/cli"
)

// commandPage is ldirectord(8).
func commandPage(day time.Time) string {
	p := newPage(day, "LDIRECTORD", "8", "ldirectord", "health monitor of a Linux Virtual Server director")
	p.WriteString(`.Sh SYNOPSIS
.Nm ldirectord
.Op Ar options
.Op Ar CONFIG
.Ar COMMAND
.Op Ar arguments
.Sh DESCRIPTION
.Nm
checks the real servers of a Linux Virtual Server and keeps the kernel's IPVS
table in step with the results.
Real servers that are down stop receiving traffic; when none is left, the
fallback takes over.
The commands, the configuration file, the log and the exit statuses are those
of the Perl daemon of the same name, which it replaces.
.Pp
.Ar CONFIG
is looked for in
.Pa /etc/ha.d ,
in
.Pa /etc/ha.d/conf ,
and then as it is given; without it, it is
.Pa ldirectord.cf .
A first word that is the name of a command is the command.
The file is described in
.Xr ldirectord.cf 5 .
.Sh OPTIONS
Options stand before
.Ar CONFIG
and
.Ar COMMAND ,
or behind the command.
Those of one command stand behind it, see
.Sx COMMANDS .
.Bl -tag -width Ds
`)
	p.options(cli.ProgramOptions())
	p.WriteString(".El\n.Sh COMMANDS\n")
	for _, c := range cli.Commands() {
		p.command(c)
	}
	p.WriteString(commandEnd)
	return p.String()
}

// command adds the section of one command.
func (p *page) command(c cli.CommandText) {
	p.macro("Ss", emphasized(c.Usage))
	p.text(strings.ToUpper(c.Summary[:1]) + c.Summary[1:] + ".")
	if c.Help != "" {
		p.paragraphs(c.Help)
	}
	if len(c.Options) > 0 {
		p.WriteString(".Bl -tag -width Ds\n")
		p.options(c.Options)
		p.WriteString(".El\n")
	}
	if c.Footer != "" {
		p.paragraphs(c.Footer)
	}
}

// options adds the items of a list of options.
func (p *page) options(options []cli.OptionText) {
	for _, o := range options {
		names := `\fB\-\-` + verbatim(o.Name) + `\fR`
		if o.Short != "" {
			names = `\fB\-` + o.Short + `\fR, ` + names
		}
		switch {
		case o.Optional:
			names += "[=" + emphasized(o.Value) + "]"
		case o.Value != "":
			names += " " + emphasized(o.Value)
		}
		p.macro("It", names)
		p.text(strings.ToUpper(o.Help[:1]) + o.Help[1:] + ".")
	}
}

// commandEnd are the sections behind the commands.
const commandEnd = `.Sh SIGNALS
.Bl -tag -width Ds
.It Dv SIGTERM , SIGINT , SIGQUIT
The daemon removes its virtual services from the kernel's table, except those
with
.Ic cleanstop
.No = no ,
and ends.
.It Dv SIGHUP
It reads its configuration again.
.It Dv SIGUSR1
It opens its logs again, which is not necessary: a log that was moved away is
noticed.
.It Dv SIGRTMIN+5
It ends and leaves the table as it is, for the next one to take over.
.El
.Sh ENVIRONMENT
.Bl -tag -width Ds
.It Ev RUNTIME_DIRECTORY , STATE_DIRECTORY , LOGS_DIRECTORY
As systemd sets them for its own unit: the directories of
.Fl \-rundir ,
.Fl \-statedir
and
.Fl \-logdir .
.It Ev NO_COLOR
If it is set,
.Ic top
uses no colours.
.It Ev LC_ALL , LC_CTYPE , LANG
The first that is set says which characters a terminal shows: without UTF-8 in
it all commands write ASCII there.
.It Ev TERM
If it is
.Cm dumb ,
.Ic top
shows its screen once.
.El
.Sh FILES
.Bl -tag -width Ds
.It Pa /etc/ha.d/ldirectord.cf
The configuration.
.It Pa /var/log/ldirectord.log
The log; see the directive
.Ic logfile .
.It Pa /var/log/ipvsmonitor.log
Which real servers were gone and back; see
.Ic monitorlog .
.It Pa /var/run/ldirectord.NAME.pid
The running daemon.
NAME is that of the configuration file, or
.Dq ldirectord
where none is given.
.It Pa /var/run/ldirectord/
Locks, sockets, and what
.Ic host
has set up.
.It Pa /var/lib/ldirectord/
Orders and what else outlives the process.
.It Pa /usr/share/doc/ldirectord/
The documents: first steps, checks, monitoring, troubleshooting, the change from
the Perl daemon, and
.Pa examples/ldirectord.cf ,
which explains every directive.
.El
.Sh EXIT STATUS
.Bl -tag -width Ds -compact
.It 0
Success.
.It 1
A failure, with its reason on standard error.
.It 2
A mistake in the configuration.
.It 3
.Ic status
and queries: the daemon does not run;
.Ic plan :
there are changes;
.Ic import :
something could not be expressed.
.It 255
A wrong command line.
.El
.Pp
.Ic status
and
.Ic doctor
have a meaning of their own for 1, see there.
.Sh EXAMPLES
Test a file, watch it with the table in memory, and start the daemon:
.Bd -literal -offset indent
ldirectord check
ldirectord \-\-dry\-run start
ldirectord start
.Ed
.Pp
Take a real server out of service for an hour, as soon as its connections have
ended:
.Bd -literal -offset indent
ldirectord drain 192.0.2.11 \-\-for 1h \-\-comment "new disk" \-\-wait
.Ed
.Pp
Find out why a real server is down:
.Bd -literal -offset indent
ldirectord why 192.0.2.11
.Ed
.Sh SEE ALSO
.Xr ldirectord.cf 5 ,
.Xr ipvsadm 8
`
