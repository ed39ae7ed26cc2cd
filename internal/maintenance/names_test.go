package maintenance

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/conf"
)

// TestConfiguredName has files with the names of real lines. With resolve they count for
// each address of the name, before the resolver has named the address; without it only
// what the address resolves to counts, as in the original.
func TestConfiguredName(t *testing.T) {
	real := func(host, addr string) *conf.RealServer {
		return &conf.RealServer{Host: host, Addr: netip.MustParseAddr(addr), Port: 80}
	}
	cfg := &conf.Config{Virtuals: []*conf.VirtualService{{Reals: []*conf.RealServer{
		real("web.example.com", "10.1.0.1"), real("web.example.com", "10.1.0.2"), real("db", "10.1.0.3"), real("10.1.0.4", "10.1.0.4"),
	}}}}
	at := netip.MustParseAddrPort
	reverse := map[netip.Addr][]string{netip.MustParseAddr("10.1.0.2"): {"host2.example.com"}}
	tests := []struct {
		file    string
		resolve time.Duration
		want    map[netip.AddrPort]string
	}{
		{"web.example.com", time.Minute, map[netip.AddrPort]string{at("10.1.0.1:80"): "web.example.com", at("10.1.0.2:80"): "web.example.com"}},
		{"web:80", time.Minute, map[netip.AddrPort]string{at("10.1.0.1:80"): "web:80", at("10.1.0.2:80"): "web:80"}},
		{"host2", time.Minute, map[netip.AddrPort]string{at("10.1.0.2:80"): "host2"}},
		{"10.1.0.2", time.Minute, map[netip.AddrPort]string{at("10.1.0.2:80"): "10.1.0.2"}},
		{"db", time.Minute, map[netip.AddrPort]string{at("10.1.0.3:80"): "db"}},
		{"web.example.com", 0, map[netip.AddrPort]string{}},
		{"host2", 0, map[netip.AddrPort]string{at("10.1.0.2:80"): "host2"}},
	}
	for _, tt := range tests {
		cfg.Resolve = tt.resolve
		got, _ := outBy([]string{tt.file}, meanings([]string{tt.file}, nil, time.Time{}), cfg, reverse)
		if diff := cmp.Diff(tt.want, got.Out, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
			t.Errorf("%s, resolve %v (-want +got):\n%s", tt.file, tt.resolve, diff)
		}
	}
}
