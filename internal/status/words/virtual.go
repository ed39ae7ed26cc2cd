package words

import "github.com/ldirectord/ldirectord/internal/report"

// VirtualHealth is how a virtual service does.
type VirtualHealth struct {
	Level  Level  // Bad if clients are not served as configured, Notable if a real server is not well
	Reals  int    // configured real servers
	Active uint64 // connections of all its real servers
}

// JudgeVirtual judges one virtual service.
func JudgeVirtual(v *report.VirtualState) VirtualHealth {
	var h Health
	own := h.virtual(v)
	of := VirtualHealth{Level: max(own, min(h.Level, Notable)), Reals: h.Reals}
	for i := range v.Reals {
		of.Active += uint64(v.Reals[i].Active)
	}
	return of
}
