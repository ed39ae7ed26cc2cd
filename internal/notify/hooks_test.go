package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// A hookTest is hooks with a log, and a web server with settable answers.
type hookTest struct {
	*hooks
	server *httptest.Server

	mu      sync.Mutex
	answers []int // the next ones; then 200
	got     []delivery
	lines   []string
}

func newHookTest(t *testing.T, command string, answers ...int) *hookTest {
	t.Helper()
	h := &hookTest{answers: answers}
	h.server = httptest.NewServer(http.HandlerFunc(h.serve))
	t.Cleanup(h.server.Close)
	cfg := &conf.Config{Notify: conf.Notify{NotifyCommand: secret.Command(command), Webhook: secret.URL(h.server.URL + "/geheim?token=geheim")}}
	h.hooks = newHooks("director", h.logf, cfg)
	h.web.collect = time.Hour // only full deliveries and close send, however slow the machine is
	return h
}

// event passes on an event that is left to no other director.
func (h *hookTest) event(e event.Event) { h.hooks.event(e, false) }

func (h *hookTest) logf(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, fmt.Sprintf(format, args...))
}

func (h *hookTest) serve(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(r.Body)
	var d delivery
	if err != nil || json.Unmarshal(text, &d) != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
		h.logf("%s %s %s: %v", r.Method, r.Header, text, err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.answers) > 0 {
		status := h.answers[0]
		h.answers = h.answers[1:]
		w.WriteHeader(status)
		return
	}
	h.got = append(h.got, d)
}

func (h *hookTest) gone(real string) {
	h.event(event.Event{Kind: event.Gone, Time: time.Unix(0, 0), Virtual: &conf.VirtualService{Alert: conf.Alert{ServiceName: "Shop"}}, ID: "tcp:10.0.0.1:80", V: "10.0.0.1:80", R: real, Reason: "refused"})
}

// close ends the hooks and lets what waits run, however slowly.
func (h *hooks) close() {
	h.end()
	h.lanes.close(eventually.Limit)
	h.web.http.CloseIdleConnections()
}

func (h *hookTest) seen() (got []delivery, lines string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.got, strings.Join(h.lines, "\n")
}

func TestHooks(t *testing.T) {
	file := t.TempDir() + "/told"
	h := newHookTest(t, "cat >>"+file)
	h.gone("10.1.0.1:80")
	h.event(event.Event{Kind: event.RealDeleted, Virtual: &conf.VirtualService{}}) // one of the kernel's steps
	h.gone("10.1.0.2:80")
	h.close()
	h.gone("10.1.0.3:80") // too late

	got, lines := h.seen()
	if len(got) != 1 || len(got[0].Events) != 2 || lines != "" {
		t.Fatalf("the webhook got %+v; logged: %s", got, lines)
	}
	m := got[0].Events[0]
	if m.Kind != "gone" || m.Real != "10.1.0.1:80" || m.Host != "director" || m.Service != "Shop" || !strings.Contains(m.Text, "refused") {
		t.Errorf("the webhook got %+v", m)
	}
	text, err := os.ReadFile(file)
	if err != nil || strings.Count(string(text), "\n") != 2 || !strings.Contains(string(text), `"real":"10.1.0.2:80"`) {
		t.Errorf("the command got %s, %v", text, err)
	}
}

func TestWebhookRefuses(t *testing.T) {
	h := newHookTest(t, "", http.StatusForbidden)
	h.gone("10.1.0.1:80")
	h.close()
	got, lines := h.seen()
	if len(got) != 0 || !strings.Contains(lines, "it answers 403 Forbidden") || strings.Contains(lines, "geheim") {
		t.Errorf("got %+v; logged: %s", got, lines)
	}
}

func TestWebhookOfNobody(t *testing.T) {
	h := newHookTest(t, "")
	h.server.Close()
	h.gone("10.1.0.1:80")
	h.close()
	if _, lines := h.seen(); !strings.Contains(lines, "connection refused") || strings.Contains(lines, "geheim") {
		t.Errorf("logged: %s", lines)
	}
}

// Events beyond the size of one delivery go into others.
func TestWebhookFillsDeliveries(t *testing.T) {
	h := newHookTest(t, "")
	for range 2*mostListed + 7 {
		h.gone("10.1.0.1:80")
	}
	h.close()
	var events []int
	got, _ := h.seen()
	for _, d := range got {
		events = append(events, len(d.Events))
		if d.Omitted != 0 {
			t.Errorf("%d events were omitted", d.Omitted)
		}
	}
	if diff := cmp.Diff([]int{mostListed, mostListed, 7}, events); diff != "" {
		t.Errorf("events in each delivery (-want +got):\n%s", diff)
	}
}

// Ten thousand events at once, and a webhook that hangs: so many deliveries wait,
// and the last one counts the rest.
func TestWebhookIsBounded(t *testing.T) {
	h := newHookTest(t, "")
	hangs, began := make(chan struct{}), make(chan struct{})
	h.lanes.do(h.web.lane(), func(context.Context) { close(began); <-hangs })
	<-began
	const n, take = 20_000, (deliveriesWaiting + 1) * mostListed
	for range n {
		h.gone("10.1.0.1:80")
	}
	h.end()
	close(hangs)
	h.close()
	got, _ := h.seen()
	events, omitted := 0, 0
	for _, d := range got {
		events += len(d.Events)
		omitted += d.Omitted
	}
	if len(got) != deliveriesWaiting+1 || events != take || omitted != n-take {
		t.Errorf("%d deliveries with %d events and %d omitted, want %d, %d, %d", len(got), events, omitted, deliveriesWaiting+1, take, n-take)
	}
}

