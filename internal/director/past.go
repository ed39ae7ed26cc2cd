package director

import (
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
	at, took       int64 // Unix nanoseconds, nanoseconds
	err            error
	detail         string
	attempts       int32
	local, connect bool
	talk           *talk // nil if nothing was kept
}

// A talk is the beginning of a conversation.
type talk struct{ sent, received []byte }

// A past is what a check has found out so far.
type past struct {
	results   [keptResults]outcome // a ring: the next one goes to count % keptResults
	latencies [keptLatencies]uint32
	count     uint64 // results ever
	down      uint64 // of these
	local     uint64
	took      time.Duration // of all that were no fault of ours
	buckets   [len(latencyBounds) + 1]uint32
}

// latencyBounds are the upper bounds of a past's buckets.
var latencyBounds = [...]time.Duration{
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond,
	50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second,
}

// add takes up one result.
func (p *past) add(res result) {
	o := outcome{
		at: res.at.UnixNano(), took: int64(res.Took), err: res.Err, detail: res.Detail,
		attempts: int32(res.Attempts), local: res.Local, connect: res.asked != res.check.ask,
	}
	if len(res.Sent) > 0 || len(res.Received) > 0 {
		o.talk = &talk{res.Sent, res.Received}
	}
	p.results[p.count%keptResults] = o
	p.latencies[p.count%keptLatencies] = uint32(min(max(res.Took.Microseconds(), 1), 1<<32-1))
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
		list = append(list, time.Duration(p.latencies[i%keptLatencies])*time.Microsecond)
	}
	return list
}
