package director

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/ipvs"
)

// An answers plays a real server of weight 50 with at most 40 connections, its checks and its agent, and
// what operators do.
type answers struct {
	t      *testing.T
	text   string
	dir    string // maintenance files
	mu     sync.Mutex
	agent  string        // the agent's line, "" is that it refuses
	late   time.Duration // after which it answers
	mute   bool          // external checks do not end
	fails  bool          // the checks
	status int           // of external checks, where the checks do not fail
	events []string      // of all kinds but those of the log
	table  *ipvs.Memory
	d      *Director
	end    func()
}

func newAnswers(t *testing.T, before, in, agent string, late time.Duration) *answers {
	a := &answers{t: t, dir: t.TempDir(), agent: agent, late: late, table: ipvs.NewMemory()}
	a.text = "checkinterval=10\nfailurecount=3\ncleanstop=no\nmaintenancedir=" + a.dir + "\n" + before +
		"check=app\n    checktype=external\n    checkcommand=/app\nvirtual=10.0.0.1:80\n    real=10.1.0.1:80 masq 50 u:40\n" + in + "    fallback=10.1.0.3:80 masq\n"
	return a
}

func (a *answers) begin() {
	o := Options{Table: a.table, Sink: a.hear, Ask: a.ask}
	o.Maintenance.NamesOf = func(context.Context, netip.Addr) ([]string, error) { return nil, nil }
	if a.d != nil {
		o.Overrides, o.Gone = a.d.Overrides(), a.d.Gone()
	}
	a.d = New(o)
	ctx, cancel := context.WithCancel(a.t.Context())
	ended := make(chan error, 1)
	cfg := configured(a.t, a.text)
	go func() { ended <- a.d.Run(ctx, cfg) }()
	<-a.d.Ready()
	a.end = func() { cancel(); <-ended }
}

func (a *answers) hear(e event.Event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if e.Kind == event.Started {
		a.events = append(a.events, e.Reason)
	}
}

// started are the reasons of all events of the kind Started so far.
func (a *answers) started() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return strings.Join(a.events, "; ")
}

