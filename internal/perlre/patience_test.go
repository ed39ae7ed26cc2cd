package perlre

import (
	"errors"
	"testing"
	"time"
)

// TestPatternPatience has a match that needs some time of the processor, on machines that
// give it a share of one: only a pattern that computes for too long is given up.
func TestPatternPatience(t *testing.T) {
	errLate := errors.New("the library's")
	for name, tt := range map[string]struct {
		needs time.Duration // of the processor
		share float64       // that the thread gets
		tries int
		want  error // nil, errGivenUp or ErrBusy
	}{
		"at once":                     {time.Millisecond, 1, 1, nil},
		"at once, on a busy machine":  {time.Millisecond, 0.1, 1, nil},
		"long, on a busy machine":     {400 * time.Millisecond, 0.1, 2, nil},
		"long, on a very busy one":    {700 * time.Millisecond, 0.05, 3, nil},
		"for ever":                    {time.Hour, 1, 1, errGivenUp},
		"for ever, on a busy machine": {time.Hour, 0.3, 2, errGivenUp},
		"on a machine that stands":    {400 * time.Millisecond, 0.001, 3, ErrBusy},
	} {
		t.Run(name, func(t *testing.T) {
			var used time.Duration
			tries := 0
			p := matchPatience
			p.used = func() time.Duration { return used }
			matched, err := p.match(func(limit time.Duration) (bool, error) {
				tries++
				gets := time.Duration(float64(limit) * tt.share)
				used += min(gets, tt.needs)
				if gets < tt.needs {
					return false, errLate
				}
				return true, nil
			})
			if tries != tt.tries || matched != (tt.want == nil) || !errors.Is(err, tt.want) {
				t.Errorf("%t, %v after %d tries, want %v after %d", matched, err, tries, tt.want, tt.tries)
			}
		})
	}
}

// TestPatternOnBusyMachine has the library give up a match that has computed for a
// moment: it is tried again, and not called a mismatch.
func TestPatternOnBusyMachine(t *testing.T) {
	p, err := Compile("(a+)+$")
	if err != nil {
		t.Fatal(err)
	}
	text := []rune("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab")
	busy := patience{first: time.Millisecond, last: 4 * time.Millisecond, cpu: time.Hour, used: threadTime}
	if _, err := busy.match(func(limit time.Duration) (bool, error) { return p.matchRunes(text, limit) }); !errors.Is(err, ErrBusy) {
		t.Errorf("error is %v, want one of this host", err)
	}
}

func TestThreadTime(t *testing.T) {
	began := threadTime()
	for end := time.Now().Add(10 * time.Second); threadTime() == began; {
		if time.Now().After(end) {
			t.Fatal("this thread computes and its time stands still")
		}
	}
}
