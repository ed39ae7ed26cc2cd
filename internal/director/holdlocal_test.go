package director

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/checks"
	"github.com/ldirectord/ldirectord/internal/engine"
)

// Two of three checks cannot be made, for a minute: the table is held once, and
// let go once after that.
func TestTroubleDoesNotFlutter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log []string
		d := New(Options{Log: func(format string, args ...any) { log = append(log, fmt.Sprintf(format, args...)) }})
		d.conf = &conf.Config{Scheduling: conf.Scheduling{HoldLocal: true}}
		for i := range 60_000 {
			res := &checks.Result{At: time.Now()}
			// In some stretches a little more than half, in others a little less.
			if local := i%9 < 4+i/1000%2; local && i < 30_000 {
				res.Result = engine.Result{Local: true, Err: errors.New("too many open files")}
			}
			d.judgeOurselves(res)
			time.Sleep(2 * time.Millisecond)
		}
		if len(log) != 2 || !strings.HasPrefix(log[0], "Holding") || !strings.Contains(log[0], "too many open files") || !strings.Contains(log[1], "held no more") {
			t.Errorf("logged %d lines, want one for the beginning and one for the end: %q", len(log), log[:min(len(log), 9)])
		}
	})
}
