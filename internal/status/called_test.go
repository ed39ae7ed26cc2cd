package status

import (
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/status/client"
)

// Every command understands the same names of a virtual service, and an error says which
// name it does not know.
func TestNamesOfVirtualServices(t *testing.T) {
	h := newHouse(t, strings.ReplaceAll(plainConfig, "virtual=10.0.0.1:80", "virtual=10.0.0.1:http")+"virtual6=[fd00::1]:80\n    checktype=on\n    real6=[fd00::2]:80 masq\n")
	c := client.New(h.path("s"))
	defer c.Close()
	for real, names := range map[string][]string{
		"10.1.0.1": {"tcp:10.0.0.1:80", "10.0.0.1:80", "10.0.0.1:http", "10.0.0.1", "Shop & <b>Co</b>"},
		"10.1.0.3": {"8", "fwm:8"},
		"fd00::2":  {"tcp:[fd00::1]:80", "[fd00::1]:80", "[fd00:0::1]:80", "tcp:[fd00:0::1]:80", "fd00::1", "[fd00:0::1]"},
		"":         {"10.0.0.9", "10.0.0.9:80", "udp:10.0.0.1:80", "udp:[fd00:0::1]:80", "10.0.0.1:81", "Shop", "9", "fwm6:8", "fd00::9", ":", "tcp:"},
	} {
		for _, name := range names {
			at := real
			if at == "" {
				at = "10.1.0.1"
			}
			_, snapshot := c.Snapshot(t.Context(), name, real)
			_, why := c.Why(t.Context(), at, name)
			_, history := c.History(t.Context(), report.HistoryQuery{Virtual: name, Real: real})
			_, recheck := c.Recheck(t.Context(), real, name)
			_, order := c.Order(t.Context(), report.Order{Verb: report.Drain, Real: at, Virtual: name})
			for what, err := range map[string]error{"show": snapshot, "why": why, "history": history, "recheck": recheck, "an order": order} {
				if real != "" && err != nil {
					t.Errorf("%s of %q: %v", what, name, err)
				}
				if real == "" && (err == nil || !strings.Contains(err.Error(), "virtual service "+name+": not in the configuration")) {
					t.Errorf("%s of %q, which there is not: %v", what, name, err)
				}
			}
		}
	}
}
