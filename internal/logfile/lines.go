package logfile

import (
	"cmp"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/safetext"
)

// OriginalVersion is the version of the original daemon that this program replaces. The
// log lines of a start carry it, because scripts search for it.
const OriginalVersion = "Linux Director v1.186-ha"

// The lines of ldirectord.log that are not an Event's, in the original's words.
// Users grep for them, so each is a whole format string.
const (
	Invoked         = "Invoking ldirectord invoked as: %s " // program and arguments, a blank after each
	StartedDaemon   = "Starting %s as daemon"
	StartedAttached = "Starting %s with pid: %d"
	Terminated      = "Linux Director Daemon terminated on signal: %s"
	Exiting         = "Exiting with exit_status %d: %s"
	ExitingCommand  = "Exiting from ldirectord %s"
	ExitConfig      = "config_error: Configuration Error"
	ExitInit        = "Initialisation Error"
	IsRunning       = "ldirectord for %s is running with pid: %d"
	IsStopped       = "ldirectord is stopped for %s"
	StalePIDFile    = "ldirectord stale pid file %s for %s"
	Reloading       = "Reloading Linux Director Daemon config on signal"
	FileChanged     = "Configuration file '%s' has changed on disk"
	FileReread      = " - reread new configuration"
	FileIgnored     = " - ignore new configuration"
	FileAccepted    = "Configuration file '%s' can be used again"
	OutsideBroken   = "%s: %s"
	OutsideMended   = "No longer so: %s"
	FileUnchecked   = "Warning [%d]: can not open file %s for checking"
	CommandFailed   = "system(%s) failed: %v"
	DryRun          = "Dry run: the table is kept in memory, nothing is written to the kernel, no mail is sent, no command but those of checks is run"
	DryRunChange    = "ipvsadm %s"
	HostStep        = "Host setup: %s"
	HostFailed      = "Host setup failed: %v"
	MaintenanceLost = "The maintenance files that the last process knew cannot be read: %v"
	OverrideLost    = "An order that was in force is lost: %s: %v"
	OverridesCopied = "The orders that were in force: %v"
	KeptAside       = "%s is kept as %s"
	NotKeptAside    = "%s cannot be kept aside: %v"
	NotAdopted      = "What an earlier daemon has kept cannot be renamed: %v"
	DampedLost      = "Which real servers were damped is not known, they may come in again: %s: %v"
	GoneLost        = "Which real servers have left by their checks is not known, those with return = byhand may come in again: %s: %v"
	HistoryLost     = "The history begins anew: %s cannot be read: %v; %s"
	HistoryDamaged  = "The history lacks something: %s has %d lines that cannot be read (%v); %s"
	linesMissing    = "%d lines are missing here: %s"
)

const (
	monitorLayout = "2006-01-02 15:04:05"
	syslogLayout  = time.Stamp
	longestText   = 8 << 10
)

// fileLine is a line of ldirectord.log.
func fileLine(s sender, r record) string {
	return fmt.Sprintf("[%s|%s|%d] %s\n", r.time.Format(time.ANSIC), s.name, s.pid, oneLine(r.text))
}

// streamLine is a line on the standard output of a supervised daemon.
func streamLine(r record) string {
	return fmt.Sprintf("[%s] %s\n", r.time.Format(time.ANSIC), oneLine(r.text))
}

// debugLine is a line that only -d shows.
func debugLine(text string) string {
	return "DEBUG2: " + oneLine(text) + "\n"
}

// attachedLine is a line of ldirectord.log with -d. As in the original it is
// printed twice: the lines with DEBUG2 are all lines in order, the others only
// those of the log.
func attachedLine(r record) string {
	return debugLine(r.text) + oneLine(r.text) + "\n"
}

// syslogLine is the message to the local syslog daemon (RFC 3164, without the host
// name, as syslog(3) does).
func syslogLine(s sender, priority int, r record) string {
	return fmt.Sprintf("<%d>%s ldirectord[%d]: %s", priority, r.time.Format(syslogLayout), s.pid, oneLine(r.text))
}

// oneLine fits text into one line of a log: texts contain answers of servers and
// output of commands, which must not forge a line or fill the disk.
func oneLine(text string) string {
	text = strings.TrimRight(text, "\r\n")
	if len(text) > longestText {
		text = text[:longestText] + " ..."
	}
	return safetext.Line(text)
}

