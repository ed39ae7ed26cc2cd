package policy

import (
	"slices"
	"strings"

	"github.com/ldirectord/ldirectord/conf"
)

// A Hazard is a consequence for clients that IPVS sends to a real server of weight
// 0 although other real servers of the virtual service work.
type Hazard struct {
	What string // a phrase that follows the name of the virtual service
	Why  string
	Cure string
}

// ZeroWeight is the reason why a real server has weight 0.
type ZeroWeight uint8

// The values of ZeroWeight.
const (
	Quiesced     ZeroWeight = iota // it is down, and quiescent = yes; or its own answer wants no connections
	DrainedZero                    // an operator ordered it: drain, or weight 0
	DisabledZero                   // an operator disabled it, and quiescent = yes
)

// A hash is a scheduler that chooses by an address and does not replace a real
// server of weight 0, unless it has a flag (kernel: ip_vs_dh.c, ip_vs_sh.c,
// ip_vs_mh.c).
type hash struct {
	flag string // "" is none
	who  string // which clients are refused
}

var hashes = map[string]hash{
	"dh": {"", "all clients of a virtual address that is mapped to it"},
	"sh": {"sh-fallback", "a part of the clients"},
	"mh": {"mh-fallback", "its share of the clients"},
}

// hazardsOfHash are those of the scheduler. Known persistent clients are not
// scheduled, all others are.
func hazardsOfHash(v *conf.VirtualService, why ZeroWeight) []Hazard {
	h, ok := hashes[v.Scheduler]
	if !ok {
		return nil
	}
	flags := strings.Split(v.SchedFlags, ",")
	if h.flag != "" && (slices.Contains(flags, h.flag) || slices.Contains(flags, "flag-1")) {
		return nil
	}
	cure := "quiescent = no"
	switch {
	case why == DrainedZero && v.Quiesces():
		cure = "quiescent = no, and disable takes it out instead"
	case why == DrainedZero:
		cure = "disable takes it out instead"
	case !v.Quiesces() && v.CheckType == conf.CheckAgent:
		cure = "an agent that says down in place of drain or 0%"
	case !v.Quiesces() && (v.CheckType == conf.CheckExternal || v.CheckType == conf.CheckExternalPerl):
		cure = "a command that ends with 1 in place of 2"
	case !v.Quiesces():
		cure = "another scheduler, or an answer that fails in place of one that drains"
	}
	if h.flag != "" {
		cure = "schedflags = " + h.flag + ", or " + cure
	}
	return []Hazard{{
		What: v.Scheduler + " refuses " + h.who + " while a real server has weight 0",
		Why:  "the scheduler chooses by address, and looks for no other real server",
		Cure: cure,
	}}
}

// ZeroWeightHazards are those of v's real servers when one of them has weight 0.
// setting returns a kernel parameter of this host below net/ipv4/vs, "" if it is
// unknown.
func ZeroWeightHazards(v *conf.VirtualService, why ZeroWeight, setting func(name string) string) []Hazard {
	drains := why == Quiesced && v.MayDrain()
	switch {
	case why == DrainedZero:
		return hazardsOfHash(v, why) // existing clients stay, the purpose of drain
	case !v.Quiesces() && !drains:
		return nil
	}
	hazards, at := hazardsOfHash(v, why), "a dead real server"
	if drains && v.Persist && setting("expire_quiescent_template") != "1" {
		hazards = append(hazards, Hazard{
			What: "persistent brings known clients back to a real server that its own answer drains",
			Why:  "at weight 0 it still gets its persistent clients, and does not run out until their time is over",
			Cure: "net.ipv4.vs.expire_quiescent_template = 1 (host director up sets it)",
		})
	}
	if !v.Quiesces() {
		return hazards // existing connections stay, as is the purpose
	}
	if why == DisabledZero {
		at = "a disabled real server"
	}
	if v.Persist && setting("expire_quiescent_template") != "1" {
		hazards = append(hazards, Hazard{
			What: "quiescent and persistent keep clients at " + at,
			Why:  "at weight 0 it still gets its persistent clients, until their time is over" + unlessRemoved(v, why),
			Cure: "net.ipv4.vs.expire_quiescent_template = 1 (host director up sets it); or quiescent = no",
		})
	}
	if v.Protocol == conf.UDP && !v.OPS {
		hazards = append(hazards, Hazard{
			What: "quiescent keeps udp clients that go on sending from one port at " + at,
			Why:  "to the kernel that is one connection, which lasts as long as packets come",
			Cure: "quiescent = no, with net.ipv4.vs.expire_nodest_conn = 1 (host director up sets it); or ops = yes",
		})
	}
	return hazards
}

// unlessRemoved is when v's dead real servers leave the table, "" is never.
func unlessRemoved(v *conf.VirtualService, why ZeroWeight) string {
	if why != Quiesced || v.QuiescentTime == 0 {
		return ""
	}
	return ", or that of quiescenttime (" + v.QuiescentTime.String() + ")"
}
