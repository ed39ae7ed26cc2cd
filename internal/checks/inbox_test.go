package checks

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/virtual"
)

// TestInOrder delivers results that come together in the order of the file.
func TestInOrder(t *testing.T) {
	asks := func(v int, reals ...int32) *virtual.Check {
		c := &virtual.Check{}
		for _, order := range reals {
			c.Users = append(c.Users, &virtual.Real{Virtual: &virtual.Service{Order: v}, Order: order})
		}
		return c
	}
	tests := []struct {
		name   string
		checks map[string]*virtual.Check
		come   []string
		want   []string
	}{
		{"nothing", nil, nil, nil},
		{"one", map[string]*virtual.Check{"a": asks(0, 0)}, []string{"a"}, []string{"a"}},
		{
			"of one virtual service",
			map[string]*virtual.Check{"a": asks(0, 0), "b": asks(0, 1), "c": asks(0, 2)},
			[]string{"b", "c", "a"},
			[]string{"a", "b", "c"},
		},
		{
			"of several, one for two real servers",
			map[string]*virtual.Check{"a": asks(0, 1, 7), "b": asks(0, 5), "c": asks(1, 0)},
			[]string{"c", "a", "b"},
			[]string{"a", "b", "c"},
		},
		{
			"of a check that was dropped",
			map[string]*virtual.Check{"dropped": asks(0), "a": asks(0, 1), "b": asks(0, 2)},
			[]string{"b", "dropped", "a"},
			[]string{"dropped", "a", "b"},
		},
	}
	// Many of each, so that what sorts them does not keep their order by chance.
	again := struct {
		name   string
		checks map[string]*virtual.Check
		come   []string
		want   []string
	}{name: "asked again before it was heard", checks: map[string]*virtual.Check{}}
	first, second := asks(0, 0), asks(0, 1)
	for i := range 100 {
		a, b := fmt.Sprint("a", i), fmt.Sprint("b", i)
		again.checks[a], again.checks[b] = first, second
		again.come = append(again.come, b, a)
		again.want = append(again.want, a)
	}
	for i := range 100 {
		again.want = append(again.want, fmt.Sprint("b", i))
	}
	tests = append(tests, again)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := NewInbox()
			for range 2 { // the second time in reused memory
				for _, name := range tt.come {
					b.Put(Result{Check: tt.checks[name], Result: engine.Result{Detail: name}})
				}
				var got []string
				for res := range b.InOrder() {
					got = append(got, res.Detail)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("heard (-want +got):\n%s", diff)
				}
			}
		})
	}
}
