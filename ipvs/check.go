package ipvs

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/netip"
)

const nameMax = 15 // IP_VS_SCHEDNAME_MAXLEN and IP_VS_PENAME_MAXLEN, less the final 0

// Check returns the reason why every kernel would refuse the change, nil if one may
// accept it. Apply begins with it.
func (c Change) Check() error { return c.check() }

// check finds the faults that need no table: changes that the kernel would accept
// and not make (it stores a v4 real server in a v6 service under another address),
// and changes that it refuses with a number that explains nothing. The rules are
// ipvsadm's, except that gate and ipip keep their port.
func (c Change) check() error {
	if err := c.Service.checkKey(); err != nil {
		return err
	}
	switch c.Op {
	case AddService, EditService:
		return c.Service.checkSettings()
	case DeleteService:
		return nil
	case AddDestination, EditDestination:
		if err := c.checkAddress(); err != nil {
			return err
		}
		return c.Destination.checkSettings()
	case DeleteDestination:
		return c.checkAddress()
	}
	return fmt.Errorf("no such operation: %d", c.Op)
}

func (k Key) checkKey() error {
	switch {
	case k.Mark != 0 && (k.Addr.IsValid() || k.Port != 0 || k.Protocol != 0):
		return errors.New("a service has a firewall mark or an address, not both")
	case k.Mark != 0:
		return nil
	case !k.Addr.IsValid():
		return errors.New("a service needs an address or a firewall mark other than 0")
	case protocolWords[k.Protocol] == "":
		return fmt.Errorf("protocol %d is not tcp, udp or sctp", k.Protocol)
	case k.Addr.Is6() != k.IPv6:
		return fmt.Errorf("the address family of the service does not fit its address %s", k.Addr)
	}
	return checkPlain(k.Addr)
}

func (s Service) checkSettings() error {
	persistent := s.Flags&FlagPersistent != 0
	switch {
	case s.Scheduler == "":
		return errors.New("a service needs a scheduler")
	case len(s.Scheduler) > nameMax || len(s.PE) > nameMax:
		return refusal{"no scheduler or persistence engine has a name this long", fs.ErrNotExist}
	case s.Mark == 0 && s.Port == 0 && !persistent:
		return errors.New("port 0, all ports, works with persistence only")
	case s.Flags&FlagOnePacket != 0 && s.Mark == 0 && s.Protocol != UDP:
		return errors.New("one-packet scheduling is for udp only")
	}
	if persistent {
		return s.checkPersistence()
	}
	return nil
}

func (s Service) checkPersistence() error {
	if _, err := ParseTimeout(uint64(s.Timeout)); err != nil {
		return err
	}
	if s.IPv6 && s.Netmask > 127 {
		return fmt.Errorf("netmask %s is not a prefix length of 1 to 128", s.Netmask.word(true))
	}
	return nil
}

// checkAddress refuses destinations of another family. The kernel can forward
// between families by tunnel, but moby/ipvs does not send the family.
func (c Change) checkAddress() error {
	a := c.Destination.Addr()
	switch {
	case !a.IsValid():
		return errors.New("a destination needs an address")
	case a.Is6() != c.Service.IPv6:
		return fmt.Errorf("an %s destination cannot be in an %s service", familyName(a.Is6()), familyName(c.Service.IPv6))
	}
	return checkPlain(a)
}

func (d Destination) checkSettings() error {
	a := d.Addr()
	switch {
	case a.IsUnspecified() || a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return fmt.Errorf("%s is not a unicast address", a)
	case d.Forward != Masq && d.Forward != Tunnel && d.Forward != Route:
		return errors.New("a forwarding method is gate, masq or ipip")
	case d.Weight < 0 || d.Weight > math.MaxInt32:
		return fmt.Errorf("weight %d is not in 0 to %d", d.Weight, math.MaxInt32)
	case d.Lower > d.Upper:
		return fmt.Errorf("lower threshold %d is above the upper threshold %d", d.Lower, d.Upper)
	}
	return nil
}

// checkPlain refuses addresses that netip can hold and the kernel's table, or
// moby/ipvs, cannot.
func checkPlain(a netip.Addr) error {
	switch {
	case a.Zone() != "":
		return fmt.Errorf("%s: a zone cannot be in the table", a)
	case a.Is4In6():
		return fmt.Errorf("%s: write it as IPv4", a)
	}
	return nil
}

// family is the kernel's number of an address family.
func family(ipv6 bool) uint16 {
	if ipv6 {
		return 10 // AF_INET6
	}
	return 2 // AF_INET
}

func familyName(ipv6 bool) string {
	if ipv6 {
		return "IPv6"
	}
	return "IPv4"
}
