// Package checkspec is how a configuration becomes checkers: which checks are the
// same, which checker a service gets, and what checks of one kind share.
package checkspec

import (
	"cmp"
	"net/netip"
	"strconv"
	"time"
	"unique"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// A Key is the identity of a check. Virtual services whose real servers have equal
// keys share a check.
type Key struct {
	Spec unique.Handle[Spec]
	At   netip.AddrPort // the address that is checked, checkport applied
}

// A Spec is all that there is to a check besides its address: the settings of a
// virtual service as far as a check of this type reads them. The others are zero,
// so that they tell no two checks apart.
type Spec struct {
	conf.Check
	UDP          bool
	VAddr, VPort string // the words of an external command about the virtual service
}

// At is the address at which r of v is checked. It is false if there is no check
// (checktype on and off).
func At(v *conf.VirtualService, r *conf.RealServer) (netip.AddrPort, bool) {
	switch v.CheckType {
	case conf.CheckOn, conf.CheckOff:
		return netip.AddrPortFrom(r.Addr, v.PortToCheck(r)), false
	case conf.CheckPing:
		return netip.AddrPortFrom(r.Addr, 0), true
	case conf.CheckExternal, conf.CheckExternalPerl:
		return r.AddrPort(), true // a command does not get the checkport
	}
	return netip.AddrPortFrom(r.Addr, v.PortToCheck(r)), true
}

// Of is the spec for the real servers of v that have this request and receive.
func Of(v *conf.VirtualService, request secret.Request, receive string) unique.Handle[Spec] {
	s := Spec{Check: v.Check, UDP: v.Protocol == conf.UDP}
	s.Request, s.Receive = request, receive
	if s.CheckType != conf.CheckConnect && s.CheckType != conf.CheckCombined {
		s.HalfOpen = false
	}
	if s.CheckType != conf.CheckCombined {
		s.Combined = 0
	}
	if s.CheckType != conf.CheckPing {
		s.CheckCount = 0
	}
	if s.external() {
		s.VAddr, s.VPort = virtualWords(v)
	} else {
		s.CheckCommand = ""
	}
	if s.negotiates() {
		s.SSLName = cmp.Or(s.SSLName, s.VirtualHost)
	} else {
		s.NegotiateTimeout, s.Negotiate, s.HTTP, s.TLS = 0, conf.Negotiate{}, conf.HTTP{}, conf.TLS{}
	}
	return unique.Make(s)
}

func (s *Spec) negotiates() bool {
	return s.CheckType == conf.CheckNegotiate || s.CheckType == conf.CheckCombined
}

func (s *Spec) external() bool {
	return s.CheckType == conf.CheckExternal || s.CheckType == conf.CheckExternalPerl
}

// virtualWords are the two words of a command about v: a firewall mark is there in
// place of the address, and its port is 0.
func virtualWords(v *conf.VirtualService) (addr, port string) {
	if v.Protocol == conf.FWM {
		return strconv.FormatUint(uint64(v.Mark), 10), "0"
	}
	return addressWord(v.Addr), strconv.Itoa(int(v.Port))
}

// Timeout is how long a check may take. That of the connects between is
// CheckTimeout.
func (s *Spec) Timeout() time.Duration {
	if s.negotiates() {
		return s.NegotiateTimeout
	}
	return s.CheckTimeout
}

// Attempts are the tries within a check, at least one.
func (s *Spec) Attempts() int { return max(1, s.ChkLoop) * max(1, s.CheckCount) }
