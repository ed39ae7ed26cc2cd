// Package report has the values that readers and operators exchange with a
// director: snapshots, notes of events, reasons, orders and overrides. Their JSON is
// the API of internal/status.
package report

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/ldirectord/ldirectord/internal/maintenance"
	"github.com/ldirectord/ldirectord/ipvs"
)

// A Snapshot is all that a director knows at one moment. The status command, the
// page, the metrics and the API render it. It shares no memory with the director.
// Readers share it and do not write to it.
type Snapshot struct {
	Time      time.Time      `json:"time"`
	Config    string         `json:"config"`
	DryRun    bool           `json:"dry_run"` // the table is kept in memory, and not in the kernel
	State     string         `json:"state"`   // starting, running, reloading, stopping
	Started   time.Time      `json:"started"`
	Loaded    time.Time      `json:"loaded"` // the configuration
	Ready     bool           `json:"ready"`  // every check has been made once
	Kernel    KernelState    `json:"kernel"`
	Lag       Lag            `json:"lag"`
	Virtuals  []VirtualState `json:"virtuals"`
	Overrides []Override     `json:"unused_overrides"` // of entries in no configuration

	Addresses   []AddressState    `json:"addresses"`             // the virtual addresses, sorted
	Maintenance *MaintenanceState `json:"maintenance,omitempty"` // nil: there is no maintenancedir
	Program     Program           `json:"program"`               // a director leaves it to its caller
	Outside     []Fault           `json:"outside,omitempty"`     // a director leaves it to its caller
	Beside      *Beside           `json:"beside,omitempty"`      // a director leaves it to its caller; nil: there is no syncdaemon and no ipvstimeouts

	Notify []NotifyState `json:"notify,omitempty"` // by virtual address; a director leaves it to its caller; nil: notify = always
}

// A NotifyState is whether mails and hooks for a virtual address are sent from this host
// (notify = active).
type NotifyState struct {
	Address netip.Addr `json:"address"`
	Active  bool       `json:"active"`          // the address is on this host; true also with an error
	Since   time.Time  `json:"since"`           // of Active, as this daemon has seen it
	Error   string     `json:"error,omitempty"` // why it is not known whether the address is on this host
}

// A Program is what differs between directors that should be alike.
type Program struct {
	Version       string `json:"version"`
	Configuration string `json:"configuration"` // the fingerprint of the file, without its secrets and what is each host's own
}

// A Fault is a present fault of something that the daemon depends on: a socket, listener,
// file or name.
type Fault struct {
	What  string    `json:"what"`
	Error string    `json:"error"`
	Since time.Time `json:"since"`

	Logged bool `json:"-"` // by its own lines
}

// Same reports whether both are faults of the same thing, whatever their time and error.
func (f Fault) Same(o Fault) bool { return f.What == o.What }

// String returns the fault in one line.
func (f Fault) String() string { return f.What + ": " + f.Error }

// MaintenanceState is the state of the maintenance directory.
type MaintenanceState = maintenance.State

// KernelState is the state of the kernel's table.
type KernelState struct {
	Error   string            `json:"error,omitempty"` // why it cannot be read, "" if it can
	Changes map[string]uint64 `json:"changes"`         // made since the start, by ipvsadm's option
	Refused map[string]uint64 `json:"refused"`
	Repairs uint64            `json:"repairs"` // external changes that were undone
}

// Lag is how far the checks are behind their plan.
type Lag struct {
	Checks  int     `json:"checks"`  // distinct ones
	Running int     `json:"running"` // at this moment
	Overdue int     `json:"overdue"` // should have begun and have not
	Worst   Seconds `json:"worst_seconds"`
	Silent  Seconds `json:"silent_seconds"` // since the schedule last came round
	Unheard int     `json:"unheard"`        // have not answered since the start or reload
	// Turn is the longest time that the director spent on one thing without reading
	// results, in the last 30 to 60 s.
	Turn Seconds `json:"turn_seconds"`
}

// Seconds is a duration, in JSON a number of seconds.
type Seconds float64

// InSeconds returns d in seconds.
func InSeconds(d time.Duration) Seconds { return Seconds(d.Seconds()) }

// Duration returns s as a time.Duration.
func (s Seconds) Duration() time.Duration { return time.Duration(float64(s) * float64(time.Second)) }

