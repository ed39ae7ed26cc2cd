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
				plan, err := l.d.Plan(t.Context(), l.parse(after))
				if err != nil {
					t.Fatal(err)
				}
				var planned, done []string
				for _, c := range plan.Changes {
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

// A plan leads to the table that a reload makes, also after external changes that no look at
// the table has found, and where the reload itself ends a maintenance or brings one up.
func TestPlanLeadsWhereAReloadDoes(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "10.1.0.1"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	const service = "virtual=10.0.0.1:80\n    scheduler=rr\n    service=http\n    quiescent=yes\n    real=10.1.0.1:80 masq 5\n    real=10.1.0.2:80 masq 5\n"
	const two = "driftcheck=0\n" + service + "virtual=10.0.0.2:80\n    scheduler=rr\n    service=http\n    real=10.1.0.2:80 masq\n"
	on := func(text string) string { return strings.Replace(text, "service=http", "checktype=on", 1) }
	for name, tt := range map[string]struct{ before, drop, after string }{
		"a service that others removed leaves the file":    {two, "10.0.0.2:80", "driftcheck=0\n" + service},
		"a service that others removed stays in it":        {two, "10.0.0.2:80", two},
		"the end of a maintenance without a check":         {"maintenancedir=" + dir + "\n" + service, "", on(service)},
		"the end of a maintenance, and no check at all":    {"maintenancedir=" + dir + "\n" + service, "", strings.Replace(service, "service=http", "checktype=off", 1)},
		"one that is down needs no check, and begins slow": {service, "", on(service) + "    slowstart=600\n"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				memory := ipvs.NewMemory()
				l := goLive(t, memory, tt.before, "10.1.0.2:80")
				defer l.end()
				time.Sleep(time.Minute)
				for _, e := range entriesOf(t, memory) {
					if tt.drop != "" && strings.Contains(e.Service.Key.String(), tt.drop) {
						mustApply(t, memory, ipvs.Change{Op: ipvs.DeleteService, Service: e.Service})
					}
				}
				plan, err := l.d.Plan(t.Context(), l.parse(tt.after))
				if err != nil {
					t.Fatal(err)
				}
				planned := copyOf(t, memory)
				for _, c := range plan.Changes {
					mustApply(t, planned, c)
				}
				l.reload(tt.after)
				synctest.Wait() // maintenance; before the next check
				if diff := cmp.Diff(saved(t, planned), saved(t, memory)); diff != "" {
					t.Errorf("-planned +done:\n%s\nthe log:\n%s", diff, l.logged())
				}
			})
		})
	}
}

// What no kernel takes is no change of a plan, and the plan names it with the reason, once.
func TestPlanNamesWhatNoKernelTakes(t *testing.T) {
	const before = "virtual=10.0.0.1:80\n    checktype=on\n    real=10.1.0.1:80 masq\n"
	for name, tt := range map[string]struct {
		after         string
		changes, left []string
	}{
		"a new virtual service": {
			before + "virtual=10.0.0.2:80\n    checktype=on\n    scheduler=nosuch\n    real=10.1.0.1:80 masq\n", nil,
			[]string{"# left out: -A -t 10.0.0.2:80 -s nosuch: no scheduler of Linux has the name nosuch"},
		},
		"an old virtual service": {
			before + "    scheduler=nosuch\n    real=10.1.0.2:80 masq\n",
			[]string{"-a -t 10.0.0.1:80 -r 10.1.0.2:80 -m -w 1"},
			[]string{"# left out: -E -t 10.0.0.1:80 -s nosuch: no scheduler of Linux has the name nosuch"},
		},
		"a setting": {
			before + "virtual=10.0.0.2:80\n    checktype=on\n    persistent=600\n    netmask=300.0.0.0\n    real=10.1.0.1:80 masq\n", nil,
			[]string{"# left out: virtual service 10.0.0.2:80: netmask 300.0.0.0: 300 is not a number from 0 to 255"},
		},
		"a real server": {
			before + "    real=10.1.0.2:80 masq 4294967295\n", nil,
			[]string{"# left out: -a -t 10.0.0.1:80 -r 10.1.0.2:80 -m -w 4294967295: weight 4294967295 is not in 0 to 2147483647"},
		},
		"nothing": {before, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := goLive(t, ipvs.NewMemory(), before, "none")
				defer l.end()
				time.Sleep(time.Minute)
				plan, err := l.d.Plan(t.Context(), l.parse(tt.after))
				if err != nil {
					t.Fatal(err)
				}
				var changes, left []string
				for _, c := range plan.Changes {
					changes = append(changes, c.String())
				}
				for _, o := range plan.LeftOut {
					left = append(left, o.String())
				}
				if diff := cmp.Diff(tt.changes, changes) + cmp.Diff(tt.left, left); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			})
		})
	}
}

func entriesOf(t *testing.T, table ipvs.Table) []ipvs.Entry {
	t.Helper()
	entries, err := table.Read()
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func mustApply(t *testing.T, table ipvs.Table, c ipvs.Change) {
	t.Helper()
	if err := table.Apply(c); err != nil {
		t.Errorf("%s: %v", c, err)
	}
}
