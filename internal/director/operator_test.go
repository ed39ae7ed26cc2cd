package director

import (
	"strconv"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
)

// operate performs the operator's lines of a script: requests to a director at
// work.
func (s *stage) operate(words []string) {
	switch words[0] {
	case "order":
		s.order(words[1:])
	case "recheck":
		became, err := s.d.Recheck(s.t.Context(), strings.Join(words[1:], ""), "")
		s.printf("recheck", "%s, error: %v", became, err)
	case "why":
		s.why(words[1])
	case "history":
		s.history(words[1:])
	case "show":
		s.show()
	case "plan":
		s.plan(words[1])
	case "maintenancedir", "resolver":
		s.breakOutside(words)
	default:
		s.t.Fatalf("unknown line %q", words)
	}
}

// order gives an order: VERB REAL [WEIGHT] [for=TIME] [virtual=NAME]
// [comment=WORD].
func (s *stage) order(words []string) {
	o := report.Order{Verb: words[0], Real: words[1], By: "alice"}
	for _, word := range words[2:] {
		name, value, _ := strings.Cut(word, "=")
		var err error
		switch name {
		case "for":
			o.For, err = time.ParseDuration(value)
		case "virtual":
			o.Virtual = value
		case "comment":
			o.Comment = value
		default:
			o.Weight, err = strconv.Atoi(word)
		}
		if err != nil {
			s.t.Fatal(err)
		}
	}
	obeyed, all, err := s.d.Obey(s.t.Context(), o)
	if err != nil {
		s.printf("order", "refused: %v", err)
		return
	}
	s.overrides = all
	s.printf("order", "obeyed for %d, %d in force", len(obeyed), len(all))
}

func (s *stage) why(name string) {
	reasons, err := s.d.Why(s.t.Context(), name, "")
	if err != nil {
		s.printf("why", "%v", err)
	}
	for _, w := range reasons {
		// When it happened depends on the tick.
		because, _, _ := strings.Cut(w.Because, " since ")
		s.printf("why", "%s %s is %s: %s; asked every %v", w.Virtual, w.Real, w.State, because, w.Interval.Duration())
		for _, a := range w.Answers[:min(2, len(w.Answers))] {
			s.printf("why", "    %s: up %v: %s", a.Asked, a.Up, a.Text)
		}
	}
}

func (s *stage) history(words []string) {
	notes, err := s.d.History(s.t.Context(), report.HistoryQuery{Real: strings.Join(words, ""), Verdicts: len(words) > 0})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, n := range notes {
		s.printf("history", "%s %s %s: %s (after %v)", n.Kind, n.Virtual, n.Real, n.Text, n.After.Duration().Round(time.Second))
	}
}

// show prints what a snapshot says of each real server.
func (s *stage) show() {
	snap, err := s.d.Snapshot(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	for _, v := range snap.Virtuals {
		s.printf("show", "%s, in %d of %d, fallback in: %v, foreign: %v %s", v.Listed, v.In, len(v.Reals), v.FallbackIn, v.Foreign, strings.Join(v.Notices, "; "))
		for _, r := range v.Reals {
			override, last := "", ""
			if r.Override != nil {
				override = ", " + r.Override.Verb
			}
			if r.Last != nil {
				last = ", last: " + r.Last.Text
			}
			s.printf("show", "    %s %s: %s, weight %d of %d, wanted %d, failures %d/%d%s%s %s", r.Forward, r.Name, r.State,
				r.Weight, r.Configured, r.Wanted, r.Failures, r.FailureCount, override, last, r.Difference)
		}
	}
	s.showMaintenance(snap.Maintenance)
	for _, o := range snap.Overrides {
		s.printf("show", "unused: %s %s %s", o.Virtual, o.Real, o)
	}
}

func (s *stage) plan(name string) {
	plan, err := s.d.Plan(s.t.Context(), s.load(name))
	if err != nil {
		s.t.Fatal(err)
	}
	if len(plan.Changes) == 0 {
		s.printf("plan", "nothing")
	}
	for _, c := range plan.Changes {
		s.printf("plan", "%s", c)
	}
	for _, l := range plan.LeftOut {
		s.printf("plan", "%s", l)
	}
}
