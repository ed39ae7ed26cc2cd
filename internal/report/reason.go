package report

import "time"

// A Reason is why a real server is in service or out of it, with the results of its
// last checks. Secrets are masked.
type Reason struct {
	Virtual      string       `json:"virtual"` // "tcp:10.0.0.1:80"
	Real         string       `json:"real"`
	Host         string       `json:"host,omitempty"` // the name in the file, "" is none
	State        State        `json:"state"`
	Since        time.Time    `json:"since,omitzero"` // of State
	Code         ReasonCode   `json:"code"`           // the kind of Because
	Because      string       `json:"because"`
	Availability Availability `json:"availability"`
	Interval     Seconds      `json:"interval_seconds"` // from one check to the next, at present; 0 without checks
	Answers      []Answer     `json:"answers"`          // of its last checks, the newest first

	Several
}

// A ReasonCode is a kind of reason, for programs. It keeps its name and its meaning; the
// text beside it may change.
type ReasonCode string

// The kinds of reasons.
const (
	ReasonUp              ReasonCode = "up"               // the last check succeeded
	ReasonFailing         ReasonCode = "failing"          // up, but the last checks failed
	ReasonDown            ReasonCode = "down"             // the checks failed
	ReasonRecovering      ReasonCode = "recovering"       // down, but the last checks succeeded
	ReasonUnchecked       ReasonCode = "unchecked"        // no check has finished yet
	ReasonAsFound         ReasonCode = "as-found"         // likewise, and in service as the kernel had it
	ReasonNotChecked      ReasonCode = "not-checked"      // checktype is on or off
	ReasonDamped          ReasonCode = "damped"           // out of service by flapdamping
	ReasonWaiting         ReasonCode = "waiting"          // up, and out of service until an operator's enable (return = byhand)
	ReasonSelfDrained     ReasonCode = "self-drained"     // up, and its own answer wants no new connections
	ReasonMinAlive        ReasonCode = "minalive"         // down, and in service by minalive
	ReasonQuorum          ReasonCode = "quorum"           // up, and out of service because too few are up, or may be
	ReasonBackup          ReasonCode = "backup"           // up, and out of service because it is a backup server that is not needed
	ReasonOrder           ReasonCode = "order"            // drained or disabled by an operator
	ReasonMaintenance     ReasonCode = "maintenance"      // a file in maintenancedir
	ReasonMaintenanceOver ReasonCode = "maintenance-over" // the file is gone, and the next check decides
)

// An Answer is the result of one check.
type Answer struct {
	Time     time.Time `json:"time"`
	Check    string    `json:"check,omitempty"` // which one of several, see CheckState.Name
	Asked    string    `json:"asked"`
	Up       bool      `json:"up"`
	Local    bool      `json:"local,omitempty"`    // the fault was on our side
	Silent   bool      `json:"silent,omitempty"`   // an agent beside the checks did not answer, or nothing that counts
	Nonsense bool      `json:"nonsense,omitempty"` // of those that are Silent: it answered, in no words of an agent
	Text     string    `json:"text"`
	Attempts int       `json:"attempts"`
	Took     Seconds   `json:"took_seconds"`
	Sent     string    `json:"sent,omitempty"` // the beginnings; of failed checks
	Received string    `json:"received,omitempty"`
}
