package host

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/ldirectord/ldirectord/conf"
)

// A Director is what a director has to be set up for.
type Director struct {
	Config     *conf.Config
	Masquerade []netip.Prefix // networks of real servers that reach others through this host
	PrefixLen  int            // of IPv4 virtual addresses; 0 is the whole address
	Filter     Filter
	Place      Place
	Has        func(netip.Addr) bool // which virtual addresses this host is to have; nil is all
}

// Choices are what an operator may say about the setup of a director. The zero value
// leaves all to the configuration.
type Choices struct {
	Dev        string         // for virtual addresses; "" is the device in whose network they are
	PrefixLen  int            // of IPv4 virtual addresses; 0 is the whole address
	Masquerade []netip.Prefix // networks of real servers that reach others through this host

	Has func(netip.Addr) bool // which virtual addresses this host is to have; nil is as hostsetup says
}

// ConfigSteps are the steps of what, "director" or "marks", that cfg needs on its director.
func (h *Host) ConfigSteps(ctx context.Context, cfg *conf.Config, what string, c Choices) ([]Step, error) {
	h.cfg = cfg
	filter := h.Filter(ctx)
	if what == "marks" {
		return markSteps(cfg, filter), nil
	}
	d := Director{Config: cfg, PrefixLen: c.PrefixLen, Masquerade: c.Masquerade, Filter: filter, Has: c.Has}
	if leavesAddresses(cfg) {
		d.Has = func(netip.Addr) bool { return false }
	}
	var err error
	if d.Place, err = h.Place(cfg, c.Dev); err != nil {
		return nil, err
	}
	return d.Steps()
}

// leavesAddresses reports whether the virtual addresses come and go by other means than the setup.
func leavesAddresses(cfg *conf.Config) bool {
	return cfg.HostSetup == conf.HostSetupNoAddress || cfg.VIPDevice != "" || cfg.VIPCommand != "" && cfg.HostSetup != conf.HostSetupYes
}

// A Place is what the steps of a director depend on besides its configuration:
// how this host is connected. See Host.Place.
type Place struct {
	VIPs  map[netip.Addr]string // the device for each virtual address
	Reals []string              // devices through which masq real servers are reached, sorted

	// Advertised are devices whose IPv6 default route was learned from a router.
	Advertised []string
}

// Steps are what the director needs, in order: first how packets are treated,
// last the addresses that draw them.
func (d Director) Steps() ([]Step, error) {
	// The kernel loads the modules of schedulers itself at their first use.
	steps := []Step{&Module{Name: "ip_vs", Sign: "net/ip_vs"}}
	steps = append(steps, d.tableSteps()...)
	steps = append(steps, d.forwardSteps()...)
	for _, network := range d.Masquerade {
		steps = append(steps, masqueradeStep(d.Filter, network.Masked()))
	}
	for _, vip := range VIPs(d.Config) {
		if d.Has != nil && !d.Has(vip) {
			continue
		}
		dev := d.Place.VIPs[vip]
		if dev == "" {
			return nil, fmt.Errorf("which device is %s for? None is in its network and there is no default route: say --dev", vip)
		}
		bits := vip.BitLen()
		if vip.Is4() {
			bits = cmp.Or(d.PrefixLen, bits)
		}
		if bits < 1 || bits > vip.BitLen() {
			return nil, fmt.Errorf("%s cannot have a prefix of %d bits", vip, bits)
		}
		address := newAddress(netip.PrefixFrom(vip, bits), dev)
		address.Sole = true
		steps = append(steps, address)
	}
	return Unique(steps), nil
}

// VIPs are the virtual addresses of a configuration, those of marks included,
// sorted.
func VIPs(cfg *conf.Config) []netip.Addr {
	var vips []netip.Addr
	for _, v := range cfg.Virtuals {
		if v.Addr.IsValid() {
			vips = append(vips, v.Addr)
		}
		for _, m := range v.Marks {
			vips = append(vips, m.Addr)
		}
	}
	vips = slices.DeleteFunc(vips, func(a netip.Addr) bool { return a.IsLoopback() || a.IsUnspecified() })
	slices.SortFunc(vips, netip.Addr.Compare)
	return slices.Compact(vips)
}

// reuseDrained is the value of conn_reuse_mode where real servers drain themselves. Bit 1 alone
// is not enough: with gate and ipip the kernel does not see the answers, and a finished
// connection stays in FIN_WAIT, so that a client which uses its port again comes to the real
// server of then.
const reuseDrained = "3"

