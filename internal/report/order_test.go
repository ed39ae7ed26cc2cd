package report_test

import (
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
)

// TestOverrideTime is how long an order lasts, in words: an end that a file gives is no whole
// number of seconds after the file was written.
func TestOverrideTime(t *testing.T) {
	written := time.Date(2026, 11, 30, 10, 2, 35, 197975533, time.UTC)
	for lasts, want := range map[time.Duration]string{
		13*time.Hour + 58*time.Minute + 24802024467: "disable by file web1 for 13h58m25s",
		time.Hour:              "disable by file web1 for 1h0m0s",
		500 * time.Millisecond: "disable by file web1 for 500ms",
	} {
		o := report.Override{Verb: report.Disable, By: "file web1", Since: written, Until: written.Add(lasts)}
		if got := o.String(); got != want {
			t.Errorf("an order for %d ns is %q, want %q", lasts, got, want)
		}
	}
}
