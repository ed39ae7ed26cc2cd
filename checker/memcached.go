package checker

import (
	"net/netip"
	"strings"

	"github.com/ldirectord/ldirectord/internal/safetext"
)

// A Memcached check is up when the server reports its version.
type Memcached struct {
	Addr netip.AddrPort
}

// String implements Checker.
func (m Memcached) String() string { return "memcached version " + m.Addr.String() }

// Target implements Talker.
func (m Memcached) Target() Target { return Target{Network: "tcp", Addr: m.Addr} }

// Dialogue implements Talker.
func (m Memcached) Dialogue() Dialogue {
	return &lineDialogue{
		ready:  func() Step { return sendLine("version") },
		answer: memcachedVersion,
	}
}

func memcachedVersion(line string) Step {
	if version, ok := strings.CutPrefix(line, "VERSION "); ok {
		return up("version "+safetext.Excerpt(version), "quit")
	}
	return down("version: %s", safetext.Excerpt(line))
}
