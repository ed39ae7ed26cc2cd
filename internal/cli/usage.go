package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/ldirectord/ldirectord/internal/logfile"
)

// versionText is the text of -v.
func versionText(version string) string {
	return fmt.Sprintf(`%s
ldirectord %s, a replacement in Go for heartbeat-ldirectord
Licensed under the Apache License, Version 2.0. There is no warranty.
`, logfile.OriginalVersion, version)
}

// usage is the text of -h, and the answer to a wrong command line.
func usage() string {
	var b strings.Builder
	b.WriteString(`Usage:
  ldirectord [options] [CONFIG] COMMAND [arguments]

Watches the real servers of a Linux Virtual Server and keeps the kernel's IPVS
table in step with them.

CONFIG is looked for in /etc/ha.d, in /etc/ha.d/conf, and then as it is given;
without it, it is ldirectord.cf. A first word that is a command's name is the
command. Options may follow the command, too.

Commands:
`)
	for _, c := range commands() {
		fmt.Fprintf(&b, "  %-25s %s\n", c.usage(), c.summary)
	}
	b.WriteString(`
Options:
` + optionHelp(new(invocation).flags()) + `

Files:
  /etc/ha.d/ldirectord.cf        the configuration
  ` + fmt.Sprintf("%-30s", logfile.DefaultPath) + ` the log (logfile)
  /var/log/ipvsmonitor.log       real servers gone and back (monitorlog)
  /var/run/ldirectord.NAME.pid   the daemon, NAME being the configuration file's
`)
	return b.String()
}

// helpCommand explains one command, or all.
func helpCommand(*pflag.FlagSet) action {
	return func(s *session, names []string) error {
		if len(names) == 0 {
			fmt.Fprint(s.Stdout, usage())
			return nil
		}
		c := commandNamed(names[0])
		if c == nil {
			return usageError(noCommand(names[0]) + "\nldirectord --help lists the commands")
		}
		fmt.Fprint(s.Stdout, c.explanation())
		return nil
	}
}
