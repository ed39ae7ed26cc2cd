// Package record remembers the results of a check and the transitions of a real
// server. All of it is bounded, as there are tens of thousands. Each value is for
// one goroutine.
package record

import (
	"math"
	"math/bits"
	"slices"
	"time"

	"github.com/ldirectord/ldirectord/internal/engine"

	"github.com/ldirectord/ldirectord/internal/report"
)

// The bounds of a Log.
const (
	keptResults   = 6
	keptLatencies = 30
)

// An Outcome is one remembered result.
type Outcome struct {
	entry
	finding *finding // nil: it was good, without a detail
}

// An entry is an outcome without its words.
type entry struct {
	at       int64  // Unix nanoseconds
	took     uint32 // microseconds
	attempts uint16
	traits   traits
}

// traits are properties of an outcome.
type traits uint8

const (
	wasLocal   traits = 1 << iota // could not be made, for a reason on our side
	wasConnect                    // a connect in place of the whole check
	saidUsual                     // its finding is the log's usual one
	saidOther                     // its finding is one of the log's others
)

// A finding has the words of an outcome. Good outcomes with the same words share one.
type finding struct {
	err      error
	detail   string
	exchange *exchange // nil if nothing was kept
}

// good reports whether f is good, with this detail and no exchange.
func (f *finding) good(detail string) bool {
	return f != nil && f.err == nil && f.exchange == nil && f.detail == detail
}

// An exchange has the first sent and received bytes.
type exchange struct{ sent, received []byte }

// A Log has the last results of one check, and counts all of them. The zero Log is
// empty.
type Log struct {
	results     [keptResults]entry // a ring: the next one goes to count % keptResults
	usual       *finding
	others      *[keptResults]*finding // by the place of the result, nil is none
	took        time.Duration          // of all that were not local
	count       uint32                 // results ever: enough for a century of seconds
	down, local uint32                 // of these
	latencies   [keptLatencies]latency
	buckets     [report.LatencyBuckets]uint32
}

// A latency is a duration in microseconds: eleven digits of a binary number and
// how many zeros follow: exact up to two milliseconds, and then to a
// thousandth. It is for drawing.
type latency uint16

func latencyOf(d time.Duration) latency {
	n := uint64(max(d.Microseconds(), 1))
	zeros := max(0, bits.Len64(n)-11)
	if zeros > 31 {
		return math.MaxUint16
	}
	return latency(zeros<<11) | latency(n>>zeros)
}

func (l latency) duration() time.Duration {
	return time.Duration(l&(1<<11-1)) << (l >> 11) * time.Microsecond
}

// latencyBounds are the upper bounds of the buckets.
var latencyBounds = report.LatencyBounds()

// A Result is one result of a check.
type Result struct {
	engine.Result
	At      time.Time // when the director received it
	Connect bool      // of a connect in place of the whole check (checktype = N)
}

// A Usual holds the result that most checks of one spec have while their real servers
// are up, so that their logs share it. The zero Usual has none.
type Usual struct{ finding *finding }

// Add adds a result. usual is shared by the logs of one check spec.
func (l *Log) Add(res *Result, usual *Usual) {
	b := entry{
		at: res.At.UnixNano(), took: uint32(min(max(res.Took.Microseconds(), 0), math.MaxUint32)),
		attempts: uint16(min(res.Attempts, math.MaxUint16)),
	}
	if res.Local {
		b.traits |= wasLocal
	}
	if res.Connect {
		b.traits |= wasConnect
	}
	place := l.count % keptResults
	f := l.find(res, usual)
	l.forget(place)
	b.traits |= l.keep(place, f)
	l.results[place] = b
	l.latencies[l.count%keptLatencies] = latencyOf(res.Took)
	l.count++
	if res.Local {
		l.local++
		return
	}
	if res.Err != nil {
		l.down++
	}
	l.took += res.Took
	bucket, _ := slices.BinarySearch(latencyBounds, res.Took)
	l.buckets[bucket]++
}

// forget makes room for a result.
func (l *Log) forget(place uint32) {
	l.results[place] = entry{}
	if l.others == nil {
		return
	}
	l.others[place] = nil
	if !l.has(saidOther) {
		l.others = nil
	}
}

// keep keeps the finding of the result that goes to place, and returns where.
func (l *Log) keep(place uint32, f *finding) traits {
	switch {
	case f == nil:
		return 0
	case f == l.usual:
		return saidUsual
	case f.good(f.detail) && !l.has(saidUsual):
		l.usual = f
		return saidUsual
	}
	if l.others == nil {
		l.others = new([keptResults]*finding)
	}
	l.others[place] = f
	return saidOther
}

