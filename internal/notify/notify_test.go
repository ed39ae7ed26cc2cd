package notify

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/account"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/lab"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// A scene is a Notifier whose mails are caught.
type scene struct {
	*Notifier
	virtual *conf.VirtualService
	real    *conf.RealServer

	mu    sync.Mutex
	began time.Time
	mails []string // when and what
	log   lines
}

// set makes a scene; change adjusts the virtual service.
func set(t *testing.T, cfg *conf.Config, change func(*conf.VirtualService)) *scene {
	t.Helper()
	s := &scene{began: time.Now()}
	s.real = &conf.RealServer{Addr: netip.MustParseAddr("10.1.0.1"), Port: 80}
	s.virtual = &conf.VirtualService{
		Addr:  netip.MustParseAddr("10.0.0.1"),
		Port:  80,
		Reals: []*conf.RealServer{s.real},
		Alert: conf.Alert{EmailAlert: "ops@example.com", EmailAlertStatus: conf.All},
	}
	if change != nil {
		change(s.virtual)
	}
	cfg.Virtuals = append(cfg.Virtuals, s.virtual)
	s.Notifier = New(Options{Log: s.printf}, cfg)
	s.outbox = newOutbox(s.catch, s.printf)
	return s
}

func (s *scene) printf(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log.printf(format, args...)
}

func (s *scene) catch(_ context.Context, l letter, _ bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails = append(s.mails, fmt.Sprintf("%v %s: %s", time.Since(s.began), l.to, l.subject))
	return nil
}

func (s *scene) event(kind event.Kind) {
	e := event.Event{
		Kind: kind, Virtual: s.virtual, Real: s.real, Status: conf.Running,
		V: "10.0.0.1:80", R: "10.1.0.1:80", ID: "tcp:10.0.0.1:80", Weight: 1,
	}
	if kind == event.Gone {
		e.Reason = "connection refused"
	}
	s.Event(e)
}

func (s *scene) wantMails(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if diff := cmp.Diff(want, s.mails); diff != "" {
		t.Errorf("mails differ (-want +got):\n%s", diff)
	}
}

const deletedMail = "ops@example.com: Deleted real server: 10.1.0.1:80 (10.0.0.1:80)"

func TestMailOnEvents(t *testing.T) {
	tests := map[string]struct {
		change func(*conf.VirtualService)
		mails  []string
		log    lines
	}{
		"wanted": {
			nil,
			[]string{"0s " + deletedMail},
			lines{"emailalert: Deleted real server: 10.1.0.1:80 (10.0.0.1:80)"},
		},
		"with a service name": {
			func(v *conf.VirtualService) { v.ServiceName = "Web" },
			[]string{"0s ops@example.com: [Web] Deleted real server: 10.1.0.1:80 (10.0.0.1:80)"},
			lines{"emailalert: Deleted real server: 10.1.0.1:80 (10.0.0.1:80)"},
		},
		"nobody to tell":             {func(v *conf.VirtualService) { v.EmailAlert = "" }, nil, nil},
		"not in this state":          {func(v *conf.VirtualService) { v.EmailAlertStatus = conf.Starting | conf.Stopping }, nil, nil},
		"emailalertstatus is 'none'": {func(v *conf.VirtualService) { v.EmailAlertStatus = 0 }, nil, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := set(t, &conf.Config{}, test.change)
				s.event(event.RealDeleted)
				s.event(event.Gone)
				s.wantMails(t, test.mails...)
				if diff := cmp.Diff(test.log, s.log); diff != "" {
					t.Errorf("log differs (-want +got):\n%s", diff)
				}
				s.Close(time.Time{})
			})
		})
	}
}

func TestMailHasItsReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := set(t, &conf.Config{}, nil)
		var bodies []string
		s.outbox = newOutbox(func(_ context.Context, l letter, _ bool) error {
			bodies = append(bodies, fmt.Sprintf("%v %s", time.Since(s.began), l.body))
			return nil
		}, s.printf)
		s.event(event.RealDeleted)
		s.event(event.Gone)
		synctest.Wait()
		s.event(event.RealQuiesced) // nobody says why
		time.Sleep(time.Minute)
		s.event(event.RealDeleted) // the daemon stops before anybody could
		s.Close(time.Time{})
		body := func(at, subject, reason string) string {
			return at + " ldirectord host: " + s.host + "\nLog-Message: " + subject + "\n" + reason + "Daemon-Status: running\n"
		}
		want := []string{
			body("0s", "Deleted real server: 10.1.0.1:80 (10.0.0.1:80)", "Reason: connection refused\n"),
			body("1s", "Quiescent real server: 10.1.0.1:80 (10.0.0.1:80) (Weight set to 1)", ""),
			body("1m0s", "Deleted real server: 10.1.0.1:80 (10.0.0.1:80)", ""),
		}
		if diff := cmp.Diff(want, bodies); diff != "" {
			t.Errorf("mails differ (-want +got):\n%s", diff)
		}
	})
}

func TestSenders(t *testing.T) {
	t.Setenv("USER", "monitor")
	t.Setenv("HOSTNAME", "director")
	synctest.Test(t, func(t *testing.T) {
		s := set(t, &conf.Config{}, nil)
		var routes []route
		s.outbox = newOutbox(func(_ context.Context, l letter, _ bool) error {
			routes = append(routes, l.route)
			return nil
		}, s.printf)
		s.event(event.RealDeleted)
		time.Sleep(reasonPatience)
		synctest.Wait()
		s.virtual.EmailAlertFrom, s.virtual.SMTP = "ld@example.com", "mail"
		s.event(event.RealDeleted)
		s.Close(time.Time{})
		want := []route{
			{sender: "monitor@director", from: "monitor@director", to: "ops@example.com"},
			{server: "mail", sender: "monitor@director", from: "ld@example.com", to: "ops@example.com"},
		}
		if diff := cmp.Diff(want, routes, cmp.AllowUnexported(route{})); diff != "" {
			t.Errorf("routes differ (-want +got):\n%s", diff)
		}
	})
}

func TestGroupedMail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := set(t, &conf.Config{Notify: conf.Notify{EmailAlertGroup: 10 * time.Second}}, nil)
		for range 100 {
			s.event(event.RealDeleted)
		}
		time.Sleep(11 * time.Second)
		s.event(event.RealAdded)
		s.wantMails(t, "10s ops@example.com: 100 events: Deleted real server: 10.1.0.1:80 (10.0.0.1:80) and 99 more")
		time.Sleep(time.Second)
		s.Close(time.Time{}) // sends the waiting mails
		s.wantMails(
			t,
			"10s ops@example.com: 100 events: Deleted real server: 10.1.0.1:80 (10.0.0.1:80) and 99 more",
			"12s ops@example.com: Added real server: 10.1.0.1:80 (10.0.0.1:80) (Weight set to 1)",
		)
	})
}

func TestGroupsAreByRecipientAndBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := set(t, &conf.Config{Notify: conf.Notify{EmailAlertGroup: 10 * time.Second}}, nil)
		for range mostListed + 7 {
			s.event(event.RealAdded)
		}
		s.virtual.EmailAlert = "others@example.com"
		s.event(event.RealAdded)
		s.Use(&conf.Config{}) // grouping ends
		synctest.Wait()
		slices.Sort(s.mails)
		s.wantMails(
			t,
			fmt.Sprintf("0s ops@example.com: %d events: Added real server: 10.1.0.1:80 (10.0.0.1:80) (Weight set to 1) and %d more", mostListed+7, mostListed+6),
			"0s others@example.com: Added real server: 10.1.0.1:80 (10.0.0.1:80) (Weight set to 1)",
		)
		s.Close(time.Time{})
	})
}

