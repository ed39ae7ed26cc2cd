package cli

import (
	"fmt"
	"strings"

	"github.com/ldirectord/ldirectord/internal/daemon"
	"github.com/ldirectord/ldirectord/internal/logfile"
)

// versionText is what -v prints.
func versionText(version string) string {
	return fmt.Sprintf(`%s
ldirectord %s, a replacement in Go for heartbeat-ldirectord
Licensed under the Apache License, Version 2.0. There is no warranty.
`, logfile.OriginalVersion, version)
}

// usage is what -h prints, and what a wrong command line is answered with.
func usage() string {
	var b strings.Builder
	b.WriteString(`Usage:
  ldirectord [options] [CONFIG] COMMAND [arguments]

Watches the real servers of a Linux Virtual Server and keeps the kernel's IPVS
table in step with them.

CONFIG is looked for in /etc/ha.d, in /etc/ha.d/conf, and then as it is given;
without it, it is ldirectord.cf. A first word that is a command's name is the
command.

Commands:
`)
	for _, c := range verbs() {
		fmt.Fprintf(&b, "  %-25s %s\n", strings.TrimSpace(c.name+" "+c.arguments), c.summary)
	}
	b.WriteString(`
Options:
  -d, --debug        stay in the foreground; log to standard error, with every
                     check: what was sent, what came back, why up or down
  -h, -?, --help     print this text
  -v, --version      print the version
      --config FILE  the configuration file, whatever its name is
      --dry-run      check real servers, but keep the table in memory: nothing is
                     written to the kernel, no mail is sent, no command but those
                     of checks is run
      --foreground   stay in the foreground, otherwise like a daemon (for systemd)
      --rundir DIR   pid file, lock and sockets; else $RUNTIME_DIRECTORY,
                     else /var/run and /var/run/ldirectord
      --statedir DIR what outlives the process, as orders; else $STATE_DIRECTORY,
                     else /var/lib/ldirectord
      --logdir DIR   logs that CONFIG does not name; else $LOGS_DIRECTORY,
                     else /var/log

Files:
  /etc/ha.d/ldirectord.cf        the configuration
  ` + fmt.Sprintf("%-30s", logfile.DefaultPath) + ` the log (logfile)
  /var/log/ipvsmonitor.log       who is gone, who is back (monitorlog)
  /var/run/ldirectord.NAME.pid   the daemon, NAME being the configuration file's
`)
	return b.String()
}

// help explains one command, or all.
func (s *session) help() error {
	if len(s.inv.args) == 0 {
		fmt.Fprint(s.Stdout, usage())
		return nil
	}
	if asksForHelp(s.inv.args) {
		return s.explain(s.inv.verb)
	}
	c := verbNamed(s.inv.args[0])
	if c == nil {
		return &daemon.Exit{Status: exitUsage, Text: fmt.Sprintf("there is no command %q, see ldirectord --help", s.inv.args[0])}
	}
	return s.explain(c)
}

// explain says how a command is used.
func (s *session) explain(c *verb) error {
	fmt.Fprintf(s.Stdout, "ldirectord [options] [CONFIG] %s\n\n%s.\n", strings.TrimSpace(c.name+" "+c.arguments), sentence(c.summary))
	if c.help != "" {
		fmt.Fprintf(s.Stdout, "\n%s\n", c.help)
	}
	return nil
}

// sentence begins text with a capital letter.
func sentence(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
