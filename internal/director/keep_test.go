package director

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ldirectord/ldirectord/ipvs"
)

// A real server that minalive keeps in service stays in service also after an external
// change: a deleted or flushed one comes back, a weight of 0 is respected. No more are
// kept than minalive says.
func TestKeptStaysKept(t *testing.T) {
	const file = "checkinterval=1\nfailurecount=1\nminalive=2\nvirtual=10.0.0.1:80\n    real=10.1.0.1:80 masq 2\n    real=10.1.0.2:80 masq 3\n    real=10.1.0.3:80 masq 4\n    service=http\n"
	const kept = "10.1.0.2:80 -w 3, 10.1.0.3:80 -w 4"
	for name, test := range map[string]struct{ words, want string }{
		"deleted":  {"-d -t 10.0.0.1:80 -r 10.1.0.2:80", kept},
		"flushed":  {"-D -t 10.0.0.1:80", kept},
		"weight 0": {"-e -t 10.0.0.1:80 -r 10.1.0.2:80 -m -w 0", "10.1.0.2:80 -w 0, 10.1.0.3:80 -w 4"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				table := ipvs.NewMemory()
				l := goLive(t, table, file)
				defer func() { l.end() }()
				for _, r := range []string{"10.1.0.1:80", "10.1.0.2:80", "10.1.0.3:80"} {
					time.Sleep(10 * time.Second)
					l.set(true, r)
				}
				time.Sleep(10 * time.Second)
				if got := destinations(saved(t, table)); got != kept {
					t.Fatalf("destinations when all checks fail %q, want %q", got, kept)
				}
				if err := table.Apply(parseIpvsadm(t, strings.Fields(test.words))); err != nil {
					t.Fatal(err)
				}
				time.Sleep(10 * time.Second)
				if got := destinations(saved(t, table)); got != test.want {
					t.Errorf("destinations %q, want %q", got, test.want)
				}
				l.set(false, "10.1.0.1:80") // and the two others are looked at again
				time.Sleep(10 * time.Second)
				l.set(true, "10.1.0.1:80")
				l.reload(file)
				time.Sleep(10 * time.Second)
				if got, want := destinations(saved(t, table)), "10.1.0.1:80 -w 2, 10.1.0.3:80 -w 4"; got != want {
					t.Errorf("destinations when the first has come and gone %q, want %q", got, want)
				}
			})
		})
	}
}

// A dead real server that somebody has given a weight in the table is taken out, with
// minalive too, however few are up.
func TestRaisedIsNotKept(t *testing.T) {
	const file = "checkinterval=1\nquiescent=yes\nminalive=2\nvirtual=10.0.0.1:80\n    real=10.1.0.1:80 masq 2\n    real=10.1.0.2:80 masq 3\n    service=http\n"
	for _, words := range []string{"-e -t 10.0.0.1:80 -r 10.1.0.2:80 -m -w 5", "-e -t 10.0.0.1:80 -r 10.1.0.2:80 -g -w 5"} {
		synctest.Test(t, func(t *testing.T) {
			table := ipvs.NewMemory()
			l := goLive(t, table, file, "10.1.0.2:80")
			defer func() { l.end() }()
			time.Sleep(10 * time.Second)
			if err := table.Apply(parseIpvsadm(t, strings.Fields(words))); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Second)
			if got, want := destinations(saved(t, table)), "10.1.0.1:80 -w 2, 10.1.0.2:80 -w 0"; got != want {
				t.Errorf("%s: destinations %q, want %q; the log:\n%s", words, got, want, l.logged())
			}
		})
	}
}