// Ten thousand events at once are not too many for the command. More are
// reported once, and their number when there is room again.
func TestCommandIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lines
		h := newHooks("director", log.printf, &conf.Config{})
		hangs := make(chan struct{})
		told := 0
		h.lanes.do("command", func(context.Context) { <-hangs })
		synctest.Wait()
		tell := func(n int) {
			for range n {
				if h.lanes.waitingIn("command") < commandsWaiting {
					h.lanes.do("command", func(context.Context) { told++ })
					continue
				}
				h.run(shellLine{command: "/bin/tell"}, report.Message{})
			}
		}
		tell(10_000)
		if len(log) > 0 {
			t.Errorf("logged %q for 10,000 events", log)
		}
		tell(10_007)
		close(hangs)
		synctest.Wait()
		h.run(shellLine{command: "true"}, report.Message{})
		h.close()
		want := lines{
			"system(/bin/tell) failed: " + errTooManyCommands.Error(),
			"The notifycommand is run again, of 7 events it was not told",
		}
		if diff := cmp.Diff(want, log); diff != "" || told != commandsWaiting {
			t.Errorf("%d events were told, want %d; log differs (-want +got):\n%s", told, commandsWaiting, diff)
		}
	})
}

func TestNotifyCommandFails(t *testing.T) {
	h := newHookTest(t, "exit 3")
	h.use(&conf.Config{Notify: conf.Notify{NotifyCommand: "exit 3"}})
	h.gone("10.1.0.1:80")
	h.close()
	if _, lines := h.seen(); lines != "system(exit ***) failed: exit status 3" {
		t.Errorf("logged: %s", lines)
	}
}

// A web server gets its message also after a short failure.
// A failure is logged once for each receiver, and only its own losses are counted: one
// that is wrong after a reload, too, is reported. Its words are not: they may repeat the
// secret of the URL.
func TestWebhookFailsAfterReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lines []string
		cfg := func(host string) *conf.Config {
			return &conf.Config{Notify: conf.Notify{Webhook: secret.URL("https://" + host + "/geheim")}}
		}
		h := newHooks("director", func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }, cfg("a"))
		h.web.http.Transport = transport(func(r *http.Request) (*http.Response, error) {
			if r.URL.Host == "c" {
				return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
			}
			return &http.Response{StatusCode: http.StatusNotFound, Status: "404 no " + r.URL.Path, Body: http.NoBody}, nil
		})
		for _, host := range []string{"a", "b", "b", "c"} {
			h.use(cfg(host))
			(&hookTest{hooks: h}).gone("10.1.0.1:80")
			time.Sleep(time.Minute)
		}
		h.close()
		want := "The webhook at a was not reached: it answers 404 Not Found\nThe webhook at b was not reached: it answers 404 Not Found"
		if got := strings.Join(lines, "\n"); got != want {
			t.Errorf("logged\n%s\nwant\n%s", got, want)
		}
	})
}

func TestWebhookRetries(t *testing.T) {
	tests := map[string]struct {
		answers []int
		tries   int
		logged  string
	}{
		"at once":      {nil, 1, ""},
		"second time":  {[]int{500}, 2, ""},
		"third time":   {[]int{503, 429}, 3, ""},
		"never":        {[]int{500, 500, 502, 500}, 3, "The webhook at chat.example.com was not reached: it answers 502 Bad Gateway"},
		"not repeated": {[]int{404}, 1, "The webhook at chat.example.com was not reached: it answers 404 Not Found"},
		"redirected":   {[]int{302}, 1, "The webhook at chat.example.com was not reached: it answers 302 Found"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tries := 0
				var lines []string
				h := newHooks("director", func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) },
					&conf.Config{Notify: conf.Notify{Webhook: "https://chat.example.com/geheim"}})
				h.web.http.Transport = transport(func(*http.Request) (*http.Response, error) {
					status := http.StatusOK
					if tries < len(tt.answers) {
						status = tt.answers[tries]
					}
					tries++
					return &http.Response{StatusCode: status, Status: fmt.Sprint(status, " ", http.StatusText(status)), Body: http.NoBody}, nil
				})
				(&hookTest{hooks: h}).gone("10.1.0.1:80")
				time.Sleep(time.Minute)
				h.close()
				if text := strings.Join(lines, "\n"); tries != tt.tries || text != tt.logged {
					t.Errorf("%d tries, logged %q, want %d, %q", tries, text, tt.tries, tt.logged)
				}
			})
		})
	}
}

// Who ends while a webhook waits for its next try tries at once, for the last
// time, and says why that failed.
func TestWebhookEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		var log lines
		h := newHooks("director", log.printf, &conf.Config{Notify: conf.Notify{Webhook: "https://chat.example.com/geheim"}})
		h.web.http.Transport = transport(func(r *http.Request) (*http.Response, error) {
			tries++
			if err := r.Context().Err(); err != nil {
				return nil, err
			}
			return nil, errors.New("connection refused")
		})
		(&hookTest{hooks: h}).gone("10.1.0.1:80")
		time.Sleep(time.Second)
		synctest.Wait()
		began := time.Now()
		h.close()
		if diff := cmp.Diff(lines{"The webhook at chat.example.com was not reached: connection refused"}, log); diff != "" {
			t.Errorf("log differs (-want +got):\n%s", diff)
		}
		if took := time.Since(began); tries != 2 || took != 0 {
			t.Errorf("%d tries, ended after %v, want 2 tries at once", tries, took)
		}
	})
}

// A transport answers requests without a network.
type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }
