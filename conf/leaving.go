package conf

import "time"

// Leaving is what follows when its checks take a real server out of service.
type Leaving struct {
	QuiescentTime time.Duration // it has weight 0 for so long, and then leaves the table; 0 is no such time
	ByHand        bool          // it stays out until an operator's enable
}

// Quiesces reports whether real servers out of service stay in the table with weight 0, for a while
// at least: quiescenttime implies quiescent.
func (v *VirtualService) Quiesces() bool { return v.Quiescent || v.QuiescentTime > 0 }

// adviseLeaving warns of directives of a block about real servers that leave that do not fit together.
func adviseLeaving(p *parser, b *block) {
	v := b.v
	adviseNeverIn(p, b)
	if at := b.lines["quiescent"]; at != 0 && !v.Quiescent && v.QuiescentTime > 0 {
		p.advise(at, CodeUnusedDirective, "quiescent = no has no effect with quiescenttime: "+v.ID(), "quiescenttime = none, or leave quiescent out")
	}
	switch {
	case !v.ByHand, b.mistaken, p.mistaken: // the line with the mistake may be the fallback
	case v.CheckType == CheckOn && len(v.AlsoCheck) == 0 && len(v.InPlace) == 0:
		p.advise(max(v.Line, b.lines["return"]), CodeUnusedDirective, "return = byhand has no effect with checktype = on, by which no real server leaves: "+v.ID(), "")
	case v.Fallback == nil && v.MinAlive == Portion{}:
		p.advise(max(v.Line, b.lines["return"]), CodeNothingServes, "return = byhand without a fallback: when all real servers have left, none serves until an operator's enable: "+v.ID(),
			"fallback = ADDRESS:PORT, or minalive = 1")
	}
}