// A VirtualState is one virtual service: a configured one, or a foreign one in
// the kernel's table.
type VirtualState struct {
	ID          string      `json:"id"`     // "tcp:10.0.0.1:80"
	Name        string      `json:"name"`   // "10.0.0.1:80"
	Listed      string      `json:"listed"` // as "ipvsadm -L -n" shows it
	Kernel      string      `json:"kernel"` // the key as "ipvsadm -L -n" shows it
	ServiceName string      `json:"service_name,omitempty"`
	Written     string      `json:"-"`                 // in the file
	Foreign     bool        `json:"foreign,omitempty"` // not ours
	Present     bool        `json:"present"`           // in the kernel
	Served      bool        `json:"served"`            // its quorum is met, or the fallback serves
	Waits       bool        `json:"waits,omitempty"`   // it will be served after announcedelay
	Check       string      `json:"check,omitempty"`   // its service: "http"
	In          int         `json:"in"`                // real servers that get connections
	Fallback    string      `json:"fallback,omitempty"`
	FallbackIn  bool        `json:"fallback_in"`
	Quorum      *Quorum     `json:"quorum,omitempty"`  // nil: there is none
	Notices     []string    `json:"notices,omitempty"` // what the kernel refused, and what differs there
	Stats       Stats       `json:"stats"`
	Reals       []RealState `json:"reals"`
}

// A Quorum is whether enough servers of a virtual service are up.
type Quorum struct {
	State  QuorumState `json:"state"`
	Up     int         `json:"up"`
	Needed int         `json:"needed"` // for State to be met: after a loss with the hysteresis
}

// QuorumState is the state of a quorum in one word.
type QuorumState string

// The states of a quorum.
const (
	QuorumMet     QuorumState = "met"
	QuorumLost    QuorumState = "lost"
	QuorumUnknown QuorumState = "unknown" // first checks go on that decide
)

// Words returns the state in a few words.
func (q *Quorum) Words() string {
	switch q.State {
	case QuorumMet:
		return fmt.Sprintf("quorum met: %d up, %d needed", q.Up, q.Needed)
	case QuorumLost:
		return fmt.Sprintf("quorum lost: %d up, %d needed", q.Up, q.Needed)
	}
	return "quorum not known yet: first checks go on"
}

// Out are the times of a real server that something keeps out of service, or in the table.
type Out struct {
	WaitingSince   time.Time `json:"waiting_since,omitzero"`   // since when it is out of service until an operator's enable (return = byhand); zero: it is not
	QuiescentUntil time.Time `json:"quiescent_until,omitzero"` // when it has had weight 0 for quiescenttime, and leaves the table; zero: it is not dead, or without
	DampedUntil    time.Time `json:"damped_until,omitzero"`    // when flapdamping lets it in again, whatever else keeps it out; zero: it does already
}

// A RealState is one real server of one virtual service, its fallback, or a foreign
// destination.
type RealState struct {
	RealName
	State State `json:"state"`
	Up    bool  `json:"up"` // the result of the checks, in maintenance too; false also if Unchecked
	// Unchecked says that no check has finished yet, or ever will.
	Unchecked bool `json:"unchecked,omitempty"`
	// InService says that the kernel sends it new connections, and OutReason why
	// not.
	InService bool      `json:"in_service"`
	OutReason OutReason `json:"out_reason,omitempty"`
	Fallback  bool      `json:"fallback,omitempty"`
	Backup    bool      `json:"backup,omitempty"` // in service only while too few real servers are up

	Since        time.Time `json:"since,omitzero"` // of State
	Failures     int       `json:"failures"`       // in a row
	FailureCount int       `json:"failure_count"`
	Out
	SelfDrain   *SelfDrain `json:"self_drain,omitempty"`  // until it answers normally, also while it is down
	Maintenance string     `json:"maintenance,omitempty"` // the file that takes it out
	Override    *Override  `json:"override,omitempty"`
	Last        *Last      `json:"last,omitempty"`
	Difference  string     `json:"difference,omitempty"` // the external change of its destination

	Several
	Destination
	Record
}

// Several are the checks of a real server that has more than one, or another than the own one
// of its virtual service. It is zero for all others.
type Several struct {
	ChecksNeeded int          `json:"checks_needed,omitempty"` // how many of them make it up
	EachCheck    []CheckState `json:"each_check,omitempty"`
}