// tableSteps are the kernel's settings for clients of a real server out of service.
// They apply to all virtual services.
func (d Director) tableSteps() []Step {
	var steps []Step
	vs := func(name, value string) {
		steps = append(steps, &Sysctl{Name: "net/ipv4/vs/" + name, Value: value})
	}
	reuse := "1"
	if slices.ContainsFunc(d.Config.Virtuals, (*conf.VirtualService).MayDrain) {
		reuse = reuseDrained
	}
	for _, v := range d.Config.Virtuals {
		drains := v.MayDrain()
		if v.Persist && (v.Quiesces() || drains) {
			vs("expire_quiescent_template", "1") // else the client comes back to a real server at weight 0
		}
		if v.Quiesces() || drains {
			vs("conn_reuse_mode", reuse) // else a client that uses a port again does
		}
		if !v.Quiesces() {
			vs("expire_nodest_conn", "1") // else packets to a removed real server are dropped without a word
		}
	}
	if hashesTCP(d.Config) {
		vs("sloppy_tcp", "1") // the same choice on another director is of use if it takes connections in their middle
	}
	return Unique(steps)
}

// hashesTCP reports whether the scheduler of every virtual service that may have TCP chooses
// by the client's address: mh and sh make the same choice on each director.
func hashesTCP(cfg *conf.Config) bool {
	hashes := false
	for _, v := range cfg.Virtuals {
		switch {
		case v.Protocol == conf.UDP:
		case v.Scheduler == "mh" || v.Scheduler == "sh":
			hashes = true
		default:
			return false
		}
	}
	return hashes
}

// forwardSteps let answers of masq real servers through, and keep this host from
// telling them a shorter way, on which their answers would not be translated.
func (d Director) forwardSteps() []Step {
	var steps []Step
	if d.masquerades(false) {
		steps = append(steps, &Sysctl{Name: "net/ipv4/ip_forward", Value: "1"})
		for _, dev := range append([]string{"all", "default"}, d.devices()...) {
			steps = append(steps, &Sysctl{Name: "net/ipv4/conf/" + dev + "/send_redirects", Value: "0"})
		}
	}
	if d.masquerades(true) {
		for _, dev := range d.Place.Advertised { // a host that forwards forgets such routes otherwise
			steps = append(steps, &Sysctl{Name: "net/ipv6/conf/" + dev + "/accept_ra", Value: "2"})
		}
		steps = append(steps, &Sysctl{Name: "net/ipv6/conf/all/forwarding", Value: "1"})
	}
	return steps
}

// masquerades reports whether this host forwards packets of one family between real
// servers and others.
func (d Director) masquerades(ipv6 bool) bool {
	return slices.ContainsFunc(d.Masquerade, func(p netip.Prefix) bool { return p.Addr().Is6() == ipv6 }) ||
		slices.ContainsFunc(masqReals(d.Config), func(a netip.Addr) bool { return a.Is6() == ipv6 })
}

// masqReals are the addresses of real servers behind masq, sorted.
func masqReals(cfg *conf.Config) []netip.Addr {
	var reals []netip.Addr
	for _, v := range cfg.Virtuals {
		for _, r := range v.Reals {
			if r.Forward == conf.Masq && !r.Addr.IsLoopback() {
				reals = append(reals, r.Addr)
			}
		}
	}
	slices.SortFunc(reals, netip.Addr.Compare)
	return slices.Compact(reals)
}

// devices are those of virtual addresses and of masq real servers.
func (d Director) devices() []string {
	devices := slices.Clone(d.Place.Reals)
	for _, dev := range d.Place.VIPs {
		devices = append(devices, dev)
	}
	slices.Sort(devices)
	return slices.DeleteFunc(slices.Compact(devices), func(dev string) bool { return dev == "" || dev == "lo" })
}

// markSteps are the packet marks of a configuration.
func markSteps(cfg *conf.Config, f Filter) []Step {
	var steps []Step
	for _, v := range cfg.Virtuals {
		for _, m := range v.Marks {
			steps = append(steps, markStep(f, v.Mark, m))
		}
	}
	return Unique(steps)
}

// Unique leaves the first of equal steps.
func Unique(steps []Step) []Step {
	seen := map[string]bool{}
	return slices.DeleteFunc(steps, func(s Step) bool {
		text := s.String()
		was := seen[text]
		seen[text] = true
		return was
	})
}
