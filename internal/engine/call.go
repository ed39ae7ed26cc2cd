package engine

import (
	"context"
	"errors"
	"time"

	"github.com/ldirectord/ldirectord/checker"
)

// grace is how long after its deadline a Caller may still clean up: an external
// command's whole process group is killed within it.
const grace = time.Second

// An answer is the result of a Caller.
type answer struct {
	detail string
	err    error
}

// call makes one attempt of c. It returns by the deadline and the grace even if c
// does not: then c's goroutine is abandoned, and counted until it ends.
func (e *Engine) call(ctx context.Context, c checker.Caller, timeout time.Duration) (detail string, err error) {
	if int(e.abandoned.Load()) >= cap(e.calls) {
		return "", errTooManyRun
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	answers := make(chan answer)
	givenUp := make(chan struct{})
	go func() {
		a := check(ctx, c)
		select {
		case answers <- a:
		case <-givenUp:
			e.abandoned.Add(-1)
		}
	}()
	a, ok := await(ctx, answers)
	if !ok {
		e.abandoned.Add(1)
		close(givenUp)
		return "", noAnswer(timeout, talking)
	}
	if errors.Is(a.err, context.DeadlineExceeded) {
		a.err = noAnswer(timeout, talking)
	}
	return a.detail, a.err
}

// await returns the answer, if it comes until ctx ends or within the grace.
func await(ctx context.Context, answers <-chan answer) (a answer, ok bool) {
	select {
	case a = <-answers:
		return a, true
	case <-ctx.Done():
	}
	late := time.NewTimer(grace)
	defer late.Stop()
	select {
	case a = <-answers:
		return a, true
	case <-late.C:
		return answer{}, false
	}
}

// check calls c. A library that panics is an error like any other.
func check(ctx context.Context, c checker.Caller) (a answer) {
	defer func() {
		if p := recover(); p != nil {
			a = answer{err: broken(p)}
		}
	}()
	a.detail, a.err = c.Check(ctx)
	return a
}
