package virtual

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/lab"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/table"
	"github.com/ldirectord/ldirectord/ipvs"
)

var policySeed = flag.Uint64("policy.seed", 0, "choose the combinations for the kernel's table by this seed; 0 is another one each time")

// servers is how many real servers a combination has. Two backup servers follow, if there are some.
const servers = 6

// A combination is one state of a virtual service, of all that the policy depends on.
type combination struct {
	up                           int // a bit for each real server
	fallback, keep               bool
	quiescence                   quiescence
	lost                         bool // the quorum was lost before
	backups                      int  // 0 is no backup servers, 1 dead ones, 2 one that is up, 3 two
	quorum, hysteresis, minalive int
	override                     string // of the second real server, "" is none; "waits" for enable, "maintenance"
}

// A quiescence is what becomes of servers out of service.
type quiescence uint8

const (
	removed quiescence = iota
	quiescent
	running // quiescenttime, of the dead ones
	over    // likewise
)

// combinations calls f with each.
func combinations(f func(combination)) (n int) {
	yesNo := []bool{false, true}
	for up := range 1 << servers {
		for _, override := range []string{"", report.Drain, report.Disable, report.Weight, "maintenance", "waits"} {
			for _, quorum := range []int{0, 1, 3, 6} {
				for _, minalive := range []int{0, 2} {
					for backups := range 4 {
						for _, fallback := range yesNo {
							for quiescence := removed; quiescence <= over; quiescence++ {
								for _, more := range []struct {
									keep, lost bool
									hysteresis int
								}{{}, {keep: true}, {lost: true}, {lost: true, hysteresis: 2}} {
									if quiescence > quiescent && (more.keep || more.lost) || quorum == 0 && more.keep || quorum == 0 && more.lost {
										continue
									}
									n++
									f(combination{up: up, fallback: fallback, quiescence: quiescence, keep: more.keep, lost: more.lost, backups: backups, quorum: quorum, hysteresis: more.hysteresis, minalive: minalive, override: override})
								}
							}
						}
					}
				}
			}
		}
	}
	return n
}

// text is the configuration.
func (c combination) text() string {
	var b strings.Builder
	b.WriteString("virtual=10.0.0.1:80\n    service=http\n")
	for i := range servers {
		fmt.Fprintf(&b, "    real=10.1.0.%d:80 masq %d\n", i+1, i+2)
	}
	if c.backups > 0 {
		b.WriteString("    backup=10.2.0.1:80 masq 11\n    backup=10.2.0.2:80 masq 12\n    backupbelow=2\n")
	}
	if c.fallback {
		b.WriteString("    fallback=127.0.0.1:80 masq\n")
	}
	fmt.Fprintf(&b, "    quorum=%d\n    hysteresis=%d\n    minalive=%d\n", c.quorum, c.hysteresis, c.minalive)
	switch c.quiescence {
	case removed:
	case quiescent:
		b.WriteString("    quiescent=yes\n")
	default:
		b.WriteString("    quiescenttime=60\n")
	}
	if c.keep {
		b.WriteString("    quorumrest=keep\n")
	}
	return b.String()
}

// isUp says whether the checks of a server are good.
func (c combination) isUp(i int) bool {
	if i >= servers {
		return i-servers < c.backups-1
	}
	return c.up>>i&1 == 1
}

// wanted is the model: what the documents say of the table. It has the weight of each destination.
func (c combination) wanted() map[string]int {
	backups := 0
	if c.backups > 0 {
		backups = 2
	}
	counts := func(i int) bool { return c.isUp(i) && (i != 1 || c.override == "" || c.override == report.Weight) }
	realsUp, backupsUp := 0, 0
	for i := range servers + backups {
		switch {
		case counts(i) && i < servers:
			realsUp++
		case counts(i):
			backupsUp++
		}
	}
	needed := c.backups > 0 && realsUp < 2
	alive := realsUp
	if needed {
		alive += backupsUp
	}
	want := c.quorum
	if c.lost {
		want = min(servers, c.quorum+c.hysteresis)
	}
	short := alive < want
	in := map[int]bool{}
	for i := range servers + backups {
		if counts(i) && (i < servers || needed) && (!short || !c.fallback || c.keep) {
			in[i] = true
		}
	}
	if !short { // the ones that went down last make up for what is missing; here the last ones of the file
		missing := c.minalive
		for i := range servers {
			if c.isUp(i) && (i != 1 || c.override != "maintenance" && c.override != "waits") { // a drained one is no fault
				missing--
			}
		}
		if needed {
			missing -= backupsUp
		}
		for i := servers - 1; i >= 0 && missing > 0; i-- {
			if out := i == 1 && c.override != "" && c.override != report.Weight; !c.isUp(i) && !out {
				in[i] = true
				missing--
			}
		}
	}
	return c.entries(backups, in, short)
}

