package director

import (
	"math"
	"math/bits"
	"slices"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
)

// How much is remembered of each check.
const (
	keptResults   = 6
	keptLatencies = 30
)

// An outcome is what is remembered of one result.
type outcome struct {
	brief
	finding *finding // nil: it was good, and that is all
}

// A brief is an outcome without the words, of which there are tens of
// thousands.
type brief struct {
	at       int64  // Unix nanoseconds
	took     uint32 // microseconds
	attempts uint16
	traits   traits
}

// Traits are what an outcome was like.
type traits uint8

const (
	wasLocal   traits = 1 << iota // our own fault
	wasConnect                    // only a connect was asked for
	saidUsual                     // its finding is the past's usual one
	saidOther                     // its finding is one of the past's others
)

// A finding is what there is to say about an outcome. Those that are good in the
// same words share one.
type finding struct {
	err    error
	detail string
	talk   *talk // nil if nothing was kept
}

// good tells whether f says that an outcome was good, these words and no more.
func (f *finding) good(detail string) bool {
	return f != nil && f.err == nil && f.talk == nil && f.detail == detail
}

// A talk is the beginning of a conversation.
type talk struct{ sent, received []byte }

// A past is what a check has found out so far.
type past struct {
	results     [keptResults]brief // a ring: the next one goes to count % keptResults
	usual       *finding
	others      *[keptResults]*finding // by the place of the result, nil is none
	took        time.Duration          // of all that were no fault of ours
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

// latencyBounds are those of the buckets.
var latencyBounds = report.LatencyBounds()

// add takes up one result.
func (p *past) add(res *result) {
	b := brief{
		at: res.at.UnixNano(), took: uint32(min(max(res.Took.Microseconds(), 0), math.MaxUint32)),
		attempts: uint16(min(res.Attempts, math.MaxUint16)),
	}
	if res.Local {
		b.traits |= wasLocal
	}
	if res.asked != res.check.ask {
		b.traits |= wasConnect
	}
	place := p.count % keptResults
	f := p.find(res)
	p.forget(place)
	b.traits |= p.keep(place, f)
	p.results[place] = b
	p.latencies[p.count%keptLatencies] = latencyOf(res.Took)
	p.count++
	if res.Local {
		p.local++
		return
	}
	if res.Err != nil {
		p.down++
	}
	p.took += res.Took
	bucket, _ := slices.BinarySearch(latencyBounds, res.Took)
	p.buckets[bucket]++
}

// forget makes room for a result.
func (p *past) forget(place uint32) {
	p.results[place] = brief{}
	if p.others == nil {
		return
	}
	p.others[place] = nil
	if !p.has(saidOther) {
		p.others = nil
	}
}

// keep keeps the finding of the result that goes to place, and says where.
func (p *past) keep(place uint32, f *finding) traits {
	switch {
	case f == nil:
		return 0
	case f == p.usual:
		return saidUsual
	case f.good(f.detail) && !p.has(saidUsual):
		p.usual = f
		return saidUsual
	}
	if p.others == nil {
		p.others = new([keptResults]*finding)
	}
	p.others[place] = f
	return saidOther
}

// has says whether a result that is remembered has a trait.
func (p *past) has(t traits) bool {
	for i := range p.results {
		if p.results[i].traits&t != 0 {
			return true
		}
	}
	return false
}

// outcome is that of the nth result.
func (p *past) outcome(n uint32) outcome {
	place := n % keptResults
	o := outcome{brief: p.results[place]}
	switch {
	case o.traits&saidUsual != 0:
		o.finding = p.usual
	case o.traits&saidOther != 0:
		o.finding = p.others[place]
	}
	return o
}

// find is the finding of a result, if possible that of the one before or of
// another check of the same spec: most servers that are up say the same.
func (p *past) find(res *result) *finding {
	if res.Err != nil || len(res.Sent) > 0 || len(res.Received) > 0 {
		f := &finding{err: res.Err, detail: res.Detail}
		if len(res.Sent) > 0 || len(res.Received) > 0 {
			f.talk = &talk{res.Sent, res.Received}
		}
		return f
	}
	if res.Detail == "" {
		return nil
	}
	if last, _ := p.last(); last.finding.good(res.Detail) {
		return last.finding
	}
	k := res.check.kit
	if !k.usual.good(res.Detail) {
		k.usual = &finding{detail: res.Detail}
	}
	return k.usual
}

// last is the newest outcome; it is false if there is none.
func (p *past) last() (outcome, bool) {
	if p.count == 0 {
		return outcome{}, false
	}
	return p.outcome(p.count - 1), true
}

// outcomes are those remembered, from the newest on.
func (p *past) outcomes() []outcome {
	n := min(p.count, keptResults)
	list := make([]outcome, 0, n)
	for i := range n {
		list = append(list, p.outcome(p.count-1-i))
	}
	return list
}

// recent is the latencies remembered, from the oldest on.
func (p *past) recent() []time.Duration {
	n := min(p.count, keptLatencies)
	list := make([]time.Duration, 0, n)
	for i := p.count - n; i < p.count; i++ {
		list = append(list, p.latencies[i%keptLatencies].duration())
	}
	return list
}

// time is when the result came.
func (b brief) time() time.Time { return time.Unix(0, b.at) }

// duration is how long it took, whole microseconds.
func (b brief) duration() time.Duration { return time.Duration(b.took) * time.Microsecond }

// err is why the real server was down or could not be asked, nil if it was up.
func (o outcome) err() error {
	if o.finding == nil {
		return nil
	}
	return o.finding.err
}

// words say in one line what came of a check.
func (o outcome) words() string {
	switch f := o.finding; {
	case f == nil, f.err == nil && f.detail == "":
		return "ok"
	case f.err == nil:
		return f.detail
	default:
		return f.err.Error()
	}
}
