package engine

import (
	"context"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/lab"
)

// Two thousand at once, of which every other fails in its own way: each gets
// its own verdict, and nothing is left behind.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	greeting := serve(t, func(conn net.Conn) {
		io.WriteString(conn, "220 ready\n")
		silent(conn)
	})
	quiet, refused, hole := serve(t, silent), lab.HoldPort(t), blackHole(t)
	asking := func(to checker.Target) ask {
		to.Network = "tcp"
		return ask{target: to, silent: true, answer: "220 ready"}
	}
	kinds := []struct {
		ask     checker.Talker
		timeout time.Duration
		want    verdict
	}{
		{asking(checker.Target{Addr: greeting}), ample, isUp},
		{asking(checker.Target{Addr: quiet}), time.Second, down("no answer in 1s")},
		{asking(checker.Target{Addr: greeting}), ample, isUp},
		{asking(checker.Target{Addr: refused}), ample, down("connection refused")},
		{checker.Connect{Addr: greeting}, ample, verdict{}},
		{checker.Connect{Addr: hole}, time.Second, down("no answer in 1s while connecting")},
	}
	for name, askAll := range map[string]func(e *Engine, n int, one func(i int) (checker.Checker, time.Duration), heard func(Result)){
		"each apart": eachApart, "in a batch": inABatch,
	} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t, Options{})
			before := openDescriptors(t)
			began := time.Now()
			var mu sync.Mutex
			got, want := map[verdict]int{}, map[verdict]int{}
			askAll(e, 2000, func(i int) (checker.Checker, time.Duration) {
				kind := kinds[i%len(kinds)]
				want[kind.want]++
				return kind.ask, kind.timeout
			}, func(r Result) {
				mu.Lock()
				defer mu.Unlock()
				got[verdictOf(r)]++
			})
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("verdicts (-want +got):\n%s", diff)
			}
			eventually.InTime(t, "all of them", began, time.Second)
			if diff := cmp.Diff(Load{}, e.Load()); diff != "" {
				t.Errorf("load (-want +got):\n%s", diff)
			}
			e.Close()
			// The listeners' own ends of the connections close a little later.
			if !eventually.Holds(func() bool { return openDescriptors(t) <= before }) {
				t.Errorf("%d descriptors are open, %d were before", openDescriptors(t), before)
			}
		})
	}
}

// eachApart makes n checks, each from a goroutine of its own, and returns after the last
// result.
func eachApart(e *Engine, n int, one func(i int) (checker.Checker, time.Duration), heard func(Result)) {
	var wg sync.WaitGroup
	for i := range n {
		c, timeout := one(i)
		wg.Go(func() { heard(e.Ask(context.Background(), c, timeout, 1)) })
	}
	wg.Wait()
}

// inABatch makes n checks in one batch, and returns after the last result.
func inABatch(e *Engine, n int, one func(i int) (checker.Checker, time.Duration), heard func(Result)) {
	var wg sync.WaitGroup
	batch := e.Batch()
	wg.Add(n)
	for i := range n {
		c, timeout := one(i)
		batch.Start(context.Background(), c, timeout, 1, func(r Result) {
			heard(r)
			wg.Done()
		})
	}
	batch.Leave()
	wg.Wait()
}

