package checks

import (
	"errors"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/checkspec"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/virtual"
)

// configured is the configuration of a text, which is one without names.
func configured(t *testing.T, text string) *conf.Config {
	t.Helper()
	c, err := conf.Parse("t.cf", []byte(text), conf.Options{Hostname: "director"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestKitsAreShared says which checks share compiled patterns.
func TestKitsAreShared(t *testing.T) {
	const block = ":443\n    service=https\n    real=10.1.0.1:443 masq\n    real=10.1.0.2:443 masq\n    receive="
	text := "virtual=10.0.0.1" + block + "\"a+\"\nvirtual=10.0.0.2" + block + "\"b+\"\nvirtual=10.0.0.3" + block + "\"a+\"\n"
	made := Kits{}
	var all []*virtual.Kit
	for i, c := range configured(t, text).Virtuals {
		for _, r := range virtual.New(c, i, time.Time{}).Reals {
			all = append(all, made.Of(r.Spec))
		}
	}
	if all[0] != all[1] || all[0] != all[4] {
		t.Error("the same pattern is compiled more than once")
	}
	if all[0] == all[2] {
		t.Error("two patterns share a kit")
	}
}

func TestHideResult(t *testing.T) {
	v := &conf.VirtualService{Check: conf.Check{Negotiate: conf.Negotiate{Passwd: "geheim"}}}
	k := Kits{}.Of(checkspec.Of(v, "", ""))
	mine := errors.New("nobody answers")
	res := engine.Result{Detail: "hello geheim", Err: mine}
	k.HideResult(&res)
	if res.Detail != "hello ***" || res.Err != mine {
		t.Errorf("got %q and %v: want the detail hidden and the error as it was", res.Detail, res.Err)
	}
	res.Err = errors.New("no such password: geheim")
	k.HideResult(&res)
	if got := res.Err.Error(); got != "no such password: ***" {
		t.Errorf("got error %q", got)
	}
}
