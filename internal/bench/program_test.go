package bench

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/director"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/lab"
	"github.com/ldirectord/ldirectord/ipvs"
)

// ours is the program itself.
func ours(t *testing.T) peer {
	t.Helper()
	return stands{ldirectord: lab.Program(t, "github.com/ldirectord/ldirectord/cmd/ldirectord")}.peers()[0]
}

// until waits for something that comes about.
func until(t *testing.T, p *process, what string, done func() bool) {
	t.Helper()
	if !eventually.Holds(done) {
		t.Fatalf("not in %v: %s; the program said:\n%s", eventually.Limit, what, &p.last)
	}
}

// Every server is checked once in an interval, whatever half of them do: dead ones
// delay no other. A busy machine may stall for a while; then all are checked less
// often, and still about equally often.
func TestOnceEachInterval(t *testing.T) {
	for _, fault := range []Fault{Refused, Silent, BlackHole} {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			const n = 200
			l := startLoad(t, n, fault, HTTP)
			p := startProcess(t, ours(t), work{kind: "http", n: n, port: l.port})
			until(t, p, "the healthy half is up", func() bool {
				p.table.fetch()
				return p.table.size() >= n/2
			})
			l.order(t, "forget", 0, n)
			began := time.Now()
			var fewest, most int
			until(t, p, "each healthy server is asked four times", func() bool {
				var totals []int
				for i := 0; i < n; i += 2 {
					totals = append(totals, l.visits(t, i, i+1).Total)
				}
				fewest, most = slices.Min(totals), slices.Max(totals)
				return fewest >= 4
			})
			if seconds := int(time.Since(began) / time.Second); fewest < most-2 || most > seconds+3 {
				t.Errorf("healthy servers were asked %d to %d times in %d seconds", fewest, most, seconds)
			}
		})
	}
}

// A reload of 37,298 real servers writes nothing when nothing has changed, and
// one thing when one weight has.
func TestLargeReload(t *testing.T) {
	const reals = 37298
	table := ipvs.NewMemory()
	d := director.New(director.Options{Table: table, Sink: func(event.Event) {}})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx, large(t, reals, 1)) }()
	<-d.Ready()
	for _, tt := range []struct {
		name   string
		weight int
		writes uint64
	}{
		{"unchanged", 1, 0},
		{"one weight", 2, 1},
		{"unchanged again", 2, 0},
	} {
		before := table.Writes()
		if err := d.Reload(ctx, large(t, reals, tt.weight)); err != nil {
			t.Fatal(err)
		}
		if got := table.Writes() - before; got != tt.writes {
			t.Errorf("%s: %d writes, want %d", tt.name, got, tt.writes)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	entries, err := table.Read()
	n := 0
	for _, e := range entries {
		n += len(e.Destinations)
	}
	if err != nil || n != reals {
		t.Errorf("%d real servers in the table, want %d: %v", n, reals, err)
	}
}

// large is a configuration without checks, in some 2,200 virtual services, whose
// table stays at the end.
func large(t *testing.T, reals, weight int) *conf.Config {
	t.Helper()
	var b strings.Builder
	b.WriteString("quiescent=no\ncleanstop=no\nmonitorlog=none\n")
	const each = 17
	for i := range reals {
		if i%each == 0 {
			fmt.Fprintf(&b, "virtual=10.%d.%d.1:80\n\tservice=http\n\tprotocol=tcp\n\tchecktype=on\n", i/each/256, i/each%256)
		}
		w := 1
		if i == reals/2 {
			w = weight
		}
		fmt.Fprintf(&b, "\treal=10.%d.%d.%d:80 masq %d\n", 100+i/62500, i/250%250, 1+i%250, w)
	}
	c, err := conf.Parse("large.cf", []byte(b.String()), conf.Options{Hostname: "bench"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}
