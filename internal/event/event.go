// Package event has the events of a director: one value for each thing that
// happened. Log lines, the monitor log, mails, counters and the history render them.
package event

import (
	"fmt"
	"time"

	"github.com/ldirectord/ldirectord/conf"
)

// Kind is what happened.
type Kind uint8

// The kinds of Event. The lines are those of the original daemon, so that
// scripts that search its log keep working.
const (
	VirtualAdded      Kind = iota // Added virtual server: V
	VirtualChanged                // Changed virtual server: V
	VirtualPurged                 // Purged virtual server (start|stop): V
	RealAdded                     // Added real server: R (V) (Weight set to W)
	RealRestored                  // Restored real server: R (V) (Weight set to W)
	RealQuiesced                  // Quiescent real server: R (V) (Weight set to 0)
	RealReaddQuiesced             // Readd Quiescent real server: R (V) (Weight set to 0)
	RealDeleted                   // Deleted real server: R (V)
	RealPurged                    // Purged real server (start|stop): R (V)
	FallbackAdded                 // Added fallback server: F (V) (Weight set to 1)
	FallbackDeleted               // Deleted fallback server: F (V)
	SoftFailure                   // Soft failure real server: R (ID) failure N/M; of several checks: (Reason)
	SoftReset                     // Resetting soft failure count: R (ID); of several checks: (Reason)
	Refused                       // the kernel refused a change: Err says which and why
	Repaired                      // an external change is undone
	Differs                       // the table differs and is left as it is, logged once
	Expiring                      // a real server's certificate ends soon, logged once a day
	Kept                          // a real server stays in although its checks fail (minalive)
	NotAsked                      // a check could not be made, for a reason on our side
	Ordered                       // an operator ordered something, or its time is over

	// What the monitor log and the notifications are about. They have no line
	// in ldirectord.log.
	Gone    // the verdict on a real server became down
	Back    // the verdict on a real server became up
	AllGone // the last real server of a virtual service is gone
	AnyBack // the first real server of a virtual service is back
	Started // the first checks of a virtual service's real servers have ended: Phase: Reason
	// StillGone is a real server whose first check after maintenance has failed.
	StillGone

	Damped      // flapdamping keeps a real server out of service: Reason says until when, and why
	DampingOver // it does not any more: Reason

	Waiting // a real server that left by its checks stays out until an operator's enable (return = byhand): Reason says what its checks say now

	QuorumLost     // too few servers of a virtual service are up: Reason
	QuorumRegained // enough are again: Reason
	BackupNeeded   // too few real servers of a virtual service are up, and its backup servers are needed: Reason
	BackupIdle     // enough are up again: Reason
	SelfDrained    // the own answer of a real server wants no new connections: Reason says it
	SelfDrainOver  // it answers normally again, and is back in service: Reason
	DrainedDown    // a real server is down after its own answer has drained it: Reason

	// What only the history has.
	DaemonStarted // the daemon has read the table: Reason
	DaemonStopped // the daemon ends in good order: Reason

	// What is no news: the original sends mails and runs fallbackcommand for it at a
	// start.
	FirstUp     // the first check of a real server succeeded
	FirstDown   // the first check of a real server failed
	Maintained  // a real server that was down already is in maintenance, which ends its alert
	FallbackOn  // no real server of a virtual service is in service
	FallbackOff // one is
	QuorumMet   // enough servers of a virtual service are up, for the first time
	QuorumOver  // the virtual service leaves the table at a stop, and its quorum was not lost
)

// Silent reports whether events of the kind are no news: they are in no history, and no
// program is notified of them. They start and end mails, commands and alerts.
func (k Kind) Silent() bool { return k >= FirstUp }

// An Event is one thing that happened to one virtual service. Log lines, the
// monitor log, mails, counters and the history are all renderings of it.
type Event struct {
	Time    time.Time
	Seq     uint64 // its number in the history, which grows over restarts too; 0 is in no history
	Kind    Kind
	Virtual *conf.VirtualService // nil for a service that has left the file
	Real    *conf.RealServer     // nil unless it is about a configured real server
	Status  conf.Status          // the daemon's state at that moment

	V        string // the virtual service as it is shown: "10.0.0.1:80", "[fd00::1]:80" or "8"
	R        string // the real server or fallback, "10.1.0.1:80"
	ID       string // the virtual service with its protocol: "tcp:10.0.0.1:80", "fwm:8"
	Mapped   string // the address and port in the kernel, if it is not R
	Weight   int
	Phase    string // "start" or "stop" for Purged; "started" or "reloaded" for Started
	Cause    *Cause // Gone, Back, StillGone, AllGone, AnyBack, Ordered, Repaired, Differs: the cause, nil if unknown; Expiring: the check of several
	Fallback string // AllGone, AnyBack: the fallback server, "" for none

	Failures     int           // SoftFailure: failed checks in a row, of several that one
	FailureCount int           // SoftFailure: how many make it down
	Reason       string        // the check and its result; SoftReset: which check of several, "" for the only one
	Expected     bool          // a change of the table that a real server's own answer, or quiescenttime, has announced: no mail
	Attempts     int           // Gone: attempts until it counted as gone
	Down         time.Duration // Back, AnyBack: how long it was gone; Gone: how long it was up; 0 if unknown
}

