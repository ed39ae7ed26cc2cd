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

// A disk is a sink that hangs until it is released, fails on demand and
// keeps the written lines.
type disk struct {
	hang   chan struct{} // nil does not hang
	err    error
	text   strings.Builder
	writes int
}

func (d *disk) write(lines []line) error {
	d.writes++
	if d.hang != nil {
		<-d.hang
	}
	if d.err != nil {
		return d.err
	}
	d.text.Write(joined(lines))
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

// fill puts lines until n were dropped.
func fill(q *queue, text string, n uint64) {
	for _, before := q.load(); ; {
		if _, dropped := q.load(); dropped-before == n {
			return
		}
		io.WriteString(q, text)
	}
}

// Dropped lines are counted, and the count is written in their place.
func TestQueueDropsWhenTheDiskHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{hang: make(chan struct{})}
		q := newQueue(d, note, nil)
		io.WriteString(q, "first ")
		synctest.Wait() // it is in the sink's hands now
		text := strings.Repeat("x", 8<<10)
		fill(q, text, 3)
		l := &Log{}
		l.out.Store(&output{queue: q})
		waiting, dropped := l.Load()
		if most := queueSize / (len(text) + lineCost); waiting != most || dropped != 3 {
			t.Errorf("%d wait, %d were dropped, want %d and 3", waiting, dropped, most)
		}
		d.hang <- struct{}{} // the first, and a portion is taken
		synctest.Wait()
		q.put([]byte(" room "))
		fill(q, text, 2)
		close(d.hang)
		synctest.Wait()
		q.put([]byte(" last "))
		q.close()
		got := strings.ReplaceAll(d.text.String(), "x", "")
		missing := errBehind.Error()
		want := "first (3 missing: " + missing + ") room (2 missing: " + missing + ") last (closed)"
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("written text, without the x, differs (-want +got):\n%s", diff)
		}
	})
}

// Every server of a large installation is gone while the disk stands still:
// nothing is lost, nothing changes its place, few writes are made of it, and no
// memory stays behind.
func TestQueueHoldsABurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{hang: make(chan struct{})}
		q := newQueue(d, note, nil)
		io.WriteString(q, "first\n")
		synctest.Wait()
		want := strings.Builder{}
		want.WriteString("first\n")
		for i := range 50_000 {
			line := fmt.Sprintf("[Sun Nov  1 02:12:00 2026|ldirectord.cf|4711] Deleted real server: 10.1.0.1:%d (10.0.0.1:80)\n", i)
			io.WriteString(q, line)
			want.WriteString(line)
		}
		time.Sleep(time.Second) // the moment
		close(d.hang)
		synctest.Wait()
		if q.lines != nil || q.size != 0 {
			t.Errorf("%d lines of %d bytes remain in the queue", len(q.lines), q.size)
		}
		q.close()
		want.WriteString("(closed)")
		if d.text.String() != want.String() {
			t.Errorf("the log has %d bytes, want %d, or another order", d.text.Len(), want.Len())
		}
		if most := 2 + 50_000*150/portion; d.writes > most {
			t.Errorf("%d writes, want %d at most", d.writes, most)
		}
	})
}

func TestQueueAfterClose(t *testing.T) {
	d := &disk{}
	q := newQueue(d, note, nil)
	q.close()
	q.put([]byte("late"))
	q.reopen()
	q.close()
	if got := d.text.String(); got != "(closed)" {
		t.Errorf("the sink saw %q after it was closed", got)
	}
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

// Write puts a copy of p, so that tests can print into a queue.
func (q *queue) Write(p []byte) (int, error) {
	q.put(append([]byte(nil), p...))
	return len(p), nil
}
