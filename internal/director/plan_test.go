package director

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/ipvs"
)

// The changes that a plan names are those that a reload with the same file makes.
func TestPlanIsWhatAReloadDoes(t *testing.T) {
	const down = "10.1.0.2:80"
	file := t.TempDir()
	if err := os.WriteFile(filepath.Join(file, "10.1.0.1"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	const before = "checkinterval=5\nvirtual=10.0.0.1:80\n    scheduler=rr\n    service=http\n    minalive=2\n    real=10.1.0.1:80 masq\n    real=10.1.0.2:80 masq\n"
	for name, after := range map[string]string{
		"the same":             before,
		"a weight":             strings.Replace(before, "10.1.0.1:80 masq", "10.1.0.1:80 masq 7", 1),
		"minalive is lower":    strings.Replace(before, "minalive=2", "minalive=1", 1),
		"minalive is gone":     strings.Replace(before, "    minalive=2\n", "", 1),
		"checktype on":         strings.Replace(before, "service=http", "checktype=on", 1) + "    real=10.1.0.3:80 masq\n",
		"a maintenance file":   "maintenancedir=" + file + "\n" + before,
		"a new virtual":        before + "virtual=10.0.0.2:80\n    checktype=on\n    real=10.1.0.4:80 gate 3\n",
		"quiescent, minalive0": "quiescent=yes\n" + strings.Replace(before, "minalive=2", "minalive=0", 1),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				memory := ipvs.NewMemory()
				l := goLive(t, memory, before, "none")
				defer l.end()
				time.Sleep(time.Minute)
				l.set(true, down) // it stays in service: minalive
				time.Sleep(time.Minute)
				changes, err := l.d.Plan(t.Context(), l.parse(after))
				if err != nil {
					t.Fatal(err)
				}
				var planned, done []string
				for _, c := range changes {
					planned = append(planned, c.String())
				}
				var mu sync.Mutex
				memory.OnChange = func(c ipvs.Change) {
					mu.Lock()
					defer mu.Unlock()
					done = append(done, c.String())
				}
				l.reload(after)
				time.Sleep(100 * time.Millisecond) // maintenance; before the next check
				mu.Lock()
				defer mu.Unlock()
				slices.Sort(planned)
				slices.Sort(done)
				if diff := cmp.Diff(planned, done); diff != "" {
					t.Errorf("-planned +done:\n%s\nthe log:\n%s", diff, l.logged())
				}
			})
		})
	}
}