// Ten thousand real servers die at once: some mails are sent one by one, the rest
// as one that lists some and counts the others. None is lost.
func TestMailsOfARackThatDies(t *testing.T) {
	const n = 10_000
	synctest.Test(t, func(t *testing.T) {
		s := set(t, &conf.Config{}, nil)
		s.outbox = newOutbox(func(_ context.Context, l letter, _ bool) error {
			time.Sleep(50 * time.Millisecond)
			s.mails = append(s.mails, fmt.Sprintf("%v %s", time.Since(s.began), l.subject))
			return nil
		}, s.printf)
		s.event(event.RealAdded)
		synctest.Wait() // it is under way
		for range n - 1 {
			s.event(event.RealAdded)
		}
		time.Sleep(time.Minute)
		s.event(event.RealAdded)
		s.Close(time.Time{})
		const added = "Added real server: 10.1.0.1:80 (10.0.0.1:80) (Weight set to 1)"
		const one = crowd + 1
		if len(s.mails) != one+2 {
			t.Fatalf("%d mails were sent, want %d and two", len(s.mails), one)
		}
		want := []string{
			fmt.Sprintf("10.05s %d events: %s and %d more", n-one, added, n-one-1),
			"1m0.05s " + added,
		}
		if diff := cmp.Diff(want, s.mails[one:]); diff != "" {
			t.Errorf("the last mails (-want +got):\n%s", diff)
		}
	})
}

// While the mail server hangs, mails are collected for as long as it takes, and
// when the daemon ends the log has the number of mails left.
func TestMailsWaitForAServerThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := set(t, &conf.Config{}, nil)
		s.outbox = newOutbox(func(ctx context.Context, _ letter, _ bool) error {
			<-ctx.Done()
			return ctx.Err()
		}, s.printf)
		s.event(event.RealAdded)
		synctest.Wait() // it is under way
		for range 1000 {
			s.event(event.RealAdded)
		}
		time.Sleep(time.Hour)
		if waiting := s.outbox.lanes.waitingIn(""); waiting > crowd {
			t.Errorf("%d mails wait, want %d at most", waiting, crowd)
		}
		if len(s.groups) != 1 {
			t.Errorf("%d mails are being collected, want 1", len(s.groups))
		}
		s.Close(time.Time{})
		if want := fmt.Sprintf("The daemon ends: %d that wait are left (mail)", crowd+1); s.log[len(s.log)-1] != want {
			t.Errorf("the last line of the log is %q, want %q", s.log[len(s.log)-1], want)
		}
	})
}

func TestReminders(t *testing.T) {
	const reminder = "ops@example.com: Inaccessible real server: 10.1.0.1:80 (10.0.0.1:80)"
	freq := func(v *conf.VirtualService) { v.EmailAlertFreq = 20 * time.Second }
	t.Run("until it is back", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := set(t, &conf.Config{}, freq)
			s.event(event.RealDeleted)
			s.event(event.Gone)
			time.Sleep(50 * time.Second)
			s.event(event.Back)
			time.Sleep(time.Hour)
			s.wantMails(t, "0s "+deletedMail, "20s "+reminder, "40s "+reminder)
			s.Close(time.Time{})
		})
	})
	t.Run("until it is purged", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := set(t, &conf.Config{}, freq)
			s.event(event.Gone)
			time.Sleep(25 * time.Second)
			s.event(event.RealPurged)
			time.Sleep(time.Hour)
			s.wantMails(t, "20s "+reminder, "25s ops@example.com: Purged real server (): 10.1.0.1:80 (10.0.0.1:80)")
			s.Close(time.Time{})
		})
	})
	t.Run("only if running is a state to be told of", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := set(t, &conf.Config{}, func(v *conf.VirtualService) {
				freq(v)
				v.EmailAlertStatus = conf.Starting
			})
			s.event(event.Gone)
			time.Sleep(time.Minute)
			s.wantMails(t)
			s.Close(time.Time{})
		})
	})
	t.Run("follow a reload", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := set(t, &conf.Config{}, freq)
			s.event(event.Gone)
			time.Sleep(25 * time.Second)
			v := *s.virtual
			v.EmailAlertFreq, v.EmailAlert = time.Minute, "others@example.com"
			s.Use(&conf.Config{Virtuals: []*conf.VirtualService{&v}})
			time.Sleep(65 * time.Second)
			s.Use(&conf.Config{})
			time.Sleep(time.Hour)
			s.wantMails(t, "20s "+reminder, "1m25s others@example.com: Inaccessible real server: 10.1.0.1:80 (10.0.0.1:80)")
			s.Close(time.Time{})
		})
	})
}