// entries are the destinations for those in service.
func (c combination) entries(backups int, in map[int]bool, short bool) map[string]int {
	entries := map[string]int{}
	for i := range servers + backups {
		name, weight := fmt.Sprintf("10.1.0.%d:80", i+1), i+2
		if i >= servers {
			name, weight = fmt.Sprintf("10.2.0.%d:80", i-servers+1), i+5
		}
		if i == 1 && c.override == report.Weight {
			weight = 77
		}
		drains := i == 1 && c.override == report.Drain && c.isUp(i)
		switch {
		case in[i]:
			entries[name] = weight
		case c.quiescence == over && !c.isUp(i):
		case c.quiescence != removed, drains:
			entries[name] = 0
		}
	}
	if c.fallback && (len(in) == 0 || short) {
		entries["127.0.0.1:80"] = 1
	}
	return entries
}

// service is the virtual service in this state, with the verdicts injected. Those that are down have
// left service one after the other, the last one of the file last.
func (c combination) service(t *testing.T, cfg *conf.Config) *Service {
	t.Helper()
	now := time.Unix(1_800_000_000, 0)
	v := New(cfg.Virtuals[0], 0, now)
	for i, r := range v.Reals {
		r.Unchecked, r.Verdict, r.Since = false, policy.Down, now.Add(time.Duration(i)*time.Second)
		if c.isUp(i) {
			r.Verdict = policy.Up
		}
		r.Leaves = r.Verdict == policy.Down
		if r.Leaves && c.quiescence == over {
			setLeaving(r, Leaving{dead: now, expired: true})
		}
	}
	switch r := v.Reals[1]; c.override {
	case "":
	case "waits":
		var l Leaving
		if known := v.leavings[r]; known != nil {
			l = *known
		}
		l.waiting = now
		setLeaving(r, l)
	case "maintenance":
		r.BeginMaintenance("10.1.0.2", now)
	default:
		r.Override = &report.Override{Verb: c.override, Weight: 77}
	}
	if c.lost {
		v.Joint.Quorum = policy.QuorumLost
	}
	return v
}

// configurations parses each text once.
type configurations map[string]*conf.Config

func (all configurations) of(t *testing.T, c combination) *conf.Config {
	t.Helper()
	text := c.text()
	if cfg := all[text]; cfg != nil {
		return cfg
	}
	cfg, err := conf.Parse("t.cf", []byte(text), conf.Options{Hostname: "director"})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	all[text] = cfg
	return cfg
}

// printed is what the policy decides, as one text: who is in service with its weight, who has weight 0,
// and the fallback. It is rendered from package policy alone.
func printed(v *Service, members []policy.Member) map[string]int {
	rule := policy.RuleOf(v.Conf)
	servers, fallback := policy.Judge(rule, v.Joint.Standing, members).Entries(rule, members)
	entries := map[string]int{}
	for i, d := range servers {
		switch {
		case d.In:
			entries[v.Reals[i].At().String()] = d.Weight
		case d.Stays:
			entries[v.Reals[i].At().String()] = 0
		}
	}
	if fallback {
		entries["127.0.0.1:80"] = 1
	}
	return entries
}

