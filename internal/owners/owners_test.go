package owners

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestOwners reads the configurations of other programs.
func TestOwners(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	main := write("keepalived.conf", `vrrp_instance a {
    unicast_peer { 10.9.0.1 }
    virtual_ipaddress {
        10.0.0.1/24 dev eth0 brd 10.0.0.255 # 10.0.0.9
        fd00::1
    }
    virtual_ipaddress_excluded { 10.0.0.2 }
}
@another-host vrrp_instance c { virtual_ipaddress { 10.0.0.7 } }
$VIP=10.0.0.6
vrrp_instance d { virtual_ipaddress { ${VIP}/24 } }
virtual_server 10.0.0.8 80 { real_server 10.1.0.1 80 { } }
include more/*.conf
`)
	if err := os.Mkdir(filepath.Join(dir, "more"), 0o700); err != nil {
		t.Fatal(err)
	}
	write("more/b.conf", "vrrp_instance b {\n virtual_ipaddress\n {\n 10.0.0.3\n }\n}\n")
	cib := write("cib.xml", `<cib><nvpair id="a" name="ip" value="10.0.0.4"/><nvpair name="nic" value="10.0.0.5"/><broken`)
	found := map[netip.Addr]string{}
	keepalivedOwns(found, main)
	pacemakerOwns(found, cib)
	var got []string
	for addr := range found {
		got = append(got, addr.String())
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.6", "fd00::1"}, got); diff != "" {
		t.Errorf("owned (-want +got):\n%s", diff)
	}
}

// TestKeepalivedServes takes the command line of a keepalived as that does.
func TestKeepalivedServes(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	moves := write("moves.conf", "vrrp_instance a {\n}\n# virtual_server 10.0.0.1 80 {\n")
	serves := write("serves.conf", "include server.inc\n")
	write("server.inc", "@lb1 virtual_server 10.0.0.1 80 {\n}\n")
	for _, tt := range []struct {
		arguments []string
		want      bool
	}{
		{[]string{"keepalived", "-f", moves}, false},
		{[]string{"keepalived", "-f" + moves, "-l"}, false},
		{[]string{"keepalived", "--use-file=" + moves}, false},
		{[]string{"keepalived", "--use-file", moves}, false},
		{[]string{"keepalived", "-f", serves, "-i", "lb1"}, true},
		{[]string{"keepalived", "-f" + serves, "-ilb1"}, true},
		{[]string{"keepalived", "-f", serves, "--config-id=lb2"}, false},
		{[]string{"keepalived", "-P", "-f", serves, "-i", "lb1"}, false},
		{[]string{"keepalived", "-f", filepath.Join(dir, "none")}, true}, // it may
	} {
		if got := KeepalivedServes(tt.arguments); got != tt.want {
			t.Errorf("%q: %t, want %t", tt.arguments, got, tt.want)
		}
	}
}
