package cli

import (
	"fmt"
	"strings"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/account"
	"github.com/ldirectord/ldirectord/internal/daemon"
)

// userLacks warns of a program that the user of checkuser may not run.
func (l *fileList) userLacks(v *conf.VirtualService, directive, what, file string, executed bool) {
	if staysOwn(directive) {
		return
	}
	at := ""
	if executed {
		at = l.user.Refused(file, account.Execute)
	}
	if at == "" && (!executed || isScript(file)) { // the interpreter reads it
		at = l.user.Refused(file, account.Read)
	}
	if at != "" {
		l.warn(v, directive, conf.CodeCommandNotRunnable, fmt.Sprintf("%s cannot be run by %s, the user of checkuser: %s is closed to it", what, l.user, at), "chmod o+rx "+at)
	}
}

// staysOwn reports whether the command of a directive runs as the daemon's user whatever
// checkuser is.
func staysOwn(directive string) bool { return directive == "callback" || directive == "vipcommand" }

// runner is who runs the command of a directive.
func (l *fileList) runner(directive string) string {
	user := l.user
	if staysOwn(directive) || user.IsZero() {
		user = l.daemonUser()
	}
	if user.IsZero() {
		return "root"
	}
	return "the user " + user.String()
}

// changesOwn reports whether only the user of checkuser may change a file that it runs.
func (l *fileList) changesOwn(directive, who string) bool {
	return !staysOwn(directive) && !l.user.IsZero() && who == fmt.Sprintf("its owner, the user %d", l.user.UID)
}

// userNote is the advice to name a checkuser, "" without a command that would run as it.
func userNote(cfg *conf.Config) string {
	if cfg == nil || !cfg.CheckUser.IsZero() || !cfg.RunsAs() {
		return ""
	}
	var commands []string
	add := func(name string, used bool) {
		if used {
			commands = append(commands, name)
		}
	}
	external, fallback, quorum := false, false, false
	for _, v := range cfg.EachCheck() {
		external = external || v.CheckType == conf.CheckExternal || v.CheckType == conf.CheckExternalPerl
		fallback = fallback || v.FallbackCommand != ""
		quorum = quorum || v.QuorumCommand != ""
	}
	add("external checks", external)
	add("fallbackcommand", fallback)
	add("quorumcommand", quorum)
	add("notifycommand", cfg.NotifyCommand != "")
	verb := "run"
	if len(commands) == 1 && !external {
		verb = "runs"
	}
	named := strings.Join(commands, ", ")
	if i := strings.LastIndex(named, ", "); i >= 0 {
		named = named[:i] + " and " + named[i+2:]
	}
	return fmt.Sprintf("%s: note: %s %s as the daemon's user, which is root by default\n    checkuser = nobody, or a user made for them, takes root's rights from them\n",
		cfg.Path, named, verb)
}

// canRunAs returns why the checkuser of cfg is of no use to a daemon in process pid, as an
// exit that is logged.
func canRunAs(cfg *conf.Config, pid int) error {
	err := daemon.CanRunAs(cfg, pid)
	if err == nil {
		return nil
	}
	return &daemon.Exit{Status: exitFailed, Text: err.Error(), Log: err.Error(), Cause: err}
}
