package host

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/policy"
)

// DiagnoseDirector returns the faults of a director with this configuration, the
// worst first.
func DiagnoseDirector(cfg *conf.Config, s Survey) []Finding {
	c := &chart{}
	up := "ldirectord " + cfg.Path + " host director up"
	c.table(s)
	c.virtualAddresses(cfg, s, up)
	c.forwarding(cfg, s, up)
	c.settings(cfg, s, up)
	c.realServers(cfg, s)
	c.marks(cfg, s)
	c.pair(cfg, s.Pair)
	c.firewall(cfg, s)
	c.scale(cfg, s)
	c.clock(s)
	return c.sorted()
}

func (c *chart) sorted() []Finding {
	slices.SortStableFunc(c.findings, func(a, b Finding) int { return cmp.Compare(b.Severity, a.Severity) })
	return c.findings
}

// table is about IPVS itself and who writes it.
func (c *chart) table(s Survey) {
	if !s.IPVS {
		c.add(CodeIPVSMissing, Error, "IPVS is not in this kernel", "there is no table to keep", "modprobe ip_vs")
	}
	for _, r := range s.Rivals {
		c.add(CodeTableWriter, Warning, r.What, "it writes the same table: what one adds the other removes", r.Cure)
	}
}

func prefixText(a netip.Addr, bits int) string { return netip.PrefixFrom(a, bits).String() }

// forwarding is about what masq needs.
func (c *chart) forwarding(cfg *conf.Config, s Survey, up string) {
	d := Director{Config: cfg}
	if d.masquerades(true) && s.sysctl("net/ipv6/conf/all/forwarding") == "0" {
		c.add(CodeForwardingOff6, Error, "this host does not forward IPv6 packets", "answers of masq real servers end here", up)
	}
	if !d.masquerades(false) {
		return
	}
	if s.sysctl("net/ipv4/ip_forward") == "0" {
		c.add(CodeForwardingOff, Error, "this host does not forward packets (ip_forward is 0)", "answers of masq real servers end here", up)
	}
	var loud []string
	for _, dev := range s.Devices {
		if s.either(dev, "send_redirects") == "1" {
			loud = append(loud, dev)
		}
	}
	if len(loud) > 0 {
		c.add(CodeMasqRedirects, Warning, "ICMP redirects are sent at "+strings.Join(loud, ", "),
			"masq real servers in the clients' network are told to answer without this host, and clients do not know those answers", up)
	}
}

// settings is about those that decide what becomes of clients of real servers
// that are out.
func (c *chart) settings(cfg *conf.Config, s Survey, up string) {
	var silent []string
	for _, v := range cfg.Virtuals {
		if !v.Quiesces() {
			silent = append(silent, v.ID())
		}
	}
	c.zeroWeight(cfg, s)
	c.reuse(cfg, s, up)
	if len(silent) > 0 && s.sysctl("net/ipv4/vs/expire_nodest_conn") == "0" {
		c.add(CodeExpireNoDestConn, Note, "expire_nodest_conn is 0", "packets of a connection whose real server was removed are dropped without a word, and its client waits", up)
	}
}

// zeroWeight is about clients that meet a quiesced real server, a finding for
// each hazard with the virtual services that have it.
func (c *chart) zeroWeight(cfg *conf.Config, s Survey) {
	virtuals := map[policy.Hazard][]string{}
	var hazards []policy.Hazard // in the order of the file
	for _, v := range cfg.Virtuals {
		for _, h := range policy.ZeroWeightHazards(v, policy.Quiesced, func(name string) string { return s.sysctl("net/ipv4/vs/" + name) }) {
			if virtuals[h] == nil {
				hazards = append(hazards, h)
			}
			virtuals[h] = append(virtuals[h], v.ID())
		}
	}
	for _, h := range hazards {
		c.add(CodeZeroWeight, Warning, h.What+": "+strings.Join(virtuals[h], ", "), h.Why, h.Cure)
	}
}

// reuse is about clients that use a port again after the real server has drained itself.
func (c *chart) reuse(cfg *conf.Config, s Survey, up string) {
	is := s.sysctl("net/ipv4/vs/conn_reuse_mode")
	if is == "" || is == reuseDrained {
		return
	}
	var drain []string
	for _, v := range cfg.Virtuals {
		if v.MayDrain() {
			drain = append(drain, v.ID())
		}
	}
	if len(drain) > 0 {
		c.add(CodeConnReuseMode, Warning, "conn_reuse_mode is "+is+", and real servers drain themselves: "+strings.Join(drain, ", "),
			"a client that uses a port again comes to the real server of its last connection, which may have ended since", up)
	}
}

// realServers examines each real server: its kind, and whether it is reachable.
func (c *chart) realServers(cfg *conf.Config, s Survey) {
	for _, v := range cfg.Virtuals {
		for _, r := range v.Reals {
			if v.Protocol != conf.FWM && r.Forward != conf.Masq && r.Port != 0 && r.Port != v.Port {
				c.add(CodeRealPortKept, Warning, fmt.Sprintf("%s asks for port %d of %s, whose service has port %d", conf.LineIn(cfg.Path, v.File, r.Line), r.Port, r.Addr, v.Port),
					fmt.Sprintf("with %s the kernel keeps the port; only checks ask at %d", r.Forward, r.Port), "masq, or the same port and checkport")
			}
			if at, ok := s.Addresses[r.Addr]; ok && at.Dev != "lo" {
				c.add(CodeRealIsDirector, Note, fmt.Sprintf("the real server %s is this director itself", r.Addr),
					"the kernel delivers its connections here, whatever the forwarding method says", "")
			}
		}
	}
	for _, at := range slices.SortedFunc(maps.Keys(s.Reals), netip.AddrPort.Compare) {
		reach := s.Reals[at]
		switch {
		case reach.Dev == "":
			c.add(CodeRealNoRoute, Error, fmt.Sprintf("there is no route to the real server %s", at.Addr()), "it gets no connections and no checks", "ip route get "+at.Addr().String())
		case reach.Error != "":
			cure := "ip route get " + at.Addr().String() + " from " + reach.From.String()
			if reach.Error == notListening {
				cure = "start the service there"
			}
			c.add(CodeRealUnreachable, Warning, fmt.Sprintf("the real server %s cannot be reached: %s", at, reach.Error),
				fmt.Sprintf("it was asked from %s at %s", reach.From, reach.Dev), cure)
		case reach.Ahead.Abs() > tolerance:
			c.add(CodeClocksDiffer, Warning, fmt.Sprintf("the clocks of this host and of the real server %s differ by %v", at, reach.Ahead.Abs().Round(time.Second)),
				timesDiffer, "timedatectl set-ntp true, on both")
		}
	}
}