// has reports whether a remembered result has a trait.
func (l *Log) has(t traits) bool {
	for i := range l.results {
		if l.results[i].traits&t != 0 {
			return true
		}
	}
	return false
}

// outcome returns the nth result.
func (l *Log) outcome(n uint32) Outcome {
	place := n % keptResults
	o := Outcome{entry: l.results[place]}
	switch {
	case o.traits&saidUsual != 0:
		o.finding = l.usual
	case o.traits&saidOther != 0:
		o.finding = l.others[place]
	}
	return o
}

// find returns the finding of a result, if possible that of the result before or of
// another check of the same spec: most servers that are up return the same.
func (l *Log) find(res *Result, usual *Usual) *finding {
	if res.Err != nil || len(res.Sent) > 0 || len(res.Received) > 0 {
		f := &finding{err: res.Err, detail: res.Detail}
		if len(res.Sent) > 0 || len(res.Received) > 0 {
			f.exchange = &exchange{res.Sent, res.Received}
		}
		return f
	}
	if res.Detail == "" {
		return nil
	}
	if last, _ := l.Last(); last.finding.good(res.Detail) {
		return last.finding
	}
	if !usual.finding.good(res.Detail) {
		usual.finding = &finding{detail: res.Detail}
	}
	return usual.finding
}

// Last returns the newest outcome. It is false if there is none.
func (l *Log) Last() (Outcome, bool) {
	if l.count == 0 {
		return Outcome{}, false
	}
	return l.outcome(l.count - 1), true
}

// Outcomes returns the remembered results, the newest first.
func (l *Log) Outcomes() []Outcome {
	n := min(l.count, keptResults)
	list := make([]Outcome, 0, n)
	for i := range n {
		list = append(list, l.outcome(l.count-1-i))
	}
	return list
}

// Latencies returns the last latencies, the oldest first.
func (l *Log) Latencies() []time.Duration {
	n := min(l.count, keptLatencies)
	list := make([]time.Duration, 0, n)
	for i := l.count - n; i < l.count; i++ {
		list = append(list, l.latencies[i%keptLatencies].duration())
	}
	return list
}

// Time returns when the director received the result.
func (b entry) Time() time.Time { return time.Unix(0, b.at) }

// Took returns the duration of the check in whole microseconds.
func (b entry) Took() time.Duration { return time.Duration(b.took) * time.Microsecond }

// Err returns why the real server was down or could not be checked, nil if it was up.
func (o Outcome) Err() error {
	if o.finding == nil {
		return nil
	}
	return o.finding.err
}

// Detail is what the checker said of the answer, of a failure too; "" is none.
func (o Outcome) Detail() string {
	if o.finding == nil {
		return ""
	}
	return o.finding.detail
}

// Local reports whether the check could not be made, for a reason on our side.
func (o Outcome) Local() bool { return o.traits&wasLocal != 0 }

// Connect reports whether a connect was made in place of the whole check.
func (o Outcome) Connect() bool { return o.traits&wasConnect != 0 }

// Attempts returns the number of attempts.
func (o Outcome) Attempts() int { return int(o.attempts) }

// Exchange returns the first sent and received bytes, nil if none was kept.
func (o Outcome) Exchange() (sent, received []byte) {
	if o.finding == nil || o.finding.exchange == nil {
		return nil, nil
	}
	return o.finding.exchange.sent, o.finding.exchange.received
}

// Checks counts all results.
func (l *Log) Checks() report.Checks {
	return report.Checks{
		Up: uint64(l.count - l.down - l.local), Down: uint64(l.down), Local: uint64(l.local), Took: report.InSeconds(l.took), Buckets: slices.Clone(l.buckets[:]),
	}
}

// LastFinished returns the newest outcome of a check that could be made. It is false if none
// is remembered.
func (l *Log) LastFinished() (Outcome, bool) {
	for _, o := range l.Outcomes() {
		if !o.Local() {
			return o, true
		}
	}
	return Outcome{}, false
}

// Words returns the result in one line: "ok", the detail or the error.
func (o Outcome) Words() string {
	switch f := o.finding; {
	case f == nil, f.err == nil && f.detail == "":
		return "ok"
	case f.err == nil:
		return f.detail
	default:
		return f.err.Error()
	}
}
