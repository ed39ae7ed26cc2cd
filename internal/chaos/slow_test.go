package chaos

import "time"

// slowLimit is the slowlimit of those services that have one.
const slowLimit = time.Second

// slowStart is the slowstart of those services that have one.
const slowStart = 6 * time.Second

// climbs says whether the real server may not have reached its weight yet.
func (w *world) climbs(p *pair) bool { return time.Since(p.climbed) < slowStart+2*time.Second }

// most is the most that slowstart allows of a weight by now.
func (w *world) most(p *pair, weight int) int {
	if weight == 0 || !w.climbs(p) {
		return weight
	}
	return min(weight, max(1, weight*(10+int(time.Since(p.climbed)*100/slowStart))/100))
}
