package host

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	otherDirector = "02:00:00:00:00:02 (10.0.0.2)"
	moveLook      = " [on both directors: the log of keepalived, or crm_mon -1, and whether they hear each other (VRRP is IP protocol 112)]"
)

// TestDiagnoseAddresses has the doctor look at both directors of a pair: a healthy one has nothing above
// a note on either side, and no cure takes the address from the director that has it or gives it to both.
func TestDiagnoseAddresses(t *testing.T) {
	const owned, noaddress, routed, command = "owned", "hostsetup=noaddress\n", "vipdevice=lvs0\n", "vipcommand=/bin/true\n"
	vip := netip.MustParseAddr("10.0.0.80")
	tests := []struct {
		name    string
		head    string // of the file, or owned: keepalived has the address
		dev     string // that has the address here, "" is none
		others  []string
		unasked bool
		worst   Severity
		want    []string
	}{
		{name: "active", head: owned, dev: "eth0", want: []string{"note: this director is active: it has the virtual address 10.0.0.80 (keepalived.conf) []"}},
		{name: "standby", head: owned, others: []string{otherDirector}, want: []string{"note: this director is standby: " + otherDirector + " has the virtual address 10.0.0.80 (keepalived.conf) []"}},
		{name: "standby and real server", head: owned, dev: "lo", others: []string{otherDirector}, want: []string{"note: this director is standby: " + otherDirector + " has the virtual address 10.0.0.80 (keepalived.conf) []"}},
		{name: "standby that cannot ask", head: owned, unasked: true, want: []string{"note: this director is standby: it does not have the virtual address 10.0.0.80 (keepalived.conf) []"}},
		{name: "active, another program", head: noaddress, dev: "eth0", want: []string{"note: this director is active: it has the virtual address 10.0.0.80 (hostsetup = noaddress) []"}},
		{name: "standby, another program", head: noaddress, others: []string{otherDirector}, want: []string{"note: this director is standby: " + otherDirector + " has the virtual address 10.0.0.80 (hostsetup = noaddress) []"}},
		{
			name: "both have it", head: owned, dev: "eth0", others: []string{otherDirector}, worst: Error,
			want: []string{"error: " + otherDirector + " answers ARP for the virtual address 10.0.0.80, too" + moveLook},
		},
		{
			name: "two others have it", head: owned, others: []string{otherDirector, "02:00:00:00:00:03"}, worst: Error,
			want: []string{
				"error: " + otherDirector + " answers ARP for the virtual address 10.0.0.80, too" + moveLook,
				"error: 02:00:00:00:00:03 answers ARP for the virtual address 10.0.0.80, too" + moveLook,
			},
		},
		{name: "no director has it", head: owned, worst: Error, want: []string{"error: no director has the virtual address 10.0.0.80 (keepalived.conf)" + moveLook}},
		{
			name: "a real server answers the standby", head: owned, others: []string{otherDirector, "02:00:00:00:00:11 (10.0.1.11)"}, worst: Error,
			want: []string{
				"error: 02:00:00:00:00:11 (10.0.1.11) answers ARP for the virtual address 10.0.0.80, too [there: ldirectord host realserver up --vip 10.0.0.80]",
				"note: this director is standby: " + otherDirector + " has the virtual address 10.0.0.80 (keepalived.conf) []",
			},
		},
		{
			name: "another has it, of which the file does not know", others: []string{otherDirector}, worst: Warning,
			want: []string{"warning: the virtual address 10.0.0.80 is on no device, and " + otherDirector + " has it [for a pair: hostsetup = noaddress in t.cf says that another program moves the address]"},
		},
		{
			name: "hostsetup left it out", head: "hostsetup=yes\n", others: []string{otherDirector}, worst: Error,
			want: []string{"error: " + otherDirector + " answers ARP for the virtual address 10.0.0.80, too [that machine has to give it up, or hostsetup = noaddress in t.cf if it is the other director of a pair]"},
		},
		{
			name: "both have it, of which the file does not know", dev: "eth0", others: []string{otherDirector}, worst: Error,
			want: []string{"error: " + otherDirector + " answers ARP for the virtual address 10.0.0.80, too [if it is a real server, there: ldirectord host realserver up --vip 10.0.0.80; if it is another director, one of both has to give it up]"},
		},
		{name: "routed and served", head: routed, dev: "lvs0"},
		{name: "routed and not served", head: routed, want: []string{"note: the virtual address 10.0.0.80 is not on this host [ldirectord t.cf served 10.0.0.80 tells whether it is, and why it is not]"}},
		{
			name: "routed, and on a network", head: routed, dev: "eth0", worst: Warning,
			want: []string{"warning: the virtual address 10.0.0.80 is on eth0, and not on lvs0 (vipdevice) [ip address delete 10.0.0.80/32 dev eth0]"},
		},
		{name: "by a command and not served", head: command, want: []string{"note: the virtual address 10.0.0.80 is not on this host [ldirectord t.cf served 10.0.0.80 tells whether it is, and why it is not]"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := wellSurvey(nil)
			delete(s.Addresses, vip)
			if tt.dev != "" {
				s.Addresses[vip] = Placed{tt.dev, 32}
			}
			s.Strangers = map[netip.Addr][]string{vip: tt.others}
			s.Asked = map[netip.Addr]bool{vip: !tt.unasked}
			head := tt.head
			if head == owned {
				head, s.Owned = "", map[netip.Addr]string{vip: "keepalived.conf"}
			}
			findings := DiagnoseDirector(parse(t, head+"quiescent=yes\nvirtual=10.0.0.80:80\n    real=10.0.1.11:80 gate\n"), s)
			if diff := cmp.Diff(tt.want, short(findings)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if got := Worst(findings); got != tt.worst {
				t.Errorf("the exit status is %d, want %d", got, tt.worst)
			}
		})
	}
}

// TestRivals has keepalived be one only if it may keep virtual services.
func TestRivals(t *testing.T) {
	dir := t.TempDir()
	config := func(name, text string) string {
		path := filepath.Join(dir, name)
		must(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	vrrp := config("vrrp.conf", "vrrp_instance a {\n virtual_ipaddress { 10.0.0.80 }\n # virtual_server\n}\n")
	both := config("both.conf", "vrrp_instance a { }\nvirtual_server 10.0.0.80 80 {\n}\n")
	tests := []struct {
		command string
		rival   bool
	}{
		{"keepalived -f " + vrrp, false},
		{"keepalived --use-file=" + vrrp, false},
		{"keepalived -f " + both, true},
		{"keepalived --vrrp -f " + both, false},
		{"keepalived -f " + filepath.Join(dir, "none"), true},
	}
	for _, tt := range tests {
		h, _ := testHost(t)
		h.machine.proc = t.TempDir()
		process := filepath.Join(h.machine.proc, "12")
		must(t, os.Mkdir(process, 0o700))
		must(t, os.WriteFile(filepath.Join(process, "comm"), []byte("keepalived\n"), 0o600))
		must(t, os.WriteFile(filepath.Join(process, "cmdline"), []byte(strings.ReplaceAll(tt.command, " ", "\x00")+"\x00"), 0o600))
		found := false
		for _, r := range h.rivals() {
			found = found || strings.HasPrefix(r.What, "keepalived")
		}
		if found != tt.rival {
			t.Errorf("%s: a rival: %v", tt.command, found)
		}
	}
}