func (a *answers) ask(ctx context.Context, c checker.Checker, _ time.Duration, _ int) engine.Result {
	a.mu.Lock()
	late := a.late
	_, isAgent := c.(checker.Agent)
	if a.mute {
		isAgent, late = true, time.Hour
	}
	a.mu.Unlock()
	if isAgent {
		select {
		case <-time.After(late):
		case <-ctx.Done():
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	reply, err := checker.ParseAgent(a.agent)
	switch {
	case isAgent && a.agent == "local":
		return engine.Result{Attempts: 1, Local: true, Err: checker.LocalError{Err: errors.New("no descriptors")}}
	case isAgent && err != nil:
		return engine.Result{Attempts: 1, Err: err}
	case isAgent && !reply.Up:
		return engine.Result{Attempts: 1, Detail: reply.String(), Err: errors.New("agent reports down")}
	case isAgent:
		return engine.Result{Attempts: 1, Detail: reply.String()}
	case a.fails:
		return engine.Result{Attempts: 1, Err: errors.New("connection refused")}
	}
	if e, ok := c.(checker.External); ok && e.Weighs && a.status > 1 {
		return engine.Result{Attempts: 1, Detail: fmt.Sprint("exit status ", a.status), Weighs: true, Weight: a.status - 2, Drains: a.status == 2}
	}
	return engine.Result{Attempts: 1}
}

// do does a step. After an order it is at once.
func (a *answers) do(what string) {
	verb, value, _ := strings.Cut(what, " ")
	file := filepath.Join(a.dir, "10.1.0.1:80")
	var err error
	switch verb {
	case "maintain":
		err = os.WriteFile(file, nil, 0o644)
	case "release":
		err = os.Remove(file)
	case "reload":
		err = a.d.Reload(a.t.Context(), configured(a.t, strings.Replace(a.text, "failurecount=3", "failurecount=4", 1)))
	case "restart":
		a.end()
		a.begin()
	case "agent", "late", "fails", "works", "unheard":
		a.mu.Lock()
		defer a.mu.Unlock()
		switch verb {
		case "agent":
			a.agent = value
		case "late":
			a.late, err = time.ParseDuration(value)
		case "unheard":
			a.mute = true
		default:
			a.fails = verb == "fails"
		}
	case "wait":
		time.Sleep(time.Minute)
	default:
		o := report.Order{Verb: verb, Real: "10.1.0.1:80", By: "alice"}
		o.Weight, o.Percent, _ = report.ParseWeight(value)
		_, _, err = a.d.Obey(a.t.Context(), o)
	}
	if err != nil {
		a.t.Fatalf("%s: %v", what, err)
	}
}

// has is the weight of the real server in the table and its upper threshold, "" is that it is not there.
func (a *answers) has() string {
	entries, err := a.table.Read()
	if err != nil {
		a.t.Fatal(err)
	}
	for _, e := range entries {
		for _, d := range e.Destinations {
			if d.Addr().String() == "10.1.0.1" {
				return fmt.Sprintf("%d u:%d", d.Weight, d.Upper)
			}
		}
	}
	return ""
}

// wants checks what the table has.
func (a *answers) wants(when, want string) {
	a.t.Helper()
	if got := a.has(); got != want {
		reasons, _ := a.d.Why(a.t.Context(), "10.1.0.1:80", "")
		a.t.Errorf("%s: the table has %q, want %q; %s", when, got, want, reasons[0].Because)
	}
}

// interruptions are what takes a real server out for a while, or changes its weight.
var interruptions = map[string][]string{
	"drain":                {"drain", "enable"},
	"drain, a while":       {"drain", "wait", "enable"},
	"disable":              {"disable", "wait", "enable"},
	"weight":               {"weight 8", "enable"},
	"weight, a while":      {"weight 8", "wait", "enable"},
	"drain after weight":   {"weight 50%", "drain", "wait", "weight 50%", "enable"},
	"maintenance":          {"maintain", "wait", "release", "wait"},
	"a drained one's":      {"drain", "maintain", "wait", "release", "wait", "enable"},
	"down":                 {"fails", "wait", "works", "wait", "enable"},
	"down while drained":   {"drain", "fails", "wait", "enable", "works", "wait", "enable"},
	"a reload":             {"reload", "wait"},
	"a reload, drained":    {"drain", "reload", "enable"},
	"a restart":            {"restart", "wait"},
	"a restart, drained":   {"drain", "restart", "wait", "enable"},
	"a restart by weight":  {"weight 8", "restart", "wait", "enable"},
	"a reload, maintained": {"maintain", "wait", "reload", "release", "wait"},
}

// Whatever takes a real server out for a while, or changes its weight: when that is over it has the weight
// and the threshold that its agent has said last, at once. An agent that was asked and has never answered
// decides nothing; while it was not asked since a restart, what was found stays.
func TestAgentAfterInterruptions(t *testing.T) {
	kinds := map[string]string{
		"beside":          "    checktype=connect\n    agentport=9000\n",
		"beside of two":   "    checktype=connect\n    alsocheck=app\n    agentport=9000\n",
		"beside no check": "    checktype=on\n    agentport=9000\n",
		"one of two":      "    checktype=agent\n    checkport=9000\n    alsocheck=app\n    checksneeded=1\n",
	}
	settings := map[string]string{
		"removed": "quiescent=no\n", "quiescent": "quiescent=yes\n", "quiescenttime": "quiescenttime=20\n", "by hand": "quiescent=no\nreturn=byhand\n", "slowly": "quiescent=yes\nslowstart=30\n",
	}
	states := map[string]struct {
		agent string
		then  []string
		want  string
	}{
		"never answers":             {"", nil, "50 u:40"},
		"other words":               {"what?", nil, "50 u:40"},
		"never could be asked":      {"local", nil, "50 u:40"},
		"answers":                   {"50% maxconn:7", nil, "25 u:7"},
		"answers no more":           {"50% maxconn:7", []string{"agent "}, "25 u:7"},
		"no more since a restart":   {"50% maxconn:7", []string{"agent ", "restart", "wait"}, "50 u:40"},
		"not yet since a restart":   {"50% maxconn:7", []string{"late 1h", "restart", "wait"}, "25 u:7"},
		"not asked since a restart": {"50% maxconn:7", []string{"agent local", "restart", "wait"}, "25 u:7"},
	}
	for kind, in := range kinds {
		for setting, before := range settings {
			for state, s := range states {
				for name, steps := range interruptions {
					restarts := strings.Contains(strings.Join(steps, " "), "restart")
					switch {
					case kind == "one of two" && s.agent == "local": // a check that could not be made
						continue
					case restarts && len(s.then) > 0, strings.HasPrefix(state, "not ") && !strings.HasPrefix(name, "drain") && !strings.HasPrefix(name, "weight") && name != "disable":
						continue
					}
					t.Run(fmt.Sprintf("%s/%s/%s/%s", kind, setting, state, name), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) {
							a := newAnswers(t, before, in, s.agent, time.Second)
							a.outlives(s.then, steps, s.want)
						})
					})
				}
			}
		}
	}
}

