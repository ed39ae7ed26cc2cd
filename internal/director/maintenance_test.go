package director

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

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

// TestOutBy says whom the files in a maintenance directory take out.
func TestOutBy(t *testing.T) {
	cfg := configured(t, "virtual=10.0.0.1:80\n    real=10.1.0.1:80 masq\n    real=10.1.0.2:80 masq\n    real=10.1.0.3:8080 masq\n")
	names := map[netip.Addr]string{netip.MustParseAddr("10.1.0.3"): "web3.example.com"}
	tests := map[string]struct {
		files []string
		want  map[string]string
	}{
		"no file":                {nil, map[string]string{}},
		"of nobody":              {[]string{"10.1.0.9", "README"}, map[string]string{}},
		"by address":             {[]string{"10.1.0.2"}, map[string]string{"10.1.0.2:80": "10.1.0.2"}},
		"of another port":        {[]string{"10.1.0.1:81"}, map[string]string{}},
		"by name":                {[]string{"web3"}, map[string]string{"10.1.0.3:8080": "web3"}},
		"the most exact of some": {[]string{"10.1.0.1", "10.1.0.1:80", "web3.example.com"}, map[string]string{"10.1.0.1:80": "10.1.0.1:80", "10.1.0.3:8080": "web3.example.com"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := map[string]string{}
			for at, file := range outBy(tt.files, cfg, names) {
				got[at.String()] = file
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("out by %q (-want +got):\n%s", tt.files, diff)
			}
		})
	}
}

// TestWatchMaintenance has a reload bring a directory and take it away again.
func TestWatchMaintenance(t *testing.T) {
	const service = "virtual=10.0.0.1:80\n    real=10.1.0.1:80 masq\n"
	dir := t.TempDir()
	touch := func() {
		if err := os.WriteFile(filepath.Join(dir, "10.1.0.1"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	without, with := configured(t, service), configured(t, "maintenancedir="+dir+"\n"+service)
	nobody := map[netip.AddrPort]string{}
	out := map[netip.AddrPort]string{netip.MustParseAddrPort("10.1.0.1:80"): "10.1.0.1"}
	synctest.Test(t, func(t *testing.T) {
		m := watchMaintenance(t.Context(), func(context.Context, netip.Addr) string { return "" })
		for _, step := range []struct {
			name string
			do   func()
			want map[netip.AddrPort]string
		}{
			{"no directory", func() { m.watch(without) }, nobody},
			{"an empty one", func() { m.watch(with) }, nobody},
			{"a file in it", touch, out},
			{"no directory again", func() { m.watch(without) }, nobody},
			{"and back", func() { m.watch(with) }, out},
		} {
			time.Sleep(time.Minute)
			synctest.Wait()
			step.do()
			began := time.Now()
			if diff := cmp.Diff(step.want, <-m.changes, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
				t.Errorf("%s (-want +got):\n%s", step.name, diff)
			}
			if took := time.Since(began); took > lookAround {
				t.Errorf("%s: noticed after %v, want %v at most", step.name, took, lookAround)
			}
		}
	})
}
