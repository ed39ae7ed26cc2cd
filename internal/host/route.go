package host

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// A Route is the host route of a virtual address to a device, as
// "route add -host" makes it.
type Route struct {
	Prefix netip.Prefix `json:"prefix"`
	Dev    string       `json:"dev"`
}

// String implements Step.
func (r *Route) String() string { return fmt.Sprintf("route add %s dev %s", r.Prefix, r.Dev) }

func (r *Route) netlink() (*netlink.Route, error) {
	dev, err := device(r.Dev)
	if err != nil {
		return nil, err
	}
	return &netlink.Route{
		LinkIndex: dev.Attrs().Index, Dst: ipNet(r.Prefix), Scope: netlink.SCOPE_LINK, Table: unix.RT_TABLE_MAIN,
	}, nil
}

func (r *Route) look(*machine) (sight, error) {
	route, err := r.netlink()
	if err != nil {
		return sight{}, err
	}
	found, err := netlink.RouteListFiltered(netlink.FAMILY_V4, route,
		netlink.RT_FILTER_DST|netlink.RT_FILTER_OIF|netlink.RT_FILTER_TABLE)
	return sight{done: len(found) > 0}, err
}

func (r *Route) do(*machine) error {
	route, err := r.netlink()
	if err != nil {
		return err
	}
	if err := netlink.RouteAdd(route); err != nil && !errors.Is(err, syscall.EEXIST) {
		return err
	}
	return nil
}

func (r *Route) undo(*machine, string) error {
	if _, err := netlink.LinkByName(r.Dev); isNoDevice(err) {
		return nil
	}
	route, err := r.netlink()
	if err != nil {
		return err
	}
	if err := netlink.RouteDel(route); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}

// A Gateway is the default route that a masq real server needs: the answers must
// pass the director. It is only looked at; how a host routes is its network
// configuration's.
type Gateway struct {
	Via netip.Addr // invalid: any will do
}

func (*Gateway) unowned() {}

// String implements Step.
func (g *Gateway) String() string {
	if !g.Via.IsValid() {
		return "route default via the director"
	}
	return "route default via " + g.Via.String()
}

func (g *Gateway) look(*machine) (sight, error) {
	via, err := defaultGateway(g.Via.Is6())
	if err != nil || !via.IsValid() {
		return sight{was: "none"}, err
	}
	return sight{done: !g.Via.IsValid() || via == g.Via, was: "via " + via.String()}, nil
}

func (g *Gateway) do(*machine) error {
	return errors.New("answers must go back by the director: make it the default gateway in this host's network configuration, " +
		"at once with: ip route replace default via DIRECTOR")
}

func (g *Gateway) undo(*machine, string) error { return nil }

// defaultGateway is where the default route leads, invalid if there is none.
func defaultGateway(ipv6 bool) (netip.Addr, error) {
	family := netlink.FAMILY_V4
	if ipv6 {
		family = netlink.FAMILY_V6
	}
	routes, err := netlink.RouteListFiltered(family, &netlink.Route{Table: unix.RT_TABLE_MAIN}, netlink.RT_FILTER_TABLE)
	if err != nil {
		return netip.Addr{}, err
	}
	for _, r := range routes {
		if isDefault(r) {
			if via, ok := netip.AddrFromSlice(r.Gw); ok {
				return via.Unmap(), nil
			}
		}
	}
	return netip.Addr{}, nil
}

func isDefault(r netlink.Route) bool {
	if r.Dst == nil {
		return true
	}
	ones, _ := r.Dst.Mask.Size()
	return ones == 0
}
