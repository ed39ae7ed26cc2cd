package logfile

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A disk is a sink that hangs until it is let go, fails on demand and
// remembers what was written.
type disk struct {
	hang chan struct{} // nil does not hang
	err  error
	text strings.Builder
}

func (d *disk) write(lines [][]byte) error {
	if d.hang != nil {
		<-d.hang
	}
	if d.err != nil {
		return d.err
	}
	for _, line := range lines {
		d.text.Write(line)
	}
	return nil
}

func (d *disk) reopen() { d.text.WriteString("(reopened)") }
func (d *disk) close()  { d.text.WriteString("(closed)") }

func note(n uint64, why error) []byte { return fmt.Appendf(nil, "(%d missing: %v)", n, why) }

func TestQueueKeepsOrder(t *testing.T) {
	d := &disk{}
	q := newQueue(d, note, nil)
	for i := range 100 {
		fmt.Fprintf(q, "%d ", i)
	}
	q.close()
	var want strings.Builder
	for i := range 100 {
		fmt.Fprintf(&want, "%d ", i)
	}
	if diff := cmp.Diff(want.String()+"(closed)", d.text.String()); diff != "" {
		t.Errorf("written text differs (-want +got):\n%s", diff)
	}
}

func TestQueueReopens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{}
		q := newQueue(d, note, nil)
		io.WriteString(q, "a ")
		synctest.Wait()
		q.reopen()
		synctest.Wait()
		io.WriteString(q, "b ")
		q.close()
		if got, want := d.text.String(), "a (reopened)b (closed)"; got != want {
			t.Errorf("the sink saw %q, want %q", got, want)
		}
	})
}

func TestQueueDropsWhenTheDiskHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{hang: make(chan struct{})}
		q := newQueue(d, note, nil)
		io.WriteString(q, "first ")
		synctest.Wait() // it is in the sink's hands now
		for range queueLength + 3 {
			io.WriteString(q, "x")
		}
		if waiting, dropped := (&Log{main: q}).Load(); waiting != queueLength || dropped != 3 {
			t.Errorf("%d wait, %d were dropped, want %d and 3", waiting, dropped, queueLength)
		}
		d.hang <- struct{}{}
		d.hang <- struct{}{}
		close(d.hang)
		q.close()
		want := "first " + strings.Repeat("x", queueLength) + "(3 missing: " + errBehind.Error() + ")(closed)"
		if diff := cmp.Diff(want, d.text.String()); diff != "" {
			t.Errorf("written text differs (-want +got):\n%s", diff)
		}
	})
}

func TestQueueCloseIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{hang: make(chan struct{})}
		q := newQueue(d, note, nil)
		io.WriteString(q, "x")
		began := time.Now()
		q.close()
		if took := time.Since(began); took != drainTimeout {
			t.Errorf("close took %v with a hanging disk, want %v", took, drainTimeout)
		}
		close(d.hang)
	})
}

func TestQueueComplainsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := errors.New("no space left on device")
		d := &disk{err: full}
		var complaints []string
		q := newQueue(d, note, func(err error) { complaints = append(complaints, err.Error()) })
		for range 3 {
			io.WriteString(q, "lost ")
			synctest.Wait()
		}
		d.err = nil
		io.WriteString(q, "kept ")
		synctest.Wait()
		d.err = errors.New("input/output error")
		io.WriteString(q, "lost ")
		q.close()
		if got, want := d.text.String(), "(3 missing: no space left on device)kept (closed)"; got != want {
			t.Errorf("the sink saw %q, want %q", got, want)
		}
		if diff := cmp.Diff([]string{"no space left on device", "input/output error"}, complaints); diff != "" {
			t.Errorf("complaints differ (-want +got):\n%s", diff)
		}
	})
}
