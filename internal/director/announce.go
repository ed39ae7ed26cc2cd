package director

import "ldirectord/ipvs"

// announce tells of the real servers of v that nobody has asked yet. The
// original gives each of them its weight and takes it out again at once, and
// those who watch its log know them by these lines. Here the kernel never has
// an unproven real server in; only the lines are the same. last has, by its
// name, the last virtual service's real server: one that several share is
// announced once, as in the original.
func (d *Director) announce(v *virtual, last map[string]*real) {
	if v.invalid != nil {
		return
	}
	for _, r := range v.reals {
		if r.verdict != unproven || last[r.name] != r {
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

// lastByName has the last real server of each name.
func (d *Director) lastByName() map[string]*real {
	last := map[string]*real{}
	for _, v := range d.virtuals {
		for _, r := range v.reals {
			last[r.name] = r
		}
	}
	return last
}
