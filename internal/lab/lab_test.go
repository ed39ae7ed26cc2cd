package lab

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestInside(t *testing.T) {
	if !Inside(t) {
		return
	}
	version, err := os.ReadFile("/proc/version")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(version), "Linux version 6.1.") {
		t.Errorf("runs on %s", version)
	}
}

// TestBalancing sees that in every mode requests reach the real servers in
// turn, over IPv4 and IPv6, and from which address.
func TestBalancing(t *testing.T) {
	if !Inside(t) {
		return
	}
	tests := []struct {
		mode    Mode
		forward string
		from    string // whom the real server sees
	}{
		{DR, "-g", Client},
		{Tun, "-i", Client},
		{NAT, "-m", Client},
		{Masq, "-m", Back},
	}
	for _, tt := range tests {
		t.Run(string(tt.mode), func(t *testing.T) {
			n := New(t, tt.mode, 2)
			n.Ipvsadm(strings.NewReplacer("FORWARD", tt.forward).Replace(`
-A -t 10.0.0.80:80 -s rr
-a -t 10.0.0.80:80 -r 10.0.1.11:80 FORWARD
-a -t 10.0.0.80:80 -r 10.0.1.12:80 FORWARD
-A -t [fd00::80]:80 -s rr
-a -t [fd00::80]:80 -r [fd00:0:0:1::11]:80 FORWARD
-a -t [fd00::80]:80 -r [fd00:0:0:1::12]:80 FORWARD
`))
			want := []string{"rs2", "rs1", "rs2", "rs1"}
			for _, vip := range []string{VIP, "[" + VIP6 + "]"} {
				if diff := cmp.Diff(want, pages(t, n, vip, len(want))); diff != "" {
					t.Errorf("%s (-want +got):\n%s", vip, diff)
				}
			}
			if got := n.Web("rs1").Clients()[0].String(); got != tt.from {
				t.Errorf("rs1 was asked by %s, want %s", got, tt.from)
			}
		})
	}
}

// pages returns what the client gets from an address, time after time.
func pages(t *testing.T, n *Net, host string, times int) []string {
	t.Helper()
	var got []string
	for range times {
		page, err := n.Get("http://" + host + "/")
		if err != nil {
			page = err.Error()
		}
		got = append(got, page)
	}
	return got
}
