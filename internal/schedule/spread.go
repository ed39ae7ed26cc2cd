package schedule

import (
	"math"
	"time"
)

const (
	// atOnce is how many jobs may await their first start and still get it
	// without delay: a small configuration is checked at once.
	atOnce = 200
	// headStart is how much earlier than an interval after Add the last of many
	// jobs get their first start. The process takes about as long before Add, so
	// that all have been started an interval after its own start. A fifth of the
	// interval is the most.
	headStart = 200 * time.Millisecond
	// smallBatch is how many jobs may start together for the sake of fewer wake-ups,
	// however few there are.
	smallBatch = 16
	// largeBatch is how many may start together if they have a tenth of a second
	// between them. With a thousand checks a second, half as many wake-ups save a
	// seventh of the CPU.
	largeBatch = 128
)

// A spread gives jobs their phases and first starts, so that the starts are spread
// over time. The Schedule's mutex guards it.
type spread struct {
	tick time.Duration
	rate float64 // first starts a second, 0 is any number

	placed   uint64        // jobs ever placed, which determines the next phase
	hourly   int64         // regular starts in an hour
	waiting  int           // jobs that await their first start
	reserved time.Duration // until this time rate is used up by first starts
}

// place gives a new job its phase and returns the time of its first start. hourly
// and together are the regular starts in an hour and the number of jobs once all
// jobs of the same call of Add are placed: the first of 10,000 jobs is not alone.
func (p *spread) place(j *Job, now time.Duration, hourly int64, together int) (start time.Duration) {
	p.waiting++
	p.hourly += j.hourly()
	// Multiples of the golden ratio spread evenly for any number of jobs, and
	// separate neighbours in the file, which are often on the same server.
	_, part := math.Modf(float64(p.placed) * math.Phi)
	p.placed++
	spread := time.Duration(part * float64(j.Interval))
	phase := spread.Truncate(p.grid(j.Interval, hourly))
	start = now
	switch {
	case p.rate > 0:
		start = max(now, p.reserved)
		p.reserved = start + time.Duration(float64(time.Second)/p.rate)
	case max(p.waiting, together) > atOnce:
		// The second round begins when the first one is over.
		round := j.Interval - min(headStart, j.Interval/5)
		wait := untilPhase(now+round, spread, j.Interval)
		start += time.Duration(float64(wait) * float64(round) / float64(j.Interval))
	}
	j.due = start + untilPhase(start, phase, j.Interval)
	return start
}

// started records the first start of a job.
func (p *spread) started() { p.waiting-- }

// remove subtracts a job.
func (p *spread) remove(j *Job) {
	if j.first {
		p.waiting--
	}
	p.hourly -= j.hourly()
}

// setInterval changes a job's interval and keeps the sum of regular starts.
func (p *spread) setInterval(j *Job, interval time.Duration) {
	p.hourly -= j.hourly()
	j.Interval = interval
	p.hourly += j.hourly()
}

// grid returns the time between two of the ticks that have regular starts. It is
// the longest that starts no more than one batch together, up to the heartbeat.
// The interval and the heartbeat are multiples of it, so that jobs with different
// intervals share ticks. It is 0 if there is no such time, or if every tick has a
// batch: a small one, or the starts of a tenth of a second up to a large one.
// hourly is the number of regular starts in an hour.
func (p *spread) grid(interval time.Duration, hourly int64) time.Duration {
	each := hourly * int64(heartbeat) / int64(time.Hour) // heartbeat
	batch := max(smallBatch, min((each+9)/10, largeBatch))
	for n := time.Duration(max(1, (each+batch-1)/batch)); n < heartbeat/p.tick; n++ {
		if g := heartbeat / n; heartbeat%n == 0 && g%p.tick == 0 && interval%g == 0 {
			return g
		}
	}
	return 0
}

// untilPhase returns the time from t to the first regular start of a job with
// this phase.
func untilPhase(t, phase, interval time.Duration) time.Duration {
	return (interval - (t-phase)%interval) % interval
}

// hourly returns the number of regular starts of j in an hour.
func (j *Job) hourly() int64 { return int64(time.Hour / j.Interval) }
