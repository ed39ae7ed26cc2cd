package director

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ldirectord/conf"
)

func TestMaintenanceNames(t *testing.T) {
	tests := []struct {
		at, name string
		want     []string
	}{
		{"10.1.0.1:80", "", []string{"10.1.0.1:80", "10.1.0.1"}},
		{"10.1.0.1:80", "web4", []string{"10.1.0.1:80", "10.1.0.1", "web4:80", "web4"}},
		{"10.1.0.1:0", "web1.example.com", []string{"10.1.0.1:0", "10.1.0.1", "web1.example.com:0", "web1.example.com", "web1:0", "web1"}},
		{"[fd00:1::1]:80", "", []string{"[fd00:1::1]:80", "[fd00:1::1]"}},
	}
	for _, tt := range tests {
		at := netip.MustParseAddrPort(tt.at)
		got := maintenanceNames(&conf.RealServer{Addr: at.Addr(), Port: at.Port()}, tt.name)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("files for %s, called %q (-want +got):\n%s", tt.at, tt.name, diff)
		}
	}
}
