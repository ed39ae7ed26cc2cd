package policy

import (
	"slices"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/conf"
)

// TestScore goes through all verdicts of up to four checks, however many are needed: whatever
// the checks without a verdict turn out to be, a verdict that is known does not change.
func TestScore(t *testing.T) {
	for n := 1; n <= 4; n++ {
		for needed := 0; needed <= n+1; needed++ {
			everyVerdict(n, func(checks []Verdict) {
				got := scoreOf(needed, checks).Verdict()
				all := []Verdict{}
				everyVerdict(n, func(later []Verdict) {
					for i := range later {
						if later[i] == Unchecked || checks[i] != Unchecked && later[i] != checks[i] {
							return
						}
					}
					is, want := Down, needed
					if needed == 0 || needed > n {
						want = n
					}
					if countOf(later, Up) >= want {
						is = Up
					}
					all = append(all, is)
				})
				slices.Sort(all)
				all = slices.Compact(all)
				want := Unchecked
				if len(all) == 1 {
					want = all[0]
				}
				if got != want {
					t.Errorf("%v, %d needed: %v, want %v", checks, needed, got, want)
				}
			})
		}
	}
}

func scoreOf(needed int, checks []Verdict) Score {
	s := Score{Needed: Needed(needed, len(checks))}
	for _, v := range checks {
		s.Add(v)
	}
	return s
}

func everyVerdict(n int, yield func([]Verdict)) {
	list := make([]Verdict, n)
	for {
		yield(list)
		i := 0
		for ; i < n; i++ {
			if list[i]++; list[i] <= Down {
				break
			}
			list[i] = Unchecked
		}
		if i == n {
			return
		}
	}
}

func countOf(list []Verdict, v Verdict) (n int) {
	for _, is := range list {
		if is == v {
			n++
		}
	}
	return n
}

// TestOr keeps the verdict as long as unchecked ones decide.
func TestOr(t *testing.T) {
	for _, before := range []Verdict{Unchecked, Up, Down} {
		if got := scoreOf(0, []Verdict{Up, Unchecked}).Or(before); got != before {
			t.Errorf("not decided, before %v: %v", before, got)
		}
		if got := scoreOf(1, []Verdict{Up, Unchecked}).Or(before); got != Up {
			t.Errorf("decided: %v", got)
		}
	}
}

// TestBoundsOfSeveral has the times until so many checks are down that the needed ones cannot be up.
func TestBoundsOfSeveral(t *testing.T) {
	check := func(kind conf.CheckType, interval, failures int) *conf.VirtualService {
		return &conf.VirtualService{
			Check:  conf.Check{CheckType: kind, Timing: conf.Timing{CheckInterval: time.Duration(interval) * time.Second, CheckTimeout: time.Second}},
			Policy: conf.Policy{FailureCount: failures},
		}
	}
	for _, tt := range []struct {
		name            string
		own             *conf.VirtualService
		also, inPlace   []*conf.VirtualService
		needed          int
		refused, silent int
		first           int
	}{
		{"one check", check(conf.CheckConnect, 10, 2), nil, nil, 0, 20, 21, 21},
		{"all needed: the first to fail decides", check(conf.CheckConnect, 10, 2), []*conf.VirtualService{check(conf.CheckConnect, 5, 1)}, nil, 0, 5, 6, 21},
		{"one needed: the last to fail decides", check(conf.CheckConnect, 10, 2), []*conf.VirtualService{check(conf.CheckConnect, 5, 1)}, nil, 1, 20, 21, 21},
		{"two of three", check(conf.CheckConnect, 10, 2), []*conf.VirtualService{check(conf.CheckConnect, 5, 1), check(conf.CheckConnect, 7, 1)}, nil, 2, 7, 8, 21},
		{"checktype = on is never down", check(conf.CheckOn, 1, 1), []*conf.VirtualService{check(conf.CheckConnect, 5, 1)}, nil, 0, 5, 6, 6},
		{"a real server with a slower one", check(conf.CheckConnect, 10, 1), nil, []*conf.VirtualService{check(conf.CheckConnect, 30, 1)}, 0, 30, 31, 31},
	} {
		v := *tt.own
		v.ChecksNeeded = tt.needed
		for _, as := range tt.also {
			v.AlsoCheck = append(v.AlsoCheck, conf.NamedCheck{As: as})
		}
		for _, as := range tt.inPlace {
			v.InPlace = append(v.InPlace, conf.NamedCheck{As: as})
		}
		refused, silent := DownBounds(&v)
		if refused != time.Duration(tt.refused)*time.Second || silent != time.Duration(tt.silent)*time.Second {
			t.Errorf("%s: %v and %v, want %d and %d s", tt.name, refused, silent, tt.refused, tt.silent)
		}
		if got := FirstBound(&v); got != time.Duration(tt.first)*time.Second {
			t.Errorf("%s: the first checks take up to %v, want %d s", tt.name, got, tt.first)
		}
	}
}