// marks reports missing packet marks.
func (c *chart) marks(cfg *conf.Config, s Survey) {
	for _, m := range s.Marks {
		if !m.Done {
			c.add(CodeMarkMissing, Error, "a packet mark is not set: "+m.Step.String(), "the virtual service of the mark gets no packets", "ldirectord "+cfg.Path+" host marks up")
		}
	}
}

// tolerance is by how much clocks may differ.
const tolerance = 30 * time.Second

const timesDiffer = "times in logs cannot be compared, and certificates may seem to have ended"

func (c *chart) clock(s Survey) {
	if s.ClockOff != "" {
		c.add(CodeClockNotSynchronized, Note, "the clock "+s.ClockOff, timesDiffer, "timedatectl set-ntp true")
	}
}

// DiagnoseRealServers returns the faults of a host for these real servers, the
// worst first.
func DiagnoseRealServers(servers []RealServer, s Survey) []Finding {
	c := &chart{}
	for _, r := range servers {
		c.realServer(r, s)
	}
	c.clock(s)
	return c.sorted()
}

// realServer is about one of them.
func (c *chart) realServer(r RealServer, s Survey) {
	up := fmt.Sprintf("ldirectord host realserver up --vip %s --mode %s", r.VIP, r.Forward)
	if r.Dev != "" {
		up += " --dev " + r.Dev
	}
	switch r.Forward {
	case conf.Masq:
		c.gateway(r, s)
	case conf.IPIP:
		c.holder(r, s, up)
		c.tunnel(r, s, up)
	default:
		c.holder(r, s, up)
	}
}

// holder is about a host that has a virtual address without answering for it.
func (c *chart) holder(r RealServer, s Survey, up string) {
	at, ok := s.Addresses[r.VIP]
	switch {
	case !ok:
		c.add(CodeVIPNotHeld, Error, fmt.Sprintf("the virtual address %s is not on this host", r.VIP), "it does not take the packets that the director sends", up)
		return
	case at.Bits != r.VIP.BitLen() && at.Dev == "lo":
		c.add(CodeVIPPrefix, Error, fmt.Sprintf("%s is on lo with a prefix of %d bits", r.VIP, at.Bits),
			"the whole network is then on this host, and answers to clients in it stay here", "ip address delete "+prefixText(r.VIP, at.Bits)+" dev lo; "+up)
	case at.Dev != r.dev() && r.Dev == "":
		effect, cure := "there it is answered for, whatever arp_ignore says", up
		if tunnel := (RealServer{VIP: r.VIP, Forward: conf.IPIP}); at.Dev == tunnel.dev() {
			effect, cure = "as for ipip, and this has looked for "+r.Forward.String(), fmt.Sprintf("ldirectord doctor --vip %s --mode ipip", r.VIP)
		}
		c.add(CodeVIPOtherDevice, Warning, fmt.Sprintf("%s is on %s, not on %s", r.VIP, at.Dev, r.dev()), effect, cure)
	}
	if r.VIP.Is6() {
		return
	}
	for _, p := range []struct{ name, want string }{{"arp_ignore", "1"}, {"arp_announce", "2"}} {
		if is := s.sysctl("net/ipv4/conf/all/" + p.name); is < p.want {
			c.add(CodeARPAnswers, Error, fmt.Sprintf("%s of all devices is %s", p.name, is),
				fmt.Sprintf("this host lets others believe that %s is here, and they go past the director", r.VIP), up)
		}
	}
}

func (c *chart) tunnel(r RealServer, s Survey, up string) {
	if s.Down[r.dev()] {
		c.add(CodeTunnelDown, Error, "the device "+r.dev()+" is down", "packets from the director's tunnel are not taken out", up)
	}
	if !r.VIP.Is6() && s.either(r.dev(), "rp_filter") == "1" {
		c.add(CodeRPFilter, Error, "rp_filter of "+r.dev()+" is strict", "packets out of the tunnel come from clients, to whom no route leads through it: the kernel drops them", up)
	}
}

// gateway is about the way of answers back to the director.
func (c *chart) gateway(r RealServer, s Survey) {
	via, director := s.Gateway, "DIRECTOR"
	if r.Gateway.Is6() {
		via = s.Gateway6
	}
	if r.Gateway.IsValid() {
		director = r.Gateway.String()
	}
	switch {
	case !via.IsValid():
		c.add(CodeGatewayMissing, Error, "there is no default route", "answers do not reach clients", "ip route replace default via "+director)
	case r.Gateway.IsValid() && via != r.Gateway:
		c.add(CodeGatewayOther, Error, "the default route goes by "+via.String(), "answers that do not pass the director are not known to clients",
			"ip route replace default via "+r.Gateway.String())
	}
}