// outlives has the entry be as wanted after the steps of then, and again after an interruption.
func (a *answers) outlives(then, interruption []string, want string) {
	a.t.Helper()
	a.begin()
	defer func() { a.end() }()
	for _, step := range append([]string{"wait"}, then...) {
		a.do(step)
	}
	a.wants("before", want)
	for _, step := range interruption {
		a.do(step)
	}
	a.wants("afterwards", want)
}

// The same of the weight that an external check asks for.
func TestExternalWeightAfterInterruptions(t *testing.T) {
	const external = "    checktype=external\n    checkcommand=/own\n    externalweight=yes\n"
	kinds := map[string]string{
		"one check": external,
		"two":       external + "    alsocheck=app\n",
	}
	states := map[string]struct {
		then []string
		want string
	}{
		"asks":                      {nil, "10 u:40"},
		"asks, and fails once":      {[]string{"restart", "wait", "fails", "works"}, "10 u:40"},
		"not heard since a restart": {[]string{"unheard", "restart", "wait"}, "10 u:40"},
	}
	for kind, in := range kinds {
		for _, setting := range []string{"quiescent=no\n", "quiescent=yes\n", "quiescenttime=20\n", "return=byhand\nquiescent=no\n"} {
			for state, s := range states {
				for name, steps := range interruptions {
					if state == "not heard since a restart" && !strings.HasPrefix(name, "drain") && !strings.HasPrefix(name, "weight") && name != "disable" {
						continue
					}
					t.Run(fmt.Sprintf("%s/%s/%s/%s", kind, strings.ReplaceAll(setting, "\n", ","), state, name), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) {
							a := newAnswers(t, setting, in, "", 0)
							a.status = 12
							a.outlives(s.then, steps, s.want)
						})
					})
				}
			}
		}
	}
}

// The first checks of a real server wait for its agent's first answer, or until that has none. It gets no
// connection before, unless the table has it in service.
func TestFirstChecksAwaitAgent(t *testing.T) {
	for kind, in := range map[string]string{
		"beside":          "    checktype=connect\n    agentport=9000\n",
		"beside of two":   "    checktype=connect\n    alsocheck=app\n    agentport=9000\n",
		"one of two":      "    checktype=agent\n    checkport=9000\n    alsocheck=app\n    checksneeded=1\n",
		"beside no check": "    checktype=on\n    agentport=9000\n",
	} {
		for agent, want := range map[string]struct{ weight, started string }{
			"up":            {"50 u:40", "1 of 1 in service"},
			"10% maxconn:7": {"5 u:7", "1 of 1 in service"},
			"drain":         {"0 u:40", "0 of 1 in service; out: 10.1.0.1:80 (drained by its own answer: up 0%)"},
			"":              {"50 u:40", "1 of 1 in service"},
			"what?":         {"50 u:40", "1 of 1 in service"},
		} {
			for _, found := range []string{"", "0 u:40", "30 u:40"} {
				for _, quiescent := range []string{"yes", "no"} {
					t.Run(fmt.Sprintf("%s/%s/%s/quiescent %s", kind, agent, found, quiescent), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) {
							a := newAnswers(t, "quiescent="+quiescent+"\n", in, agent, 3*time.Second)
							a.finds(found)
							a.begin()
							before := found
							if before == "" && quiescent == "yes" {
								before = "0 u:40"
							}
							time.Sleep(1500 * time.Millisecond)
							a.wants("before the agent's answer", before)
							if got := a.started(); got != "" {
								t.Errorf("before the agent's answer: started: %q", got)
							}
							if kind == "one of two" && found != "" && agent != "up" {
								time.Sleep(time.Minute) // up as it was found, until it fails three times
							}
							time.Sleep(3 * time.Second)
							a.wants("after it", want.weight)
							if got := a.started(); got != want.started {
								t.Errorf("started: %q, want %q", got, want.started)
							}
							a.end()
						})
					})
				}
			}
		}
	}
}

// finds has the table have the real server already.
func (a *answers) finds(found string) {
	if found == "" {
		return
	}
	d := ipvs.Destination{AddrPort: netip.MustParseAddrPort("10.1.0.1:80"), Forward: ipvs.Masq}
	if _, err := fmt.Sscanf(found, "%d u:%d", &d.Weight, &d.Upper); err != nil {
		a.t.Fatal(err)
	}
	s := ipvs.Service{Key: ipvs.AddrKey(ipvs.TCP, netip.MustParseAddrPort("10.0.0.1:80")), Scheduler: "wrr"}
	for _, c := range []ipvs.Change{{Op: ipvs.AddService, Service: s}, {Op: ipvs.AddDestination, Service: s, Destination: d}} {
		if err := a.table.Apply(c); err != nil {
			a.t.Fatal(err)
		}
	}
}
