package policy

import (
	"slices"
	"time"

	"github.com/ldirectord/ldirectord/conf"
)

// dampingBound is how many times the time of flapdamping a real server is kept out at most.
const dampingBound = 16

// A Damping is what flapdamping knows of a real server that has gone down. The zero Damping
// knows nothing.
type Damping struct {
	Downs []time.Time   // when it went down last, the oldest first; not more than count
	Since time.Time     // when the present or last time out of service began; zero is never
	Until time.Time     // when it ends; zero is that it has ended
	Lasts time.Duration // how long it is
}

// LongestDamping returns how long a real server is kept out at most.
func LongestDamping(f conf.FlapDamping) time.Duration { return dampingBound * f.Within }

// Now reports whether the real server is kept out of service.
func (d *Damping) Now() bool { return d != nil && !d.Until.IsZero() }

// Down returns the damping after the checks have made the real server go down. may is whether it
// may begin to be kept out: others are in service. The time grows if it went down within
// the bound of the last time, and begins anew otherwise.
func (d Damping) Down(f conf.FlapDamping, may bool, now time.Time) Damping {
	d.Downs = append(slices.Clone(d.Downs), now)
	d.Downs = d.Downs[max(0, len(d.Downs)-f.Count):]
	if !may || d.Now() || len(d.Downs) < f.Count || now.Sub(d.Downs[0]) > f.Within {
		return d
	}
	bound := LongestDamping(f)
	lasts := f.Within
	if ended := d.Since.Add(d.Lasts); !d.Since.IsZero() && now.Sub(ended) <= bound {
		lasts = min(max(2*d.Lasts, f.Within), bound)
	}
	return Damping{Since: now, Until: now.Add(lasts), Lasts: lasts}
}

// Ended returns the damping after its time, or before it if the real server is needed.
func (d Damping) Ended() Damping {
	d.Until = time.Time{}
	return d
}

// Need returns how many real servers of a virtual service flapdamping leaves in service, if
// there are as many that work.
func Need(v *conf.VirtualService) int {
	n := v.RealCount()
	return max(1, v.MinAlive.Of(n), min(n, v.Quorum.Of(n)))
}
