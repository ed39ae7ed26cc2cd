package ipvs

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const connectionLines = `Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData
TCP 0A000064 C350 0A000050 0050 0A01000B 0050 ESTABLISHED     899
TCP 0A000064 0000 0A000050 0050 0A01000B 0050 NONE            299
IP  0A000064 0000 00000008 0000 0A01000B 0000 NONE             40 sip xyz
UDP fd00:0000:0000:0000:0000:0000:0000:0100 0035 [fd00:0000:0000:0000:0000:0000:0000:0080] 0035 fd00:0000:0000:0000:0000:0000:0000:0011 0035 UDP 300
a line that is none
TCP 0A00 C350 0A000050 0050 0A01000B 0050 ESTABLISHED 899
`

func TestReadConnections(t *testing.T) {
	var got []Connection
	for c, err := range readConnections(strings.NewReader(connectionLines)) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, c)
	}
	ap := netip.MustParseAddrPort
	real1 := ap("10.1.0.11:80")
	want := []Connection{
		{"TCP", ap("10.0.0.100:50000"), ap("10.0.0.80:80"), real1, "ESTABLISHED", 899 * time.Second, false},
		{"TCP", ap("10.0.0.100:0"), ap("10.0.0.80:80"), real1, "NONE", 299 * time.Second, true},
		{"IP", ap("10.0.0.100:0"), ap("0.0.0.8:0"), ap("10.1.0.11:0"), "NONE", 40 * time.Second, true},
		{"UDP", ap("[fd00::100]:53"), ap("[fd00::80]:53"), ap("[fd00::11]:53"), "UDP", 300 * time.Second, false},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.AddrPort{})); diff != "" {
		t.Errorf("connections (-want +got):\n%s", diff)
	}
}

func FuzzParseConnection(f *testing.F) {
	for line := range strings.Lines(connectionLines) {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if c, ok := parseConnection(line); ok && !c.Destination.IsValid() {
			t.Errorf("%q: no destination in %+v", line, c)
		}
	})
}