func openDescriptors(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

// A silent server must cost no other its turn, and its check keeps its whole
// timeout when it had to wait itself.
func TestBoundOfTalks(t *testing.T) {
	e := newEngine(t, Options{MaxTalks: 2})
	a := ask{target: checker.Target{Network: "tcp", Addr: serve(t, silent)}, silent: true}
	results := make(chan Result, 6)
	began := time.Now()
	for range 6 {
		go func() { results <- e.Ask(t.Context(), a, brief, 1) }()
	}
	for range 6 {
		r := <-results
		if diff := cmp.Diff(down("no answer in 150ms"), verdictOf(r)); diff != "" {
			t.Errorf("verdict (-want +got):\n%s", diff)
		}
		if r.Took < brief {
			t.Errorf("took %v, want the whole timeout of %v", r.Took, brief)
		}
	}
	if took := time.Since(began); took < 3*brief {
		t.Errorf("six checks, two at a time, took %v, want at least %v", took, 3*brief)
	}
}

// The server fails some attempts and then answers: the check is up with the first answer.
func TestAttempts(t *testing.T) {
	for _, tt := range []struct {
		failures int32
		attempts int
		up       bool
		want     int
	}{
		{0, 3, true, 1}, {2, 3, true, 3}, {3, 3, false, 3}, {1, 1, false, 1}, {1, 0, false, 1},
	} {
		var asked atomic.Int32
		addr := serve(t, func(conn net.Conn) {
			if asked.Add(1) > tt.failures {
				answering("hello!\n")(conn)
			}
		})
		a := ask{target: checker.Target{Network: "tcp", Addr: addr}, question: "hello?\n", answer: "hello!"}
		r := newEngine(t, Options{}).Ask(t.Context(), a, ample, tt.attempts)
		if up := r.Err == nil; up != tt.up || r.Attempts != tt.want {
			t.Errorf("%d failures: up %v after %d of %d attempts, want %v after %d", tt.failures, up, r.Attempts, tt.attempts, tt.up, tt.want)
		}
		if r.Err == nil && r.Sent != nil {
			t.Errorf("%d failures: the transcript of a failed attempt was kept with the good one: %q", tt.failures, r.Sent)
		}
	}
}

// A Dialogue that takes long to judge an answer keeps no other check waiting.
func TestSlowJudgement(t *testing.T) {
	e := newEngine(t, Options{})
	judging, release := make(chan struct{}), make(chan struct{})
	slow := thinking{
		ask:  ask{target: checker.Target{Network: "tcp", Addr: serve(t, answering("hello!\n")), Slow: true}},
		stop: func() { close(judging); <-release },
	}
	results := make(chan Result, 1)
	e.Start(t.Context(), slow, ample, 1, func(r Result) { results <- r })
	<-judging
	other := ask{target: checker.Target{Network: "tcp", Addr: serve(t, answering("hello!\n"))}, question: "hello?\n", answer: "hello!"}
	if r := e.Ask(t.Context(), other, ample, 1); r.Err != nil {
		t.Errorf("the other one: %v, want up", r.Err)
	}
	close(release)
	if r := <-results; r.Err != nil {
		t.Errorf("the slow one: %v, want up", r.Err)
	}
}

// A thinking Talker sends hello? and is up when it has processed the answer.
type thinking struct {
	ask
	stop func()
}

func (s thinking) Dialogue() checker.Dialogue { return s }

func (s thinking) Next(in []byte, _ bool) checker.Step {
	if len(in) == 0 {
		return checker.Step{Send: []byte("hello?\n")}
	}
	s.stop()
	return checker.Step{Done: true}
}

// Pause is called when results have been handed over, from wherever they came.
func TestPause(t *testing.T) {
	_, client := newTLS(t)
	quiet := serve(t, silent)
	for name, c := range map[string]checker.Checker{
		"a deadline":  ask{target: checker.Target{Network: "tcp", Addr: quiet}, silent: true},
		"an answer":   ask{target: checker.Target{Network: "tcp", Addr: serve(t, answering("hello!\n"))}, question: "hello?\n", answer: "hello!"},
		"TLS":         ask{target: checker.Target{Network: "tcp", Addr: quiet, TLS: client}},
		"a Caller":    call(func(context.Context) (string, error) { return "", nil }),
		"a lookup":    ask{target: checker.Target{Network: "tcp", Host: "nowhere.example"}},
		"a judgement": ask{target: checker.Target{Network: "tcp", Addr: serve(t, answering("hello!\n")), Slow: true}, question: "hello?\n", answer: "hello!"},
	} {
		t.Run(name, func(t *testing.T) {
			var handed atomic.Bool
			paused := make(chan struct{}, 1)
			e := newEngine(t, Options{Resolver: names{}, Pause: func() {
				if handed.Load() {
					select {
					case paused <- struct{}{}:
					default:
					}
				}
			}})
			e.Start(t.Context(), c, brief, 1, func(Result) { handed.Store(true) })
			select {
			case <-paused:
			case <-time.After(ample):
				t.Error("Pause was not called after the result")
			}
		})
	}
}

// A check with an answer before the end of the batch is up without a wait. One
// without waits until its deadline.
func TestBatch(t *testing.T) {
	e := newEngine(t, Options{})
	answers := make(chan struct{}, 1)
	prompt := ask{target: checker.Target{Network: "tcp", Addr: serve(t, func(conn net.Conn) {
		readLine(conn)
		io.WriteString(conn, "hello!\n")
		answers <- struct{}{}
		silent(conn)
	})}, question: "hello?\n", answer: "hello!"}
	late := ask{target: checker.Target{Network: "tcp", Addr: serve(t, silent)}, silent: true}
	results := make(chan Result, 2)
	batch := e.Batch()
	for range 2 { // also the second batch
		batch.Start(t.Context(), prompt, ample, 1, func(r Result) { results <- r })
		<-answers
		batch.Start(t.Context(), late, brief, 1, func(r Result) { results <- r })
		batch.Leave()
		for _, want := range []verdict{isUp, down("no answer in 150ms")} {
			if diff := cmp.Diff(want, verdictOf(<-results)); diff != "" {
				t.Errorf("verdict (-want +got):\n%s", diff)
			}
		}
	}
}

// Answers that came in time count before deadlines do, however many there are and
// although the loop was blocked.
func TestHeldUp(t *testing.T) {
	t.Parallel()
	const n, timeout = 600, 2 * time.Second
	e := newEngine(t, Options{})
	heldUp := make(chan struct{})
	var answered sync.WaitGroup
	answered.Add(n)
	late := ask{silent: true, answer: "hello!", target: checker.Target{Network: "tcp", Addr: serve(t, func(conn net.Conn) {
		<-heldUp
		io.WriteString(conn, "hello!\n")
		answered.Done()
		silent(conn)
	})}}
	results := make(chan Result, n)
	for range n {
		e.Start(t.Context(), late, timeout, 1, func(r Result) { results <- r })
	}
	e.Start(t.Context(), ask{silent: true, target: checker.Target{Network: "tcp", Addr: serve(t, func(conn net.Conn) {
		io.WriteString(conn, "hello!\n")
	})}}, ample, 1, func(Result) {
		timeUp := time.After(timeout)
		close(heldUp)
		answered.Wait()
		<-timeUp
	})
	got := map[verdict]int{}
	for range n {
		got[verdictOf(<-results)]++
	}
	if diff := cmp.Diff(map[verdict]int{isUp: n}, got); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
}
