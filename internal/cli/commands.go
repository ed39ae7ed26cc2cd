package cli

// A verb is a command of ldirectord's command line. (The word keeps it apart from
// the programs that ldirectord runs.)
type verb struct {
	name      string
	arguments string // what may follow it, "" is nothing
	summary   string // one line for the list of commands
	help      string // what help COMMAND says besides
	run       func(*session) error
}

// verbs are all commands, in the order in which they are shown. A new command
// is a new row. (It is a function because help shows the rows and is one.)
func verbs() []*verb {
	return []*verb{
		{
			name: "start", run: (*session).start,
			summary: "start the daemon, unless it runs already",
			help: `Returns when the daemon runs and the virtual services stand in the kernel's
table; real servers get traffic as soon as their first check succeeds. If the
daemon cannot start, the reason is printed and the exit status is not 0.`,
		},
		{
			name: "stop", run: (*session).stop,
			summary: "stop the daemon and wait until it has ended",
			help: `The daemon takes its virtual services out of the kernel's table, except those
with cleanstop=no. Works with a broken configuration file, too.`,
		},
		{
			name: "restart", run: (*session).restart,
			summary: "stop the daemon if it runs, and start it",
			help:    `A broken configuration file is reported and leaves the running daemon alone.`,
		},
		{
			name: "try-restart", run: (*session).tryRestart,
			summary: "restart the daemon only if it runs",
		},
		{
			name: "reload", run: (*session).reload,
			summary: "let the daemon read its configuration again",
			help: `A broken configuration file is reported and leaves the running daemon alone,
with the configuration that it has.`,
		},
		{
			name: "force-reload", run: (*session).reload,
			summary: "the same as reload",
		},
		{
			name: "status", run: (*session).status,
			summary: "say whether the daemon runs",
			help:    `Exit status 0: it runs; 3: it does not; 1: it does not, but left its pid file.`,
		},
		{
			name: "check", arguments: "[--explain]", run: (*session).check,
			summary: "test the configuration file, without a daemon",
			help: `Reports every mistake with its line, not only the first as start does. Exit
status 0: no mistakes, perhaps warnings; 2: mistakes.

  --explain   say what the file does, virtual service by virtual service`,
		},
		{
			name: "show", arguments: "[options]", run: (*session).show,
			summary: "the table, with how every real server does",
			help:    showHelp,
		},
		{
			name: "top", arguments: "[options]", run: (*session).top,
			summary: "the same, live and full-screen",
			help:    topHelp,
		},
		{
			name: "history", arguments: "[REAL]", run: (*session).history,
			summary: "who was gone and back, when and why",
			help:    historyHelp,
		},
		{
			name: "why", arguments: "REAL", run: (*session).why,
			summary: "what a real server was asked last, and what it said",
			help:    whyHelp,
		},
		{
			name: "recheck", arguments: "[REAL]", run: (*session).recheck,
			summary: "check a real server, or all, now",
			help:    "\n  --virtual V   only for this virtual service",
		},
		{
			name: "drain", arguments: "REAL [options]", run: (*session).drain,
			summary: "no new connections to a real server; others run out",
			help:    orderHelp + drainHelp,
		},
		{
			name: "disable", arguments: "REAL [options]", run: (*session).disable,
			summary: "take a real server out, as if it were down",
			help:    orderHelp,
		},
		{
			name: "enable", arguments: "REAL [options]", run: (*session).enable,
			summary: "leave a real server to its checks again",
			help:    orderHelp,
		},
		{
			name: "weight", arguments: "REAL N [options]", run: (*session).weight,
			summary: "give a real server another weight",
			help:    orderHelp,
		},
		{
			name: "plan", arguments: "[options]", run: (*session).plan,
			summary: "what a reload would change in the kernel",
			help:    planHelp,
		},
		{
			name: "save", arguments: "[options]", run: (*session).save,
			summary: "print the kernel's table as ipvsadm-save does",
		},
		{
			name: "import", arguments: "FILE", run: (*session).importFile,
			summary: "ldirectord.cf made of ipvsadm -Sn or keepalived.conf",
			help: `FILE is a dump of the table (ipvsadm -S -n, ldirectord save), a keepalived.conf,
or - for standard input. What cannot be expressed is a comment in its place and a
line on standard error, and the exit status is 3. A dump does not have how real
servers are checked: connect and ping are taken.`,
		},
		{
			name: "host", arguments: "WHAT up|down|status", run: (*session).host,
			summary: "set up the host: director, realserver or marks",
			help:    hostHelp,
		},
		{
			name: "doctor", arguments: "[--json]", run: (*session).doctor,
			summary: "say what is wrong with this host, and what mends it",
			help:    doctorHelp,
		},
		{
			name: "completion", arguments: "bash|zsh|fish", run: (*session).completion,
			summary: "what teaches a shell to complete command lines",
		},
		{
			name: "help", arguments: "[COMMAND]", run: (*session).help,
			summary: "explain a command",
		},
	}
}

// verbNamed returns the command with that name, nil if there is none.
func verbNamed(name string) *verb {
	for _, v := range verbs() {
		if v.name == name {
			return v
		}
	}
	return nil
}
