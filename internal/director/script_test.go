package director

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/state"
	"github.com/ldirectord/ldirectord/ipvs"
)

var update = flag.Bool("update", false, "rewrite what testdata/director expects")

// TestScripts plays the text cases of testdata/director: a configuration, a
// script, and the transcript of what the director does about it.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("../../testdata/director/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			a := txtar.Parse(text)
			var got string
			synctest.Test(t, func(t *testing.T) { got = play(t, a) })
			want := section(a, "transcript")
			if *update {
				rewrite(t, file, a, got)
				return
			}
			if diff := gocmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", file, diff)
			}
		})
	}
}

func section(a *txtar.Archive, name string) string {
	for _, f := range a.Files {
		if f.Name == name {
			return string(f.Data)
		}
	}
	return ""
}

func rewrite(t *testing.T, file string, a *txtar.Archive, transcript string) {
	t.Helper()
	files := a.Files[:0]
	for _, f := range a.Files {
		if f.Name != "transcript" {
			files = append(files, f)
		}
	}
	a.Files = append(files, txtar.File{Name: "transcript", Data: []byte(transcript)})
	if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A stage is a director on an empty stage: a kernel in memory and real servers
// that answer as the script says.
type stage struct {
	t       *testing.T
	archive *txtar.Archive
	table   *ipvs.Memory
	theirs  atomic.Bool // changes of the table are somebody else's
	d       *Director
	cancel  context.CancelFunc
	ended   chan error
	dead    atomic.Bool // it was killed
	dir     string      // maintenance files

	overrides []report.Override // what a daemon would have written down
	outside   outside           // the maintenance directory and the resolver

	mu     sync.Mutex
	out    strings.Builder
	broken map[string]string // what a real server answers instead of "up"
	asked  map[string]int
}

// play performs the script and returns the transcript.
func play(t *testing.T, a *txtar.Archive) string {
	s := newStage(t, a)
	for line := range strings.Lines(section(a, "script")) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		s.write("> " + line)
		s.perform(strings.Fields(line))
		synctest.Wait()
	}
	if s.cancel != nil {
		s.stop()
	}
	return s.out.String()
}

func newStage(t *testing.T, a *txtar.Archive) *stage {
	s := &stage{t: t, archive: a, table: ipvs.NewMemory(), dir: t.TempDir(), broken: map[string]string{}, asked: map[string]int{}}
	s.table.OnChange = func(c ipvs.Change) {
		if !s.theirs.Load() {
			s.printf("kernel", "%s", c)
		}
	}
	return s
}

func (s *stage) printf(who, format string, args ...any) {
	s.write(who + ": " + fmt.Sprintf(format, args...))
}

func (s *stage) write(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out.WriteString(line + "\n")
}

func (s *stage) perform(words []string) {
	switch arg := words[1:]; words[0] {
	case "start":
		s.start(arg[0])
	case "stop":
		s.stop()
	case "leave":
		s.d.Leave()
		s.stop()
	case "kill":
		s.kill()
	case "reload":
		if err := s.d.Reload(s.t.Context(), s.load(arg[0])); err != nil {
			s.t.Fatal(err)
		}
	case "wait":
		pause, err := time.ParseDuration(arg[0])
		if err != nil {
			s.t.Fatal(err)
		}
		time.Sleep(pause)
	case "breaks":
		s.set(arg[0], strings.Join(arg[1:], " "))
	case "works":
		s.set(arg[0], "")
	case "ipvsadm":
		s.ipvsadm(arg)
	case "table":
		s.print("table")
	case "touch":
		if err := os.WriteFile(filepath.Join(s.dir, arg[0]), nil, 0o644); err != nil {
			s.t.Fatal(err)
		}
	case "rm":
		if err := os.Remove(filepath.Join(s.dir, arg[0])); err != nil {
			s.t.Fatal(err)
		}
	case "asked":
		s.mu.Lock()
		n := s.asked[arg[0]]
		s.asked[arg[0]] = 0
		s.mu.Unlock()
		s.printf("asked", "%d times", n)
	default:
		s.operate(words)
	}
}

