//go:build long

package acceptance

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestLongSyncDaemon fails over in each set-up of a pair, with each way in which the second
// director may know the connections, and wants the table of docs/scale-out.md to have the
// numbers.
func TestLongSyncDaemon(t *testing.T) {
	lab.Program(t, program)
	if !lab.Inside(t) {
		return
	}
	document, err := os.ReadFile("../../docs/scale-out.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []pairing{
		{name: "gate", mode: lab.DR},
		{name: "masq", mode: lab.NAT},
		{name: "gate, IPv6", mode: lab.DR, ipv6: true},
		{name: "gate, firewall mark", mode: lab.DR, mark: true},
		{name: "gate, persistent", mode: lab.DR, persistent: true},
	} {
		row, cells := "| "+p.name+" |", 0
		for _, m := range memories {
			t.Run(p.name+"/"+m.name, func(t *testing.T) {
				old, young := newPair(t, p, m).survivors(p, m)
				row += fmt.Sprintf(" %d/%d + %d/%d |", old, oldConns, young, youngConns)
				cells++
				wantOld, wantYoung := 0, 0
				if m.sync || m.mh {
					wantOld = oldConns
				}
				if m.mh {
					wantYoung = youngConns
				}
				if old != wantOld || young != wantYoung {
					t.Errorf("%d of %d connections live on, and %d of the %d youngest; want %d and %d", old, oldConns, young, youngConns, wantOld, wantYoung)
				}
			})
		}
		if cells == len(memories) && !strings.Contains(string(document), row+"\n") { // -run may leave some out
			t.Errorf("docs/scale-out.md lacks the row\n%s", row)
		}
	}
}
