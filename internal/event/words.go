package event

import "strings"

// Words returns the event in one line, also of the kinds that have none in
// ldirectord.log.
func (e Event) Words() string {
	reason := ""
	if e.Reason != "" {
		reason = ": " + e.Reason
	}
	switch e.Kind {
	case Gone:
		return e.server() + " is gone" + reason
	case Back:
		return e.server() + " is back" + reason + e.appendedCause()
	case FirstDown:
		return e.server() + " is down" + reason
	case FirstUp:
		return e.server() + " is up" + reason
	case StillGone:
		return e.server() + " is still gone" + reason
	case AllGone:
		is := " is left"
		if e.Cause != nil && e.Cause.Kind == CauseQuorum {
			is = " is in service"
		}
		return "no real server of " + e.V + is + fallbackWords(e.Fallback, " takes over") + reason + e.appendedCause()
	case AnyBack:
		return "a real server of " + e.V + " is back" + fallbackWords(e.Fallback, " is not needed any more") + reason + e.appendedCause()
	case Damped:
		return "real server " + e.R + " is damped " + e.Reason
	case Waiting:
		return "real server " + e.R + " waits for enable" + reason
	case DampingOver:
		return "damping of real server " + e.R + " is over" + reason
	case QuorumLost:
		return "the quorum of " + e.V + " is lost" + reason
	case QuorumRegained:
		return "the quorum of " + e.V + " is met again" + reason
	case BackupNeeded:
		return "the backup servers of " + e.V + " are needed" + reason
	case BackupIdle:
		return "the backup servers of " + e.V + " are not needed any more" + reason
	case SelfDrained:
		return "real server " + e.R + " is " + e.Reason
	case SelfDrainOver:
		return "self-drain of real server " + e.R + " is over" + reason
	case DrainedDown:
		return "real server " + e.R + " is down after its self-drain" + reason
	case Started:
		return e.Phase + ": " + e.Reason
	case DaemonStarted:
		return "ldirectord started" + reason
	case DaemonStopped:
		return "ldirectord stopped" + reason
	case SoftFailure:
		return e.softFailure() + reason
	}
	return e.String()
}

func fallbackWords(fallback, what string) string {
	if fallback == "" {
		return ""
	}
	return ", fallback " + fallback + what
}

// server is the real or backup server.
func (e Event) server() string {
	if e.Real != nil && e.Real.Backup {
		return "backup server " + e.R
	}
	return "real server " + e.R
}

var kindWords = [...]string{
	VirtualAdded: "virtual added", VirtualChanged: "virtual changed", VirtualPurged: "virtual purged",
	RealAdded: "added", RealRestored: "restored", RealQuiesced: "quiesced", RealReaddQuiesced: "quiesced",
	RealDeleted: "deleted", RealPurged: "purged", FallbackAdded: "fallback added", FallbackDeleted: "fallback deleted",
	SoftFailure: "soft failure", SoftReset: "soft failure over", Refused: "refused", Repaired: "repaired",
	Differs: "differs", Kept: "kept", Expiring: "certificate", NotAsked: "not asked", Ordered: "ordered",
	Gone: "gone", Back: "back", AllGone: "all gone", AnyBack: "any back", Started: "started", StillGone: "still gone",
	Damped: "damped", DampingOver: "damping over", Waiting: "waiting", DaemonStarted: "daemon started", DaemonStopped: "daemon stopped",
	SelfDrained: "self-drained", SelfDrainOver: "self-drain over", DrainedDown: "drained down",
	FirstUp: "first up", FirstDown: "first down", Maintained: "maintained", FallbackOn: "fallback on", FallbackOff: "fallback off",
	QuorumLost: "quorum lost", QuorumRegained: "quorum regained", QuorumMet: "quorum met", QuorumOver: "quorum over", BackupNeeded: "backup in", BackupIdle: "backup out",
}

// String returns the kind in a word or two.
func (k Kind) String() string {
	if int(k) < len(kindWords) {
		return kindWords[k]
	}
	return "unknown"
}

// ShortID returns the name within the ID of a virtual service: "10.0.0.1:80" of
// "tcp:10.0.0.1:80".
func ShortID(id string) string {
	_, name, _ := strings.Cut(id, ":")
	return name
}