func TestCommandLine(t *testing.T) {
	v := &conf.VirtualService{Policy: conf.Policy{FallbackCommand: "/bin/fb -x"}}
	tests := []struct {
		kind     event.Kind
		protocol conf.Protocol
		v, want  string
	}{
		{event.FallbackOn, conf.TCP, "10.0.0.1:80", "/bin/fb -x start 10.0.0.1:80 tcp"},
		{event.FallbackOff, conf.UDP, "[fd00::1]:53", "/bin/fb -x stop [fd00::1]:53 udp"},
		{event.FallbackOn, conf.FWM, "8", "/bin/fb -x start 8 fwm"},
		{event.Gone, conf.TCP, "10.0.0.1:80", ""},
	}
	for _, test := range tests {
		v.Protocol = test.protocol
		got := commandLine(event.Event{Kind: test.kind, Virtual: v, V: test.v}).reveal()
		if got != test.want {
			t.Errorf("kind %d of %s: command is %q, want %q", test.kind, test.v, got, test.want)
		}
	}
	if got := commandLine(event.Event{Kind: event.FallbackOn, Virtual: &conf.VirtualService{}}).reveal(); got != "" {
		t.Errorf("command is %q without fallbackcommand", got)
	}
}

func TestFallbackCommandRuns(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	script := filepath.Join(t.TempDir(), "fb.sh")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho $# $* >>"+out+"\n[ $1 = start ]\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	s := set(t, &conf.Config{}, func(v *conf.VirtualService) { v.FallbackCommand = secret.Command(script) })
	s.event(event.FallbackOn)
	s.event(event.FallbackOff)
	s.event(event.FallbackOn)
	s.Close(time.Time{})
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("3 start 10.0.0.1:80 tcp\n3 stop 10.0.0.1:80 tcp\n3 start 10.0.0.1:80 tcp\n", string(got)); diff != "" {
		t.Errorf("commands differ (-want +got):\n%s", diff)
	}
	if want := "system(" + script + " stop 10.0.0.1:80 tcp) failed: exit status 1"; !slices.Contains(s.log, want) {
		t.Errorf("log is %q, want the line %q", strings.Join(s.log, "\n"), want)
	}
}

// TestCloseWaitsForFallbackCommands closes with functions in all queues that end only when
// they must: mails after 3 s, fallback commands at the deadline, if that is later.
func TestCloseWaitsForFallbackCommands(t *testing.T) {
	for _, budget := range []time.Duration{0, time.Second, 9 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			n := New(Options{Log: t.Logf}, &conf.Config{})
			began := time.Now()
			took := make([]time.Duration, len(n.queues()))
			for i, q := range n.queues() {
				q.lanes.do("x", func(ctx context.Context) {
					<-ctx.Done()
					took[i] = time.Since(began)
				})
			}
			n.Close(began.Add(budget))
			want := []time.Duration{closeTimeout, max(closeTimeout, budget), closeTimeout}
			if diff := cmp.Diff(want, took); diff != "" {
				t.Errorf("a budget of %v (-want +got):\n%s", budget, diff)
			}
		})
	}
}

