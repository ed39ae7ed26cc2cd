package director

import (
	"math"
	"math/bits"
	"slices"
	"time"
)

// How much is remembered of each check.
const (
	keptResults   = 6
	keptLatencies = 40
)

// An outcome is what is remembered of one result.
type outcome struct {
	at             int64    // Unix nanoseconds
	finding        *finding // nil: it was good, and that is all
	took           uint32   // microseconds
	attempts       uint16
	local, connect bool
}

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
	results     [keptResults]outcome // a ring: the next one goes to count % keptResults
	latencies   [keptLatencies]latency
	count       uint64        // results ever
	down, local uint32        // of these
	took        time.Duration // of all that were no fault of ours
	buckets     [len(latencyBounds) + 1]uint32
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

// latencyBounds are the upper bounds of a past's buckets.
var latencyBounds = [...]time.Duration{
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond,
	50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second,
}

// add takes up one result.
func (p *past) add(res *result) {
	took := uint32(min(max(res.Took.Microseconds(), 0), math.MaxUint32))
	p.results[p.count%keptResults] = outcome{
		at: res.at.UnixNano(), finding: p.find(res), took: took,
		attempts: uint16(min(res.Attempts, math.MaxUint16)), local: res.Local, connect: res.asked != res.check.ask,
	}
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
	bucket, _ := slices.BinarySearch(latencyBounds[:], res.Took)
	p.buckets[bucket]++
}

// find is the finding of a result, if possible that of the one before or of
// another check in the same manner: most servers that are up say the same.
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
	return p.results[(p.count-1)%keptResults], true
}

// outcomes are those remembered, from the newest on.
func (p *past) outcomes() []outcome {
	n := min(p.count, keptResults)
	list := make([]outcome, 0, n)
	for i := range n {
		list = append(list, p.results[(p.count-1-i)%keptResults])
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
func (o outcome) time() time.Time { return time.Unix(0, o.at) }

// duration is how long it took, whole microseconds.
func (o outcome) duration() time.Duration { return time.Duration(o.took) * time.Microsecond }

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
