package director

import (
	"time"

	"ldirectord/checker"
	"ldirectord/conf"
)

// slowSteps is in how many steps a weight climbs after a real server has come
// back (slowstart).
const slowSteps = 10

// startSlowly lets a real server that came back begin with a part of its
// weight.
func (r *real) startSlowly() {
	r.percent = 100
	if r.virtual.conf.SlowStart > 0 {
		r.climbing, r.percent = true, 100/slowSteps
	}
}

// climb raises the weights of those that came back slowly, by the time they
// have been back.
func (d *Director) climb(now time.Time) {
	for _, v := range d.virtuals {
		if v.conf.SlowStart == 0 {
			continue
		}
		for _, r := range v.reals {
			if percent := r.climbed(now); r.climbing && percent != r.percent {
				r.percent, r.climbing = percent, percent < 100
				d.touch(v)
			}
		}
	}
}

// climbed is the part of its weight that a real server has earned, in percent.
func (r *real) climbed(now time.Time) uint16 {
	done := int(int64(now.Sub(r.since)) * slowSteps / int64(r.virtual.conf.SlowStart))
	return uint16(min(100, (done+1)*100/slowSteps))
}

// heed takes over what an agent says besides that it lives: a part of the
// weight, or that it wants no new connections.
func (d *Director) heed(r *real, res *result) {
	if r.virtual.conf.CheckType != conf.CheckAgent {
		return
	}
	reply, err := checker.ParseAgent(res.Detail)
	if err != nil {
		return // the check has judged it already
	}
	if percent := uint16(reply.Weight); percent != r.percent {
		r.percent = percent
		d.touch(r.virtual)
	}
}
