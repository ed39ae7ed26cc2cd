package cli

import (
	"bytes"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ldirectord/ldirectord/internal/host"
)

// TestHostUpWaits goes on while another machine has an address, with a line for each that has it, and
// ends when none has it, or with another error; without --wait it ends at once.
func TestHostUpWaits(t *testing.T) {
	taken := func(by string) error {
		return &host.TakenError{Taken: []host.Taken{{Address: netip.MustParseAddr("10.0.0.80"), Dev: "eth0", By: []string{by}, Real: true}}}
	}
	line := func(by string) string {
		return "virtual address 10.0.0.80 is not added to eth0: " + by + " has it: a real server without arp_ignore answers (ldirectord host realserver up --vip 10.0.0.80, there); it is tried again every 30s\n"
	}
	broken := errors.New("no device")
	for name, tt := range map[string]struct {
		wait    bool
		results []error
		took    time.Duration
		end     error
		said    string
	}{
		"nothing is taken": {true, []error{nil}, 0, nil, ""},
		"for a minute":     {true, []error{taken("a"), taken("a"), nil}, time.Minute, nil, line("a")},
		"by two in turn":   {true, []error{taken("a"), taken("b"), nil}, time.Minute, nil, line("a") + line("b")},
		"then a failure":   {true, []error{taken("a"), broken}, 30 * time.Second, broken, line("a")},
		"a failure":        {true, []error{broken}, 0, broken, ""},
		"without --wait":   {false, []error{taken("a")}, 0, taken("a"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out, errs bytes.Buffer
				s := &session{Env: Env{Stdout: &out, Stderr: &errs}}
				h := host.New(t.TempDir())
				tries, began := 0, time.Now()
				err := s.hostUp(h, tt.wait, func() error {
					tries++
					if tries > 1 {
						h.Say("address add 10.0.0.81/32 dev eth0 (is so already)", false)
					}
					return tt.results[tries-1]
				})
				if took := time.Since(began); took != tt.took || tries != len(tt.results) {
					t.Errorf("%d tries took %v, want %d and %v", tries, took, len(tt.results), tt.took)
				}
				if (err == nil) != (tt.end == nil) || err != nil && err.Error() != tt.end.Error() {
					t.Errorf("the error is %v, want %v", err, tt.end)
				}
				if got := errs.String(); got != tt.said || strings.Contains(out.String(), "already") {
					t.Errorf("said %q and %q, want %q", got, out.String(), tt.said)
				}
			})
		})
	}
}
