package director

import (
	"ldirectord/conf"
	"ldirectord/ipvs"
)

// announce tells of the real servers of v that nobody has asked yet. The
// original gives each of them its weight and takes it out again at once, and
// those who watch its log know them by these lines. Here the kernel never has
// an unproven real server in; only the lines are the same. last has the last
// identity of each real server: the original remembers one for each address.
func (d *Director) announce(v *virtual, last map[string]identity) {
	if v.invalid != nil {
		return
	}
	for _, r := range v.reals {
		if r.verdict != unproven || last[r.name] != r.identity() {
			continue
		}
		r.announced = true
		for _, k := range v.beginnings(r, d.conf.ReaddQuiescent) {
			weight := r.dst.Weight
			if k == RealQuiesced {
				weight = 0
			}
			e := realEvent(k, r, step{Change: ipvs.Change{Destination: r.dst}})
			e.Weight = weight
			if k == RealAdded {
				e.Mapped = ""
			}
			d.emit(v, e)
		}
	}
}

// beginnings are the lines for an unproven real server that no change to the
// kernel will write.
func (v *virtual) beginnings(r *real, readd bool) []Kind {
	s, held := v.have.slots[r.dst.AddrPort]
	switch {
	case v.conf.Quiescent && (readd || r.dst.Weight == 0):
		return nil
	case v.conf.Quiescent && held && s.Weight == 0:
		return []Kind{RealRestored, RealQuiesced}
	case v.conf.Quiescent:
		return []Kind{RealAdded}
	case held:
		return []Kind{RealRestored}
	default:
		return []Kind{RealAdded, RealDeleted}
	}
}

// An identity is what tells one real server from another for the original:
// what is asked of it, and how it is to be in the kernel.
type identity struct {
	question question
	weight   int
	forward  conf.Forward
}

func (r *real) identity() identity {
	q, _ := ask(r.virtual.conf, r.conf)
	return identity{q, r.conf.Weight, r.conf.Forward}
}

// lastIdentities has the last identity of each real server in the file.
func (d *Director) lastIdentities() map[string]identity {
	last := map[string]identity{}
	for _, v := range d.virtuals {
		for _, r := range v.reals {
			last[r.name] = r.identity()
		}
	}
	return last
}

// tellsReset says whether a first success after failures is r's to tell: of
// those who share a check the first does, and at the start nobody does.
func (r *real) tellsReset(before tally) bool {
	switch {
	case before.verdict == unproven:
		return r.announced && (r.check == nil || len(r.check.users) == 1)
	case before.failures > 0:
		return r.check == nil || r.check.users[0] == r
	default:
		return false
	}
}
