package virtual

import (
	"slices"
	"time"

	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/policy"
)

// A SelfDrain is the state of a real server whose own answer wants no new connections. It
// lasts until a normal answer, also while the real server is down in between.
type SelfDrain struct {
	Since     time.Time
	Answer    string    // the last such answer
	Now       bool      // the last answer was such a one
	Announced bool      // it came while the real server was up: that this goes down is no surprise
	By        []Drainer // the checks that have not answered normally since: each of them has to; with none any check ends it
}

// A Drainer is a check whose last good answer wants no new connections.
type Drainer struct {
	Check  *Check
	Weighs bool // the answer was a weight of 0 (externalweight), over which an order for the weight wins
}

// Add notes that the answer of a check drains.
func (d *SelfDrain) Add(c *Check, weighs bool) {
	d.Answered(c)
	d.By = append(d.By, Drainer{c, weighs})
}

// Answered notes that a check has answered normally. A nil d has nothing to note.
func (d *SelfDrain) Answered(c *Check) {
	if d != nil {
		d.By = slices.DeleteFunc(d.By, func(by Drainer) bool { return by.Check == c })
	}
}

// allWeigh reports whether each answer that drains is a weight.
func (d *SelfDrain) allWeigh() bool {
	return len(d.By) > 0 && !slices.ContainsFunc(d.By, func(by Drainer) bool { return !by.Weighs })
}

// SelfDrain returns the self-drain of r, nil for none.
func (r *Real) SelfDrain() *SelfDrain { return r.Virtual.drains[r] }

func setSelfDrain(r *Real, d *SelfDrain) {
	v := r.Virtual
	switch {
	case d == nil:
		delete(v.drains, r)
		return
	case v.drains == nil:
		v.drains = map[*Real]*SelfDrain{}
	}
	v.drains[r] = d
}

// was reports whether the own answer of the real server has drained it while it was up, and it has
// not answered normally since. That of nil is false.
func (d *SelfDrain) was() bool { return d != nil && d.Announced }

// words says why the real server gets no new connections while its own answer drains it.
func (d *SelfDrain) words() string {
	if d == nil {
		return "drained by its own answer"
	}
	return "drained by its own answer: " + d.Answer
}

// Drains reports whether r is up, or kept in service by minalive, and its own answer wants no new connections.
func (r *Real) Drains() bool {
	d := r.SelfDrain()
	return d != nil && d.Now && (r.Verdict == policy.Up || r.Kept) && (!d.allWeigh() || !outweighed(r))
}

// A DrainNews is what one result means for a self-drain.
type DrainNews struct {
	Was   bool         // the real server was drained by its own answer before, or went down so
	Event *event.Event // it is now, or no longer; nil is no change
}

// OtherCheck reports whether the self-drain of r is by another one of its checks than c, too.
func (d *SelfDrain) OtherCheck(r *Real, c *Check) bool {
	return d != nil && slices.ContainsFunc(d.By, func(by Drainer) bool { return by.Check != c && slices.Contains(r.Checks, by.Check) })
}

// Outweighed reports whether an order for the weight of r wins over an answer with weight 0.
func Outweighed(r *Real, res *engine.Result) bool { return res.Drains && res.Weighs && outweighed(r) }

// TakeDrain takes in the result of a check of r after its verdict: whether the answer wants no new
// connections, or whether there was no good one.
func TakeDrain(r *Real, drains, failed bool, answer string, now time.Time) (news DrainNews) {
	d, up := r.SelfDrain(), r.Verdict == policy.Up || r.Kept
	news.Was = r.SelfDrain().was()
	switch {
	case failed, d == nil && !drains: // another check may bring it up before a normal answer, also one that a reload adds
	case !up && !drains && news.Was:
		d.Now = false
	case drains:
		if d == nil {
			d = &SelfDrain{Since: now}
			setSelfDrain(r, d)
		}
		d.Answer, d.Now = answer, true
		if up {
			news.Event = d.announce(r, now)
		}
	default:
		if setSelfDrain(r, nil); news.Was {
			e := r.Event(event.SelfDrainOver)
			e.Reason = "it answers normally again"
			e.Cause = &event.Cause{Kind: event.CauseSelfDrain, Detail: e.Reason}
			news.Event = &e
		}
	}
	return news
}

// announce is the event of a self-drain of r, which is up, nil if that was reported already.
func (d *SelfDrain) announce(r *Real, now time.Time) *event.Event {
	if d.Announced {
		return nil
	}
	d.Since, d.Announced = now, true
	e := r.Event(event.SelfDrained)
	e.Reason = d.words()
	e.Cause = &event.Cause{Kind: event.CauseSelfDrain, Detail: e.Reason}
	return &e
}

// StillDrains is the news of a result that changes nothing about a self-drain of r. It has to be reported if another
// check drained r while it was down, and this one lets it be up.
func StillDrains(r *Real, now time.Time) (news DrainNews) {
	d := r.SelfDrain()
	if news.Was = d.was(); r.Drains() {
		news.Event = d.announce(r, now)
	}
	return news
}

// Beside returns the events of a changed verdict on r beside a self-drain: e, unless the drain has
// announced it, and what the answer has brought.
func (drain DrainNews) Beside(r *Real, e event.Event) (news []event.Event) {
	switch {
	case drain.Was && r.Verdict == policy.Down:
		e.Kind = event.DrainedDown
	case drain.Was && r.Drains(): // neither gone nor back, and drained as before
		return nil
	case drain.Was && drain.Event != nil:
		drain.Event.Down = e.Down
		return []event.Event{*drain.Event}
	}
	if news = []event.Event{e}; drain.Event != nil {
		news = append(news, *drain.Event)
	}
	return news
}

// Expects reports whether a change of the destination of r in v follows from its own answer, or from the
// end of quiescenttime, so that it needs no mail.
func Expects(v *Service, r *Real) bool {
	over := func(e event.Event) bool { return e.Kind == event.SelfDrainOver && e.Real == r.Conf }
	return r.SelfDrain().was() || expired(r) || slices.ContainsFunc(v.News, over)
}
