// Package checkspec makes checkers from a configuration: which checks are equal,
// which checker a service gets, and what equal checks share.
package checkspec

import (
	"cmp"
	"net/netip"
	"strconv"
	"time"
	"unique"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/account"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// A Key is the identity of a check. Virtual services whose real servers have equal
// keys share a check.
type Key struct {
	Spec unique.Handle[Spec]
	At   netip.AddrPort // the checked address, checkaddress and checkport applied
}

// A Spec is a check without its address: the settings of a virtual service that a
// check of this type reads. All other settings are zero, so that they do not make
// two checks differ.
type Spec struct {
	conf.Check
	UDP          bool
	VAddr, VPort string // the arguments of an external command that describe the virtual service
}

// At returns the address at which r of v is checked. It is false without a check
// (checktype on and off).
func At(v *conf.VirtualService, r *conf.RealServer) (netip.AddrPort, bool) {
	addr := r.Addr
	if v.CheckAddr.IsValid() {
		addr = v.CheckAddr
	}
	switch v.CheckType {
	case conf.CheckOn, conf.CheckOff:
		return netip.AddrPortFrom(addr, v.PortToCheck(r)), false
	case conf.CheckPing:
		return netip.AddrPortFrom(addr, 0), true
	case conf.CheckExternal, conf.CheckExternalPerl:
		return r.AddrPort(), true // a command gets neither checkaddress nor checkport
	}
	return netip.AddrPortFrom(addr, v.PortToCheck(r)), true
}

// Of is the spec of v's real servers with this request and receive.
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
	if s.CheckType != conf.CheckAgent {
		s.AgentSend = ""
	}
	if s.external() {
		s.VAddr, s.VPort = virtualWords(v)
		s.Origin = conf.Origin{}
	} else {
		s.CheckCommand, s.CheckArgs, s.CheckArgsOnly, s.CheckUser, s.ExternalWeight = "", "", false, account.Account{}, false
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

// virtualWords are the two arguments of a command that describe v: for a firewall
// mark the mark in place of the address, and port 0.
func virtualWords(v *conf.VirtualService) (addr, port string) {
	if v.Protocol == conf.FWM {
		return strconv.FormatUint(uint64(v.Mark), 10), "0"
	}
	return addressWord(v.Addr), strconv.Itoa(int(v.Port))
}

// Timeout limits one attempt of the check. The connect checks between have
// CheckTimeout.
func (s *Spec) Timeout() time.Duration {
	if s.negotiates() {
		return s.NegotiateTimeout
	}
	return s.CheckTimeout
}

// Attempts is the number of attempts within a check, at least one.
func (s *Spec) Attempts() int { return max(1, s.ChkLoop) * max(1, s.CheckCount) }
