package conf

import (
	"cmp"
	"slices"
)

// MayDrain reports whether answers of v's real servers can want no new connections: httpdrain
// or receivedrain of a check that reads it, the words of an agent, or an exit status.
func (v *VirtualService) MayDrain() bool {
	drains := func(n NamedCheck) bool { return n.As.Drains() }
	return v.Drains() || v.Agent() != nil || slices.ContainsFunc(v.AlsoCheck, drains) || slices.ContainsFunc(v.InPlace, drains)
}

// Drains is MayDrain for the own check of v.
func (v *VirtualService) Drains() bool {
	switch v.CheckType {
	case CheckAgent:
		return true
	case CheckExternal, CheckExternalPerl:
		return v.Weighs()
	case CheckNegotiate, CheckCombined:
		return v.HTTPDrain != StatusSet{} && Reads(v.Service, "httpdrain") || v.ReceiveDrain != "" && Reads(v.Service, "receivedrain")
	}
	return false
}

// adviseNeverIn warns of httpdrain that makes each good answer one that drains.
func adviseNeverIn(p *parser, b *block) {
	v := b.v
	if !p.all || v.HTTPDrain == (StatusSet{}) || !v.Drains() || !Reads(v.Service, "httpdrain") {
		return
	}
	good := v.HTTPStatus
	if good == (StatusSet{}) {
		good.add(StatusRange{200, 299})
	}
	for i := range good {
		if good[i]&^v.HTTPDrain[i] != 0 {
			return
		}
	}
	p.advise(cmp.Or(b.lines["httpdrain"], v.Line), CodeNeverUp, "httpdrain has each status of httpstatus: no answer lets a real server in: "+v.ID(), "httpdrain = 404,503, or what the application answers before it leaves")
}
