package virtual

import (
	"errors"
	"testing"

	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/record"
)

// TestSilence has the words for an agent that did not put its real server into service.
func TestSilence(t *testing.T) {
	for want, res := range map[string]engine.Result{
		"its agent does not answer":                     {Err: errors.New("connection refused")},
		"its agent answers nonsense":                    {Err: errors.New("no words of an agent"), Detail: "hello"},
		"down by its agent: the agent says down (down)": {Err: errors.New("the agent says down (down)"), Detail: "down"},
	} {
		p := &Part{Check: &Check{}}
		p.Check.Past.Add(&record.Result{Result: res}, new(record.Usual))
		if got := silence(p).Detail; got != want {
			t.Errorf("the cause is %q, want %q", got, want)
		}
	}
}
