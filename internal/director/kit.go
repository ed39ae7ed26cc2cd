package director

import (
	"errors"
	"unique"

	"github.com/ldirectord/ldirectord/internal/checkspec"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/record"
)

// A kit is what checks of one spec share here: what checkers are made of, and the
// words of those that are up.
type kit struct {
	*checkspec.Kit
	usual record.Usual // the director's goroutine's
}

// kits are those that one load has made. The next load makes its own, so that a
// kit is gone with the last check that needs it.
type kits map[unique.Handle[checkspec.Spec]]*kit

// of is the kit for a spec.
func (k kits) of(spec unique.Handle[checkspec.Spec]) *kit {
	if k[spec] == nil {
		k[spec] = &kit{Kit: checkspec.New(spec)}
	}
	return k[spec]
}

// key is the identity of the check of r. It is false if there is none (checktype
// on and off).
func (r *real) key() (checkspec.Key, bool) {
	at, ok := checkspec.At(r.virtual.conf, r.conf)
	return checkspec.Key{Spec: r.spec, At: at}, ok
}

// hideResult takes the secrets out of what a result says: servers exist that
// repeat in their answers what they were sent.
func (k *kit) hideResult(res *engine.Result) {
	res.Detail = k.Secrets.Hide(res.Detail)
	if res.Err == nil {
		return
	}
	text := res.Err.Error()
	if hidden := k.Secrets.Hide(text); hidden != text {
		res.Err = errors.New(hidden)
	}
}