// A CheckState is one of several checks of a real server.
type CheckState struct {
	Name         string    `json:"name"`               // of its block; of the virtual service's own it is Kind
	Block        string    `json:"block,omitempty"`    // the name of its block, "" for the virtual service's own
	Kind         string    `json:"kind"`               // "http", "connect"
	Beside       bool      `json:"beside,omitempty"`   // it is an agent beside the checks, of which none is needed
	Silent       bool      `json:"silent,omitempty"`   // this agent did not answer when it was asked last: what it said before counts
	Nonsense     bool      `json:"nonsense,omitempty"` // likewise: it answered, in no words of an agent
	State        State     `json:"state"`              // up, down or unchecked
	Since        time.Time `json:"since,omitzero"`     // of State
	Failures     int       `json:"failures"`           // in a row
	FailureCount int       `json:"failure_count"`      // as many make it down
	Interval     Seconds   `json:"interval_seconds"`
	Last         *Last     `json:"last,omitempty"`
	Checks       Checks    `json:"checks"`

	Latencies []time.Duration `json:"-"` // of the last checks, the oldest first
}

// A SelfDrain is the own answer of a real server that wants no new connections.
type SelfDrain struct {
	Since  time.Time `json:"since"`
	Answer string    `json:"answer"` // the last such answer
}

// A RealName is the name of a real server, and where the kernel has it.
type RealName struct {
	Name    string `json:"name"`           // "10.1.0.1:80", as configured
	At      string `json:"at"`             // in the kernel
	Host    string `json:"host,omitempty"` // as written, if it is a name
	Forward string `json:"forward"`        // "Route", as ipvsadm shows it
}

// A Destination is a real server's part of the kernel's table.
type Destination struct {
	Present    bool   `json:"present"`           // in the kernel
	Weight     int    `json:"weight"`            // in the kernel
	Configured int    `json:"configured_weight"` // in the file
	Wanted     int    `json:"wanted_weight"`     // by checks and overrides
	Active     uint32 `json:"active"`
	Inactive   uint32 `json:"inactive"`
	Persistent uint32 `json:"persistent"`
	Stats      Stats  `json:"stats"`
}

// A Record is the past of a real server.
type Record struct {
	Checks          Checks    `json:"checks"`
	Transitions     uint64    `json:"transitions"`
	CertificateEnds time.Time `json:"certificate_ends,omitzero"`

	// Availability is of the last six hours, and follows from Conditions.
	Availability Availability    `json:"availability"`
	Day          DayAvailability `json:"availability_day"`
	Hours        []Hour          `json:"-"` // of the day, before the first of Conditions; the oldest first
	Conditions   []Transition    `json:"-"` // the oldest first
	Latencies    []time.Duration `json:"-"` // of the last checks, the oldest first
}

// State is the state of a real server in one word.
type State string

// The states. The first three are the verdict of the checks. A real server with another
// state has that one, whatever the verdict is.
const (
	StateUp          State = "up"
	StateDown        State = "down"
	StateUnchecked   State = "unchecked" // no check has finished yet
	StateOff         State = "off"       // checktype = off: never checked, never in service
	StateDamped      State = "damped"    // kept out for a while because it has gone down too often (flapdamping)
	StateMaintenance State = "maintenance"
	StateWaiting     State = "waiting"      // up, and out of service until an operator's enable (return = byhand)
	StateSelfDrained State = "self-drained" // up, and its own answer wants no new connections
	StateDrained     State = "drained"
	StateDisabled    State = "disabled"
	StateForeign     State = "foreign"  // not ours
	StateFallback    State = "fallback" // the fallback server
)

// Last is the result of the last check.
type Last struct {
	Time time.Time `json:"time"`
	Took Seconds   `json:"took_seconds"`
	Up   bool      `json:"up"`
	Text string    `json:"text"` // the verdict in words
}

// Checks counts the results of a real server's check.
type Checks struct {
	Up    uint64 `json:"up"`
	Down  uint64 `json:"down"`
	Local uint64 `json:"local"` // could not be made, through a fault on our side

	Took    Seconds  `json:"took_seconds"` // all together
	Buckets []uint32 `json:"-"`            // how many took up to each of LatencyBounds, and longer
}

// Add adds the counts of another check.
func (c *Checks) Add(o Checks) {
	c.Up, c.Down, c.Local, c.Took = c.Up+o.Up, c.Down+o.Down, c.Local+o.Local, c.Took+o.Took
	if c.Buckets == nil {
		c.Buckets = make([]uint32, len(o.Buckets))
	}
	for i, n := range o.Buckets {
		c.Buckets[i] += n
	}
}

// Stats are the kernel's counters.
type Stats = ipvs.Stats