// TestHungFallbackCommandIsKilled has a command that ends neither by itself nor by TERM.
func TestHungFallbackCommandIsKilled(t *testing.T) {
	dir := t.TempDir()
	script := filepath.Join(dir, "fb.sh")
	if err := os.WriteFile(script, []byte("#!/bin/sh\ntrap '' TERM\necho $$ >"+dir+"/pid\nsleep 98765\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	s := set(t, &conf.Config{}, func(v *conf.VirtualService) { v.FallbackCommand = secret.Command(script) })
	s.event(event.FallbackOff)
	eventually.True(t, "the command", func() bool { text, err := os.ReadFile(dir + "/pid"); return err == nil && len(text) > 1 })
	s.Close(time.Time{})
	if want := "system(" + script + " stop 10.0.0.1:80 tcp) failed: killed, the daemon ends"; !slices.Contains(s.log, want) {
		t.Errorf("log is %q, want the line %q", strings.Join(s.log, "\n"), want)
	}
	text, err := os.ReadFile(dir + "/pid")
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	eventually.True(t, "the command's end", func() bool { return syscall.Kill(pid, 0) != nil })
}

// TestCommandsWithoutTurn has commands that cannot be ended until the end of the daemon. The log does not
// say of others, for which they leave no time, that they were killed.
func TestCommandsWithoutTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log []string
		n := New(Options{Log: func(format string, args ...any) { log = append(log, fmt.Sprintf(format, args...)) }}, &conf.Config{})
		for i := range lanesAtOnce {
			n.shell.do(strconv.Itoa(i), func(context.Context) { <-n.shell.ctx.Done() })
		}
		synctest.Wait()
		v := &conf.VirtualService{Policy: conf.Policy{FallbackCommand: "/bin/fb"}}
		n.Event(event.Event{Kind: event.FallbackOff, Virtual: v, V: "10.0.0.1:80", ID: "tcp:10.0.0.1:80"})
		n.Close(time.Time{})
		want := []string{"system(/bin/fb stop 10.0.0.1:80 " + v.Protocol.String() + ") failed: not run, the daemon ends while others take its time"}
		if diff := cmp.Diff(want, log); diff != "" {
			t.Errorf("the log (-want +got):\n%s", diff)
		}
	})
}

// TestCommandsRunAsUser runs both commands as the user of checkuser.
func TestCommandsRunAsUser(t *testing.T) {
	lab.Root(t, "another user")
	dir := t.TempDir()
	nobody := account.Account{Name: "nobody", UID: 65534, GID: 65534, Groups: "65533", Home: "/nonexistent"}
	if err := errors.Join(os.Chmod(filepath.Dir(dir), 0o755), os.Chmod(dir, 0o777)); err != nil {
		t.Fatal(err)
	}
	line := func(file string) secret.Command {
		return secret.Command("umask 0; echo $(id -u) $(id -G) $HOME $USER >" + dir + "/" + file + "; :")
	}
	cfg := &conf.Config{Notify: conf.Notify{NotifyCommand: line("notify")}, Process: conf.Process{CheckUser: nobody}}
	s := set(t, cfg, func(v *conf.VirtualService) { v.FallbackCommand, v.CheckUser = line("fallback"), nobody })
	s.event(event.FallbackOn)
	s.event(event.Gone)
	s.Close(time.Time{})
	for _, file := range []string{"notify", "fallback"} {
		got, err := os.ReadFile(filepath.Join(dir, file))
		if want := "65534 65534 65533 /nonexistent nobody\n"; err != nil || string(got) != want {
			t.Errorf("%s: %q, %v, want %q; the log: %q", file, got, err, want, s.log)
		}
	}
}

func TestEventWithoutVirtual(t *testing.T) {
	s := set(t, &conf.Config{}, nil)
	s.Event(event.Event{Kind: event.VirtualPurged})
	s.Close(time.Time{})
	if len(s.mails) > 0 {
		t.Errorf("mails were sent: %q", s.mails)
	}
}
