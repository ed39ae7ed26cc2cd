package director

import (
	"time"

	"github.com/ldirectord/ldirectord/internal/policy"
)

// climb raises the weights of those that came back slowly, by the time they
// have been back.
func (rc *reconciler) climb(now time.Time) {
	for _, v := range rc.virtuals {
		if v.Conf.SlowStart == 0 {
			continue
		}
		for _, r := range v.Reals {
			if r.Reached == 100 || r.Verdict != policy.Up {
				continue
			}
			if reached := policy.Reached(v.Conf.SlowStart, now.Sub(r.Since)); reached != r.Reached {
				r.Reached = reached
				rc.touch(v)
			}
		}
	}
}