func (s *stage) set(r, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken[r] = reason
}

func (s *stage) load(name string) *conf.Config {
	text := strings.ReplaceAll(section(s.archive, name), "$DIR", s.dir)
	if text == "" {
		s.t.Fatalf("no file %q in the case", name)
	}
	c, err := conf.Parse(name, []byte(text), conf.Options{
		LookupHost: func(name string, _ bool) (netip.Addr, error) { return netip.Addr{}, errors.New("no names here") },
		Hostname:   "director",
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// hostNames is what the real servers' addresses resolve to.
var hostNames = map[string][]string{"10.1.0.3": {"web3.example.com"}, "10.1.0.4": {"web4"}}

func (s *stage) start(name string) {
	var gone []state.Gone
	if s.d != nil {
		gone = s.d.Gone()
	}
	s.d = New(Options{
		Gone:        gone,
		Table:       wire{s},
		Ask:         s.ask,
		Maintenance: s.maintenance(),
		Sink:        s.event,
		Log: func(format string, args ...any) {
			s.printf("log", "%s", strings.ReplaceAll(fmt.Sprintf(format, args...), s.dir, "$DIR"))
		},

		Overrides: s.overrides,
	})
	ctx, cancel := context.WithCancel(s.t.Context())
	s.cancel, s.ended = cancel, make(chan error, 1)
	c := s.load(name)
	go func() { s.ended <- s.d.Run(ctx, c) }()
	<-s.d.Ready()
}

func (s *stage) stop() {
	s.cancel()
	if err := <-s.ended; err != nil {
		s.t.Errorf("Run ended with %v", err)
	}
	s.cancel = nil
}

// kill ends the director as SIGKILL would: nothing it does reaches anything.
func (s *stage) kill() {
	s.dead.Store(true)
	s.stop()
	s.dead.Store(false)
}

// A wire leads from the director to the table until the director is killed.
type wire struct{ *stage }

func (w wire) Read() ([]ipvs.Entry, error) { return w.table.Read() }
func (w wire) Close() error                { return nil }
func (w wire) Apply(c ipvs.Change) error {
	if w.dead.Load() {
		return nil
	}
	return w.table.Apply(c)
}

func (s *stage) do(c ipvs.Change) {
	if err := s.table.Apply(c); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) print(who string) {
	entries, err := s.table.Read()
	if err != nil {
		s.t.Fatal(err)
	}
	var b strings.Builder
	if err := ipvs.Save(&b, entries); err != nil {
		s.t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		s.printf(who, "%s", strings.TrimSpace(line))
	}
}

// ask answers for a real server, by the address in the checker. The last
// number of the address is the milliseconds it takes, of an IPv6 address 100 more,
// so that the order of the answers is always the same.
func (s *stage) ask(_ context.Context, c checker.Checker, _ time.Duration, attempts int) engine.Result {
	latency := 100
	for network, least := range map[string]int{"10.1.0.": 0, "fd00:1::": 100} {
		if _, rest, ok := strings.Cut(c.String(), network); ok {
			if _, err := fmt.Sscanf(rest, "%d", &latency); err != nil {
				s.t.Error(err)
			}
			latency += least
		}
	}
	time.Sleep(time.Duration(latency) * time.Millisecond)
	s.mu.Lock()
	defer s.mu.Unlock()
	for r, reason := range s.broken {
		if strings.Contains(c.String(), r) {
			s.asked[r]++
			if answer, drains := strings.CutPrefix(reason, "drains "); drains {
				return engine.Result{Detail: answer, Drains: true, Attempts: 1}
			}
			if reason != "" {
				return engine.Result{Err: errors.New(reason), Attempts: attempts, Local: strings.HasPrefix(reason, "our fault")}
			}
		}
	}
	return good(c)
}

// good is the result of a check that succeeds: an agent says up.
func good(c checker.Checker) engine.Result {
	res := engine.Result{Attempts: 1}
	if _, ok := c.(checker.Agent); ok {
		res.Detail = "up 100%"
	}
	return res
}

func (s *stage) event(e event.Event) {
	if s.dead.Load() {
		return
	}
	switch e.Kind {
	case event.Gone:
		s.printf("verdict", "%s is gone (%s, %d attempts)", e.R, e.Reason, e.Attempts)
	case event.Back:
		reason := ""
		if e.Reason != "" {
			reason = "; " + e.Reason
		}
		s.printf("verdict", "%s is back (%s)%s%s", e.R, wasDown(e.Down), reason, because(e))
	case event.StillGone:
		s.printf("verdict", "%s is still gone (%s)", e.R, e.Reason)
	case event.AllGone:
		s.printf("verdict", "all of %s are gone, fallback %q%s", e.ID, e.Fallback, because(e))
	case event.AnyBack:
		s.printf("verdict", "%s is served again%s", e.ID, because(e))
	case event.Started:
		s.printf("verdict", "%s %s: %s", e.ID, e.Phase, e.Reason)
	case event.FirstUp, event.FirstDown, event.Maintained, event.FallbackOn, event.FallbackOff, event.QuorumMet, event.QuorumOver:
		s.printf("original", "%s %s", e.Kind, cmp.Or(e.R, e.ID))
	default:
		mail := ""
		if e.Expected {
			mail = " (no mail)"
		}
		s.printf("log", "%s%s", e, mail)
	}
}

// wasDown reports whether there was a downtime; how long it was depends on the
// tick at which the checks began.
func wasDown(d time.Duration) string {
	if d == 0 {
		return "first answer"
	}
	return "was down"
}

// ipvsadm is somebody else at work on the table.
func (s *stage) ipvsadm(words []string) {
	s.theirs.Store(true)
	defer s.theirs.Store(false)
	if words[0] == "-C" {
		entries, err := s.table.Read()
		if err != nil {
			s.t.Fatal(err)
		}
		for _, e := range entries {
			s.do(ipvs.Change{Op: ipvs.DeleteService, Service: e.Service})
		}
		return
	}
	s.do(parseIpvsadm(s.t, words))
}

// parseIpvsadm reads the few of ipvsadm's words that the scripts use.
func parseIpvsadm(t *testing.T, words []string) ipvs.Change {
	ops := map[string]ipvs.Op{
		"-A": ipvs.AddService, "-E": ipvs.EditService, "-D": ipvs.DeleteService,
		"-a": ipvs.AddDestination, "-e": ipvs.EditDestination, "-d": ipvs.DeleteDestination,
	}
	op, ok := ops[words[0]]
	if !ok {
		t.Fatalf("ipvsadm %v: unknown operation", words)
	}
	c := ipvs.Change{Op: op, Service: ipvs.Service{Scheduler: "wlc"}, Destination: ipvs.Destination{Forward: ipvs.Route, Weight: 1}}
	for i := 1; i < len(words); i++ {
		next := func() string { i++; return words[i] }
		switch words[i] {
		case "-t":
			at := netip.MustParseAddrPort(next())
			c.Service.Key = ipvs.Key{Protocol: ipvs.TCP, Addr: at.Addr(), Port: at.Port(), IPv6: at.Addr().Is6()}
		case "-s":
			c.Service.Scheduler = next()
		case "-r":
			c.Destination.AddrPort = netip.MustParseAddrPort(next())
		case "-m":
			c.Destination.Forward = ipvs.Masq
		case "-g":
			c.Destination.Forward = ipvs.Route
		case "-w":
			if _, err := fmt.Sscan(next(), &c.Destination.Weight); err != nil {
				t.Fatal(err)
			}
		default:
			t.Fatalf("ipvsadm %v: unknown word %q", words, words[i])
		}
	}
	return c
}

// because is what an event's line has of its cause.
func because(e event.Event) string {
	if words := e.CauseWords(); words != "" {
		return "; " + words
	}
	return ""
}

// configured is the configuration of a text, which is one without names.
func configured(t *testing.T, text string) *conf.Config {
	t.Helper()
	c, err := conf.Parse("t.cf", []byte(text), conf.Options{Hostname: "director"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}
