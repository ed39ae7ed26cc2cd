package notify

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// lines is a log that remembers.
type lines []string

func (l *lines) printf(format string, args ...any) { *l = append(*l, fmt.Sprintf(format, args...)) }

func to(server, subject string) letter {
	return letter{route: route{server: server}, subject: subject}
}

func TestOutboxRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lines
		began := time.Now()
		var tries []string
		o := newOutbox(func(_ context.Context, l letter, encrypt bool) error {
			tries = append(tries, fmt.Sprintf("%v %s %v", time.Since(began), l.subject, encrypt))
			if time.Since(began) < 20*time.Second {
				return errors.New("connection refused")
			}
			return nil
		}, log.printf)
		o.post(to("a", "x"))
		time.Sleep(time.Hour)
		o.lanes.close(0)
		if diff := cmp.Diff([]string{"0s x true", "5s x false", "25s x false"}, tries); diff != "" {
			t.Errorf("tries differ (-want +got):\n%s", diff)
		}
		if len(log) > 0 {
			t.Errorf("logged %q although the mail was sent", log)
		}
	})
}

// Who ends while a mail waits for its next try tries at once, for the last time,
// and says why that failed.
func TestOutboxEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lines
		var tries []string
		began := time.Now()
		o := newOutbox(func(ctx context.Context, _ letter, _ bool) error {
			tries = append(tries, time.Since(began).String())
			if err := ctx.Err(); err != nil {
				return err
			}
			return errors.New("connection refused")
		}, log.printf)
		o.post(to("a", "x"))
		time.Sleep(time.Second)
		o.lanes.close(time.Minute)
		if diff := cmp.Diff([]string{"0s", "1s"}, tries); diff != "" {
			t.Errorf("tries differ (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(lines{"failed to send SMTP email message: connection refused"}, log); diff != "" {
			t.Errorf("log differs (-want +got):\n%s", diff)
		}
		if took := time.Since(began); took != time.Second {
			t.Errorf("ended after %v, want 1s", took)
		}
	})
}

func TestOutboxReportsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lines
		down, tries := true, 0
		o := newOutbox(func(context.Context, letter, bool) error {
			tries++
			if down {
				return errors.New("no route to host")
			}
			return nil
		}, log.printf)
		for range 10 {
			o.post(to("a", "x"))
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if want := 1 + len(retryPauses) + 9; tries != want {
			t.Errorf("%d tries for ten letters, want %d", tries, want)
		}
		down = false
		o.post(to("a", "y"))
		time.Sleep(time.Minute)
		o.lanes.close(0)
		want := lines{"failed to send SMTP email message: no route to host", "Mail can be sent again, 10 were lost"}
		if diff := cmp.Diff(want, log); diff != "" {
			t.Errorf("log differs (-want +got):\n%s", diff)
		}
	})
}

func TestOutboxDoesNotRepeatWhatIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lines
		tries := 0
		o := newOutbox(func(context.Context, letter, bool) error {
			tries++
			return fmt.Errorf("%w: 550 no such user", errRefused)
		}, log.printf)
		o.post(to("", "x"))
		time.Sleep(time.Hour)
		o.lanes.close(0)
		if tries != 1 {
			t.Errorf("%d tries, want 1", tries)
		}
		if diff := cmp.Diff(lines{"failed to send email message: refused: 550 no such user"}, log); diff != "" {
			t.Errorf("log differs (-want +got):\n%s", diff)
		}
	})
}

func TestOutboxIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lines
		o := newOutbox(func(ctx context.Context, _ letter, _ bool) error {
			<-ctx.Done()
			return ctx.Err()
		}, log.printf)
		o.post(to("hangs", "x"))
		synctest.Wait()
		for range laneLength + 2 {
			o.post(to("hangs", "x"))
		}
		if diff := cmp.Diff(lines{"failed to send SMTP email message: " + errTooMany.Error()}, log); diff != "" {
			t.Errorf("log differs (-want +got):\n%s", diff)
		}
		began := time.Now()
		o.lanes.close(3 * time.Second)
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("close took %v with a server that hangs, want 3s", took)
		}
	})
}