// monitorLine is the event's line in the monitor log, "" if it has none. The words
// up to the full stop are fixed; the rest explains.
func monitorLine(e event.Event) string {
	var what, why string
	switch e.Kind {
	case event.Gone:
		what = e.R + " is gone."
		why = e.Reason + attempts(e.Attempts)
	case event.Back:
		what = e.R + " is back."
		why = "first good check"
		if e.Down > 0 {
			why = "down " + duration(e.Down)
		}
		if e.Reason != "" {
			why += "; " + e.Reason
		}
	case event.AllGone:
		what = "all real servers of " + e.V + " are gone."
		if e.Cause != nil && e.Cause.Kind == event.CauseQuorum {
			what = "no real server of " + e.V + " is in service."
		}
		why = cmp.Or(e.Reason, fallbackWords(e.Virtual, "takes over"))
	case event.AnyBack:
		what = "real servers of " + e.V + " are back."
		why = cmp.Or(e.Reason, fallbackWords(e.Virtual, "leaves"))
		if e.Down > 0 {
			why += ", down " + duration(e.Down)
		}
	case event.StillGone:
		what, why = e.R+" is still gone.", e.Reason
	case event.Damped:
		what, why = e.R+" is damped.", e.Reason
	case event.Waiting:
		what, why = e.R+" waits for enable.", e.Reason
	case event.DampingOver:
		what, why = "damping of "+e.R+" is over.", e.Reason
	case event.QuorumLost:
		what, why = "quorum of "+e.V+" is lost.", e.Reason
	case event.QuorumRegained:
		what, why = "quorum of "+e.V+" is met again.", e.Reason
	case event.BackupNeeded:
		what, why = "backup servers of "+e.V+" are needed.", e.Reason
	case event.BackupIdle:
		what, why = "backup servers of "+e.V+" are not needed any more.", e.Reason
	case event.SelfDrained:
		what, why = e.R+" is self-drained.", e.Reason
	case event.SelfDrainOver:
		what, why = "self-drain of "+e.R+" is over.", e.Reason
		if e.Down > 0 {
			why += ", down " + duration(e.Down)
		}
	case event.DrainedDown:
		what, why = e.R+" is down after its self-drain.", e.Reason+attempts(e.Attempts)
	case event.Ordered:
		what, why = "order for "+e.R+".", e.Reason
	case event.Started:
		return fmt.Sprintf("%s, %s: %s (%s %s)\n", e.Time.Format(monitorLayout), e.Phase, oneLine(e.Reason), protocol(e), e.V)
	default:
		return ""
	}
	if cause := e.CauseWords(); cause != "" {
		why += "; " + cause
	}
	return fmt.Sprintf("%s, %s (%s %s: %s)\n", e.Time.Format(monitorLayout), what, protocol(e), e.V, oneLine(why))
}

func attempts(n int) string {
	switch {
	case n <= 0:
		return ""
	case n == 1:
		return ", 1 attempt"
	}
	return fmt.Sprintf(", %d attempts", n)
}

// duration shows whole seconds from one second up.
func duration(d time.Duration) string {
	if d >= time.Second {
		return d.Round(time.Second).String()
	}
	return d.Round(time.Millisecond).String()
}

func fallbackWords(v *conf.VirtualService, does string) string {
	if v == nil || v.Fallback == nil {
		return "no fallback"
	}
	port := v.Fallback.Port
	if port == 0 {
		port = v.Port
	}
	return fmt.Sprintf("fallback %s %s", netip.AddrPortFrom(v.Fallback.Addr, port), does)
}

// protocol is the word before V: the part of ID that names the protocol.
func protocol(e event.Event) string {
	word, _, _ := strings.Cut(e.ID, ":")
	return word
}

// checkedLine is a line of a monitorfile.
func checkedLine(pid int, c event.Checked) string {
	state := "down"
	if c.Up {
		state = "up"
	}
	return fmt.Sprintf("[%s] [%d] %s [%s] %s\n", c.Time.Format(time.ANSIC), pid, identity(c.Virtual, c.Real), state, answer(c))
}

// identity is the original's name of a check: two checks with the same identity are
// one. Its colons become blanks, its backslashes vanish.
func identity(v *conf.VirtualService, r *conf.RealServer) string {
	checkPort := ""
	if v.CheckPort != 0 {
		checkPort = strconv.Itoa(int(v.CheckPort))
	}
	addr := r.Addr.String()
	if r.Addr.Is6() {
		addr = "[" + addr + "]"
	}
	id := strings.Join([]string{
		checkWords(v), v.Protocol.String(), addr, strconv.Itoa(int(r.Port)), v.VirtualHost,
		checkPort, strconv.Itoa(r.Weight), r.Forward.String(), r.Request.String(), r.Receive,
	}, ":")
	return blanks(strings.ReplaceAll(id, `\`, ""))
}

// checkWords are the check's kind and its parameters.
func checkWords(v *conf.VirtualService) string {
	switch v.CheckType {
	case conf.CheckNegotiate, conf.CheckCombined:
		return v.CheckType.String() + ":" + v.Service
	case conf.CheckExternal, conf.CheckExternalPerl:
		return v.CheckType.String() + ":" + v.CheckCommand.String()
	}
	return v.CheckType.String()
}

// blanks turns each run of colons into one blank.
func blanks(id string) string {
	var b strings.Builder
	for i := range len(id) {
		switch {
		case id[i] != ':':
			b.WriteByte(id[i])
		case i == 0 || id[i-1] != ':':
			b.WriteByte(' ')
		}
	}
	return oneLine(b.String())
}

// percent keeps an answer in one line and one field, as in the original.
var percent = strings.NewReplacer("%", "%25", "|", "%7c", "\r", "%0d", "\n", "%0a")

// answer is the last field of a monitorfile's line: the answer, "-" without a
// detail.
func answer(c event.Checked) string {
	text := c.Message
	if text == "" && c.Err != nil {
		text = c.Err.Error()
	}
	if text == "" {
		return "-"
	}
	return oneLine(percent.Replace(text))
}
