package director

import (
	"context"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/ipvs"
)

// TestCancelledQueries ends queries while the director answers them; the race detector finds what is
// read too early.
func TestCancelledQueries(t *testing.T) {
	l := goLive(t, ipvs.NewMemory(), "virtual=10.0.0.1:80\n    real=10.1.0.1:80 masq\n    service=http\n")
	defer func() { l.end() }()
	for i := range 400 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%40)*time.Microsecond)
		_, err := l.d.Why(ctx, "nosuch", "")
		_, again := l.d.Recheck(ctx, "nosuch", "")
		cancel()
		if err == nil || again == nil {
			t.Fatalf("a query of what is not configured: %v, %v", err, again)
		}
	}
}