// String is the event's line in ldirectord.log, "" if it has none.
func (e Event) String() string {
	r := e.R
	if e.Mapped != "" {
		r = e.Mapped + " mapped from " + e.R
	}
	switch e.Kind {
	case VirtualAdded:
		return "Added virtual server: " + e.V
	case VirtualChanged:
		return "Changed virtual server: " + e.V
	case VirtualPurged:
		return fmt.Sprintf("Purged virtual server (%s): %s", e.Phase, e.V)
	case RealAdded:
		return fmt.Sprintf("Added real server: %s (%s) (Weight set to %d)", r, e.V, e.Weight)
	case RealRestored:
		return fmt.Sprintf("Restored real server: %s (%s) (Weight set to %d)", r, e.V, e.Weight)
	case RealQuiesced:
		return fmt.Sprintf("Quiescent real server: %s (%s) (Weight set to %d)", r, e.V, e.Weight)
	case RealReaddQuiesced:
		return fmt.Sprintf("Readd Quiescent real server: %s (%s) (Weight set to %d)", r, e.V, e.Weight)
	case RealDeleted:
		return fmt.Sprintf("Deleted real server: %s (%s)", r, e.V)
	case RealPurged:
		return fmt.Sprintf("Purged real server (%s): %s (%s)", e.Phase, r, e.V)
	case FallbackAdded:
		return fmt.Sprintf("Added fallback server: %s (%s) (Weight set to %d)", r, e.V, e.Weight)
	case FallbackDeleted:
		return fmt.Sprintf("Deleted fallback server: %s (%s)", r, e.V)
	case SoftFailure:
		line := e.softFailure()
		if e.Virtual != nil && e.Virtual.ManyChecks() { // which one failed; of a single one the original says no more
			line += " (" + e.Reason + ")"
		}
		return line
	case SoftReset:
		line := fmt.Sprintf("Resetting soft failure count: %s (%s)", e.R, e.ID)
		if e.Reason != "" {
			line += " (" + e.Reason + ")"
		}
		return line
	case Refused:
		return "Refused by the kernel: " + e.Reason
	case Repaired:
		return "Repaired: " + e.Reason
	case Differs:
		return "Left as it is: " + e.Reason
	case Expiring:
		return "Warning: " + e.Reason
	case Ordered:
		return fmt.Sprintf("Ordered for real server: %s (%s): %s", e.R, e.ID, e.Reason)
	case Kept:
		return fmt.Sprintf("Kept real server: %s (%s) although its checks fail: minalive is %s", e.R, e.V, e.Reason)
	case Damped:
		return fmt.Sprintf("Damped real server: %s (%s) %s", e.R, e.ID, e.Reason)
	case Waiting:
		return fmt.Sprintf("Real server waits for enable: %s (%s): %s", e.R, e.ID, e.Reason)
	case DampingOver:
		return fmt.Sprintf("Damping is over of real server: %s (%s): %s", e.R, e.ID, e.Reason)
	case QuorumLost:
		return fmt.Sprintf("Quorum lost of virtual server: %s: %s", e.V, e.Reason)
	case QuorumRegained:
		return fmt.Sprintf("Quorum regained of virtual server: %s: %s", e.V, e.Reason)
	case BackupNeeded:
		return fmt.Sprintf("Backup servers needed by virtual server: %s: %s", e.V, e.Reason)
	case BackupIdle:
		return fmt.Sprintf("Backup servers not needed by virtual server: %s: %s", e.V, e.Reason)
	case SelfDrained:
		return fmt.Sprintf("Self-drained real server: %s (%s): %s", e.R, e.ID, e.Reason)
	case SelfDrainOver:
		return fmt.Sprintf("Self-drain is over of real server: %s (%s): %s", e.R, e.ID, e.Reason)
	case DrainedDown:
		return fmt.Sprintf("Down after its self-drain, real server: %s (%s): %s", e.R, e.ID, e.Reason)
	case NotAsked:
		return fmt.Sprintf("Could not check real server: %s (%s): %s", e.R, e.ID, e.Reason)
	}
	return ""
}

// softFailure is the line of the original for a failed check that changes no verdict.
func (e Event) softFailure() string {
	return fmt.Sprintf("Soft failure real server: %s (%s) failure %d/%d", e.R, e.ID, e.Failures, e.FailureCount)
}

// A Checked is the result of one check for one virtual service, for its monitor file.
type Checked struct {
	Time    time.Time
	Virtual *conf.VirtualService
	Real    *conf.RealServer
	Up      bool
	Message string // what the checker said of the answer, "" is none
	Err     error  // why it is down
}