// fill brings a table from nothing to the desired state of v, and returns the destinations that it has.
func fill(t *testing.T, to ipvs.Table, v *Service) map[string]int {
	t.Helper()
	Judge(v)
	for _, s := range table.Plan(v.Actual, v.Want(nil)) {
		if err := to.Apply(s.Change); err != nil {
			t.Fatalf("%s: %v", s.Change, err)
		}
	}
	list, err := to.Read()
	if err != nil || len(list) != 1 {
		t.Fatalf("%d services: %v", len(list), err)
	}
	entries := map[string]int{}
	for _, d := range list[0].Destinations {
		entries[d.AddrPort.String()] = d.Weight
	}
	if err := to.Apply(ipvs.Change{Op: ipvs.DeleteService, Service: list[0].Service}); err != nil {
		t.Fatal(err)
	}
	return entries
}

func words(entries map[string]int) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		list = append(list, fmt.Sprintf("%s=%d", name, entries[name]))
	}
	return strings.Join(list, " ")
}

// TestPolicyOverAllCombinations compares the policy that is printed, the independent model and the table
// in memory, for every combination.
func TestPolicyOverAllCombinations(t *testing.T) {
	files, memory, wrong, judged := configurations{}, ipvs.NewMemory(), 0, 0
	n := 0
	all := combinations(func(c combination) {
		if n++; wrong > 10 || testing.Short() && n%17 != 0 {
			return
		}
		judged++
		v := c.service(t, files.of(t, c))
		members := make([]policy.Member, len(v.Reals))
		for i, r := range v.Reals {
			members[i] = memberOf(r)
		}
		want := c.wanted()
		if got := printed(v, members); !maps.Equal(got, want) {
			wrong++
			t.Errorf("%+v:\nprinted %s\nmodel   %s", c, words(got), words(want))
		}
		if got := fill(t, memory, v); !maps.Equal(got, want) {
			wrong++
			t.Errorf("%+v:\ntable %s\nmodel %s", c, words(got), words(want))
		}
	})
	t.Logf("%d of %d combinations", judged, all)
}

// TestForecast compares the table of check --explain with the model: the servers die from the last one of the
// file on.
func TestForecast(t *testing.T) {
	files, rows := configurations{}, 0
	combinations(func(c combination) {
		if c.up != 0 || c.lost || c.override != "" || c.backups == 1 || c.backups == 2 {
			return
		}
		for _, o := range policy.Forecast(files.of(t, c).Virtuals[0]) {
			now := c
			if now.up = 1<<(servers-o.Dead) - 1; o.DeadBackups > 0 {
				now.backups, now.minalive = 1, 0 // the dead have left when the backup servers came in
			}
			in, backups, fallback := 0, 0, false
			for name, weight := range now.wanted() {
				switch {
				case name == "127.0.0.1:80":
					fallback = true
				case weight > 0 && strings.HasPrefix(name, "10.2."):
					backups++
				case weight > 0:
					in++
				}
			}
			expire := 0
			if c.quiescence == running {
				later := now
				later.quiescence = over
				expire = len(now.wanted()) - len(later.wanted())
			}
			if c.quiescence == over { // the same configuration
				expire = o.Expire
			}
			if o.Expire != expire {
				t.Errorf("%+v:\nforecast %+v\nmodel %d leave the table later", now, o, expire)
			}
			if rows++; o.In != in || o.Backups != backups || o.Fallback != fallback {
				t.Errorf("%+v:\nforecast %+v\nmodel %d real servers, %d backup servers, fallback %v", now, o, in, backups, fallback)
			}
		}
	})
	t.Logf("%d rows", rows)
}

// TestPolicyInTheKernel does the same in the lab kernel's table, for 200 of them.
func TestPolicyInTheKernel(t *testing.T) {
	if !lab.Inside(t) {
		return
	}
	if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	kernel, err := ipvs.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer kernel.Close()
	var all []combination
	combinations(func(c combination) { all = append(all, c) })
	seed := cmp.Or(*policySeed, uint64(time.Now().UnixNano()))
	random, files := rand.New(rand.NewPCG(seed, 0)), configurations{}
	const chosen = 200
	for range chosen {
		c := all[random.IntN(len(all))]
		if got, want := fill(t, kernel, c.service(t, files.of(t, c))), c.wanted(); !maps.Equal(got, want) {
			t.Errorf("-policy.seed=%d: %+v:\nkernel %s\nmodel  %s", seed, c, words(got), words(want))
		}
	}
	t.Logf("%d of %d combinations, -policy.seed=%d", chosen, len(all), seed)
}
