package virtual

import (
	"errors"

	"github.com/ldirectord/ldirectord/internal/checkspec"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/record"
)

// A kit is what checks of one spec share here: what checkers are made of, and the
// words of those that are up.
type Kit struct {
	*checkspec.Kit
	Usual record.Usual // the director's goroutine's
}

// key is the identity of the check of r. It is false if there is none (checktype
// on and off).
func (r *Real) Key() (checkspec.Key, bool) {
	at, ok := checkspec.At(r.Virtual.Conf, r.Conf)
	return checkspec.Key{Spec: r.Spec, At: at}, ok
}

// hideResult takes the secrets out of what a result says: servers exist that
// repeat in their answers what they were sent.
func (k *Kit) HideResult(res *engine.Result) {
	res.Detail = k.Secrets.Hide(res.Detail)
	if res.Err == nil {
		return
	}
	text := res.Err.Error()
	if hidden := k.Secrets.Hide(text); hidden != text {
		res.Err = errors.New(hidden)
	}
}
