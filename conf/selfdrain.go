package conf

import "slices"

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
		return v.weighs()
	case CheckNegotiate, CheckCombined:
		return v.HTTPDrain != StatusSet{} && Reads(v.Service, "httpdrain") || v.ReceiveDrain != "" && Reads(v.Service, "receivedrain")
	}
	return false
}
