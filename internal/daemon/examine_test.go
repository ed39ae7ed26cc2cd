package daemon

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestExaminer runs the doctor once for all who ask at the same time, and says why it cannot.
func TestExaminer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		answer, fault := `[{"severity":"error"}]`, errors.New("exit status 2")
		e := &examiner{run: func(ctx context.Context) ([]byte, error) {
			runs++
			return []byte(answer + "\n"), fault
		}}
		for range 3 {
			if got, err := e.examine(t.Context()); string(got) != answer || err != nil {
				t.Errorf("%s, %v", got, err)
			}
		}
		if runs != 1 {
			t.Errorf("%d runs for three questions", runs)
		}
		time.Sleep(examinedFor)
		answer = `{"error":{"code":"mistakes","message":"t.cf:1: Unknown command x"}}`
		if _, err := e.examine(t.Context()); err == nil || err.Error() != "t.cf:1: Unknown command x" {
			t.Errorf("with a broken file: %v", err)
		}
		answer = ""
		if _, err := e.examine(t.Context()); err == nil || err.Error() != "the doctor cannot be run: exit status 2" {
			t.Errorf("without an answer: %v", err)
		}
	})
}
