package host

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/conf"
)

func TestDiagnosePair(t *testing.T) {
	const plain = "virtual=10.0.0.80:80\n    real=10.0.1.11:80 gate\n"
	const hashed = plain + "    scheduler=mh\n"
	const vrrp = "/etc/keepalived/keepalived.conf has vrrp_instance"
	peer := netip.MustParseAddr("10.0.0.2")
	without := []string{"this director is one of a pair (" + vrrp + "), without syncdaemon and without mh"}
	different := []string{"the director 10.0.0.2 sends its connections with the sync id 9, and syncdaemon here has id 7"}
	for name, test := range map[string]struct {
		config string
		pair   Pair
		want   []string
	}{
		"alone":                            {config: plain},
		"a pair without anything":          {config: plain, pair: Pair{Sign: vrrp}, want: without},
		"a pair with mh":                   {config: hashed, pair: Pair{Sign: vrrp}},
		"a pair with mh for one of two":    {config: hashed + "virtual=10.0.0.80:81\n    real=10.0.1.11:81 gate\n", pair: Pair{Sign: vrrp}, want: without},
		"a pair with our sync daemon":      {config: "syncdaemon=both eth0\n" + plain, pair: Pair{Sign: vrrp}},
		"a pair with keepalived's":         {config: plain, pair: Pair{Sign: vrrp, Carried: true}},
		"no virtual service":               {pair: Pair{Sign: vrrp}},
		"the same id":                      {config: "syncdaemon=both eth0 id 9\n" + plain, pair: Pair{IDs: map[netip.Addr]int{peer: 9}}},
		"another id":                       {config: "syncdaemon=both eth0 id 7\n" + plain, pair: Pair{IDs: map[netip.Addr]int{peer: 9}}, want: different},
		"a backup with id 0 takes all":     {config: "syncdaemon=backup eth0\n" + plain, pair: Pair{IDs: map[netip.Addr]int{peer: 9}}},
		"another one for a backup with id": {config: "syncdaemon=backup eth0 id 7\n" + plain, pair: Pair{IDs: map[netip.Addr]int{peer: 9}}, want: different},
	} {
		cfg, err := conf.Parse("t.cf", []byte(test.config), conf.Options{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		c := &chart{}
		c.pair(cfg, test.pair)
		var got []string
		for _, f := range c.findings {
			got = append(got, f.What)
			if f.Severity != Warning || f.Cure == "" {
				t.Errorf("%s: %s has no cure, or is no warning", name, f.What)
			}
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestReadPair(t *testing.T) {
	const node = "    node {\n        ring0_addr: 10.0.0.2\n    }\n"
	const inKeepalived, inCorosync = "keepalived.conf has vrrp_instance", "corosync.conf has more than one node"
	for name, test := range map[string]struct {
		files map[string]string
		want  Pair
	}{
		"nothing":                 {},
		"corosync with one node":  {files: map[string]string{"corosync.conf": "nodelist {\n" + node + "}\n"}}, // as Debian installs it
		"corosync with two nodes": {files: map[string]string{"corosync.conf": "nodelist {\n" + node + node + "}\n"}, want: Pair{Sign: inCorosync}},
		"keepalived": {
			files: map[string]string{"keepalived.conf": "vrrp_instance VI_1 {\n    lvs_sync_daemon eth0\n}\n"},
			want:  Pair{Sign: inKeepalived, Carried: true},
		},
		"in a file that it includes": {
			files: map[string]string{"keepalived.conf": "include *.vrrp\nglobal_defs { lvs_sync_daemon eth0 VI_1 }\n", "1.vrrp": "vrrp_instance VI_1 {\n}\n"},
			want:  Pair{Sign: inKeepalived, Carried: true},
		},
		"in lines of another host": {files: map[string]string{"keepalived.conf": "@another-host vrrp_instance VI_1 {\n}\n"}},
	} {
		dir := t.TempDir()
		for file, text := range test.files {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		got := readPair(filepath.Join(dir, "keepalived.conf"), filepath.Join(dir, "corosync.conf"))
		got.Sign = strings.TrimPrefix(got.Sign, dir+"/")
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestSyncID(t *testing.T) {
	for name, test := range map[string]struct {
		message []byte
		id      int
		ok      bool
	}{
		"a header":             {[]byte{0, 7, 0, 8, 0, 1, 0, 0}, 7, true},
		"with a connection":    {append([]byte{0, 255, 0, 12, 1, 1, 0, 0}, 1, 2, 3, 4), 255, true},
		"too short":            {[]byte{0, 7, 0, 7, 0, 1, 0}, 0, false},
		"another length":       {[]byte{0, 7, 0, 9, 0, 1, 0, 0}, 0, false},
		"of another protocol":  {[]byte{'G', 'E', 'T', ' ', '/', ' ', 'H', 'T'}, 0, false},
		"nothing":              {nil, 0, false},
		"of a kernel of 2.6.x": {[]byte{1, 7, 0, 8, 0, 0, 0, 0}, 0, false},
	} {
		if id, ok := syncID(test.message); id != test.id || ok != test.ok {
			t.Errorf("%s: got %d, %v", name, id, ok)
		}
	}
}

// TestSloppyTCP sets it if every virtual service that may have TCP is scheduled by a hash.
func TestSloppyTCP(t *testing.T) {
	const service = "virtual=10.0.0.80:80\n    real=10.0.1.11:80 gate\n    scheduler="
	const dns = "virtual=10.0.0.80:53\n    real=10.0.1.11:53 gate\n    protocol=udp\n    scheduler=rr\n"
	const marked = "virtual=7\n    real=10.0.1.11:80 gate\n    protocol=fwm\n    checkport=80\n    scheduler="
	for config, want := range map[string]bool{
		service + "mh\n":                    true,
		service + "sh\n" + dns:              true,
		service + "wrr\n":                   false,
		service + "mh\n" + marked + "mh\n":  true,
		service + "mh\n" + marked + "wlc\n": false,
		dns:                                 false,
		"":                                  false,
	} {
		cfg, err := conf.Parse("t.cf", []byte(config), conf.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got := false
		for _, s := range (Director{Config: cfg}).tableSteps() {
			got = got || s.String() == "sysctl net.ipv4.vs.sloppy_tcp 1"
		}
		if got != want {
			t.Errorf("sloppy_tcp is set: %v, want %v, with\n%s", got, want, config)
		}
	}
}
