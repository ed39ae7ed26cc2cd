package director

import (
	"context"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/ipvs"
)

// TestEditedBetween edits the file between a daemon's end, which leaves the table, and
// the next one's start: the table is that of a first start with the new file, and what
// others have in it stays.
func TestEditedBetween(t *testing.T) {
	const before = `
fallback = 127.0.0.1:80
virtual = 10.0.0.1:80
    real = 10.1.0.1:80 masq 2
    real = 10.1.0.2:80 masq
    scheduler = rr
    checktype = on
virtual = 10.0.0.2:80
    checktype = on
    scheduler = wlc
    cleanstop = no
virtual = 7
    real = 10.1.0.3:80 gate
    checktype = on
`
	const one = "virtual = 10.0.0.1:80\n    real = 10.1.0.1:80 masq 2\n    scheduler = rr\n    checktype = on\n"
	edits := map[string]string{
		"nothing":                 before,
		"all services gone":       "checkinterval = 5\n",
		"some services gone":      one,
		"another address":         "virtual = 10.0.0.9:80\n    real = 10.1.0.1:80 masq\n    checktype = on\n",
		"another port":            "virtual = 10.0.0.1:81\n    real = 10.1.0.1:80 masq\n    checktype = on\n",
		"another protocol":        "virtual = 10.0.0.1:80\n    protocol = udp\n    real = 10.1.0.1:80 masq\n    checktype = on\n",
		"another mark":            "virtual = 8\n    real = 10.1.0.3:80 gate\n    checktype = on\n",
		"IPv6":                    "virtual6 = [fd00::1]:80\n    real6 = [fd00::2]:80 masq\n    checktype = on\n",
		"another scheduler":       "virtual = 10.0.0.1:80\n    real = 10.1.0.1:80 masq 2\n    scheduler = wrr\n    checktype = on\n",
		"another weight":          "virtual = 10.0.0.1:80\n    real = 10.1.0.1:80 masq 9\n    scheduler = rr\n    checktype = on\n",
		"another forwarding":      "virtual = 10.0.0.1:80\n    real = 10.1.0.1:80 ipip 2\n    scheduler = rr\n    checktype = on\n",
		"persistent":              one + "    persistent = 60\n",
		"another real server":     "virtual = 10.0.0.1:80\n    real = 10.1.0.4:80 masq\n    checktype = on\n",
		"no real server":          "virtual = 10.0.0.1:80\n    checktype = on\n",
		"another fallback":        "fallback = 127.0.0.2:80\nvirtual = 10.0.0.2:80\n    checktype = on\n    scheduler = wlc\n",
		"no fallback":             "virtual = 10.0.0.2:80\n    checktype = on\n    scheduler = wlc\n",
		"fallback is a real one":  "virtual = 10.0.0.2:80\n    real = 127.0.0.1:80 gate\n    checktype = on\n",
		"fallback beside a real":  "fallback = 127.0.0.1:80\nvirtual = 10.0.0.2:80\n    real = 10.1.0.9:80 gate\n    checktype = on\n",
		"cleanstop is another":    one + "    cleanstop = no\n",
		"order of the services":   "virtual = 7\n    real = 10.1.0.3:80 gate\n    checktype = on\n" + one,
		"a service more":          before + "virtual = 10.0.0.5:80\n    real = 10.1.0.5:80 masq\n    checktype = on\n",
		"quiescent, with a start": "quiescent = yes\n" + one,
	}
	foreign := ipvs.Service{Key: ipvs.AddrKey(ipvs.TCP, netip.MustParseAddrPort("10.0.0.77:80")), Scheduler: "sh"}
	for name, after := range edits {
		t.Run(name, func(t *testing.T) {
			table, fresh := ipvs.NewMemory(), ipvs.NewMemory()
			for _, m := range []*ipvs.Memory{table, fresh} {
				if err := m.Apply(ipvs.Change{Op: ipvs.AddService, Service: foreign}); err != nil {
					t.Fatal(err)
				}
			}
			left := leave(t, Options{Table: table}, before)
			held := leave(t, Options{Table: table, Ours: left.Held()}, after)
			leave(t, Options{Table: fresh}, after)
			if diff := cmp.Diff(listed(t, fresh), listed(t, table)); diff != "" {
				t.Errorf("the table (-first start +after the edit):\n%s", diff)
			}
			if got, want := len(held.Held()), len(listedServices(t, table))-1; got != want {
				t.Errorf("%d services are remembered, want %d", got, want)
			}
		})
	}
}

// leave runs a director with a file until the table stands, and ends it so that the
// table is left.
func leave(t *testing.T, o Options, text string) *Director {
	t.Helper()
	cfg, err := conf.Parse("t.cf", []byte("monitorlog=none\n"+text), conf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	o.Sink = func(event.Event) {}
	d := New(o)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx, cfg) }()
	<-d.Ready()
	d.Leave()
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	return d
}

func listedServices(t *testing.T, table ipvs.Table) []ipvs.Entry {
	t.Helper()
	entries, err := table.Read()
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// listed is a table in the words of ipvsadm, sorted.
func listed(t *testing.T, table ipvs.Table) []string {
	t.Helper()
	var lines []string
	for _, e := range listedServices(t, table) {
		lines = append(lines, ipvs.Change{Op: ipvs.AddService, Service: e.Service}.String())
		for _, d := range e.Destinations {
			lines = append(lines, ipvs.Change{Op: ipvs.AddDestination, Service: e.Service, Destination: d}.String())
		}
	}
	slices.Sort(lines)
	return lines
}
