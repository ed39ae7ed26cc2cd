package host

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ldirectord/ldirectord/conf"
)

// virtualAddresses is about where they are and who answers for them. One that another program moves
// between directors is on one of them: here, or at one other machine.
func (c *chart) virtualAddresses(cfg *conf.Config, s Survey, up string) {
	for _, vip := range VIPs(cfg) {
		at, here := s.Addresses[vip]
		rest := c.answeringReals(cfg, vip, s.Strangers[vip])
		mover := moverOf(cfg, vip, s)
		switch {
		case cfg.VIPDevice != "" || mover == "" && cfg.VIPCommand != "" && cfg.HostSetup != conf.HostSetupYes:
			c.announced(cfg, vip, at, here, rest)
		case mover != "":
			c.moved(vip, mover, s, here && at.Dev != "lo", rest)
		case !here && len(rest) > 0 && cfg.HostSetup != conf.HostSetupYes:
			c.add(CodeVIPElsewhere, Warning, fmt.Sprintf("the virtual address %s is on no device, and %s has it", vip, strings.Join(rest, " and ")),
				"this director is a standby, if that is the other director of a pair; else no client reaches it",
				"for a pair: hostsetup = noaddress in "+cfg.Path+" says that another program moves the address")
		case !here && len(rest) > 0:
			c.duplicate(vip, rest, "that machine has to give it up, or hostsetup = noaddress in "+cfg.Path+" if it is the other director of a pair")
		case !here:
			c.add(CodeVIPMissing, Error, fmt.Sprintf("the virtual address %s is on no device", vip), "no host answers for it: clients cannot connect", up)
		default:
			if at.Dev == "lo" {
				c.add(CodeVIPOnLoopback, Warning, fmt.Sprintf("the virtual address %s is on lo", vip),
					"that is how a real server has it; with arp_ignore this host does not answer for it", "ip address delete "+prefixText(vip, at.Bits)+" dev lo; "+up)
			}
			c.duplicate(vip, rest, "if it is a real server, there: ldirectord host realserver up --vip "+vip.String()+"; if it is another director, one of both has to give it up")
		}
	}
}

// moverOf is what moves a virtual address between directors, "" is nothing that is known.
func moverOf(cfg *conf.Config, vip netip.Addr, s Survey) string {
	if file := s.Owned[vip]; file != "" {
		return file
	}
	if cfg.HostSetup == conf.HostSetupNoAddress {
		return "hostsetup = noaddress"
	}
	return ""
}

// announced is about an address that vipdevice or vipcommand announces while it is served: where it is
// not, nothing is wrong, and nothing else may add it.
func (c *chart) announced(cfg *conf.Config, vip netip.Addr, at Placed, here bool, others []string) {
	switch {
	case !here:
		c.add(CodeVIPNotAnnounced, Note, fmt.Sprintf("the virtual address %s is not on this host", vip),
			"it is announced while it is served", "ldirectord "+cfg.Path+" served "+vip.String()+" tells whether it is, and why it is not")
	case cfg.VIPDevice != "" && at.Dev != cfg.VIPDevice:
		c.add(CodeVIPWrongDevice, Warning, fmt.Sprintf("the virtual address %s is on %s, and not on %s (vipdevice)", vip, at.Dev, cfg.VIPDevice),
			"it stays there when the director does not serve it: clients still come", "ip address delete "+prefixText(vip, at.Bits)+" dev "+at.Dev)
	}
	if len(others) > 0 && here && at.Dev != cfg.VIPDevice {
		c.duplicate(vip, others, "an address of several directors is routed, and on the network of none")
	}
}

// moved is about an address that another program moves between directors.
func (c *chart) moved(vip netip.Addr, mover string, s Survey, active bool, others []string) {
	const look = "on both directors: the log of keepalived, or crm_mon -1, and whether they hear each other (VRRP is IP protocol 112)"
	switch {
	case active && len(others) == 0:
		c.add(CodeDirectorActive, Note, fmt.Sprintf("this director is active: it has the virtual address %s (%s)", vip, mover), "clients come here", "")
	case active:
		c.duplicate(vip, others, look)
	case len(others) == 1:
		c.add(CodeDirectorStandby, Note, fmt.Sprintf("this director is standby: %s has the virtual address %s (%s)", others[0], vip, mover), "clients go there", "")
	case len(others) > 1:
		c.duplicate(vip, others, look)
	case s.Asked[vip]:
		c.add(CodeVIPNowhere, Error, fmt.Sprintf("no director has the virtual address %s (%s)", vip, mover), "no host answers for it: clients cannot connect", look)
	default:
		c.add(CodeDirectorStandby, Note, fmt.Sprintf("this director is standby: it does not have the virtual address %s (%s)", vip, mover),
			"its network cannot be asked from here whether another one has it", "")
	}
}

// answeringReals reports the real servers among those who answer for an address, and returns the
// others. On a standby they are as wrong as on the active director, and so is their cure.
func (c *chart) answeringReals(cfg *conf.Config, vip netip.Addr, who []string) (others []string) {
	for _, machine := range who {
		if !isReal(cfg, machine) {
			others = append(others, machine)
			continue
		}
		c.add(CodeRealAnswersVIP, Error, fmt.Sprintf("%s %s %s, too", machine, answers(vip), vip),
			"clients that believe it go past the director", fmt.Sprintf("there: ldirectord host realserver up --vip %s", vip))
	}
	return others
}

// isReal reports whether a machine, as neighbour names it, is a real server.
func isReal(cfg *conf.Config, machine string) bool {
	return slices.ContainsFunc(cfg.Virtuals, func(v *conf.VirtualService) bool {
		return slices.ContainsFunc(v.Reals, func(r *conf.RealServer) bool { return strings.HasSuffix(machine, "("+r.Addr.String()+")") })
	})
}

// duplicate is about other machines that have an address.
func (c *chart) duplicate(vip netip.Addr, others []string, cure string) {
	for _, machine := range others {
		c.add(CodeVIPDuplicate, Error, fmt.Sprintf("%s %s %s, too", machine, answers(vip), vip),
			"two machines have it: each client believes one of them", cure)
	}
}

// answers is what another machine with an address does.
func answers(vip netip.Addr) string {
	if vip.Is4() {
		return "answers ARP for the virtual address"
	}
	return "answers neighbour discovery for the virtual address"
}
