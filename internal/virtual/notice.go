package virtual

import "slices"

// A Notice is a state of a virtual service, logged once until it ends.
type Notice struct {
	Kind NoticeKind
	Text string
}

// A NoticeKind is the kind of a Notice.
type NoticeKind uint8

// The kinds. The Text of a Refusal is the change that the kernel refuses, that of a Difference describes
// an external change that stays, and that of an Unasked names a check that could not be made.
const (
	Refusal NoticeKind = iota
	Difference
	Unasked
)

// NotAsked is the notice of a check of r that could not be made.
func NotAsked(r *Real, c *Check) Notice {
	n := Notice{Unasked, r.Name()}
	if p := SeveralOf(r).part(c); p != nil {
		n.Text += " " + p.label()
	}
	return n
}

// notices are the refusals and differences that were logged and last.
func (v *Service) notices() []string {
	var list []string
	for n := range v.Logged {
		switch n.Kind {
		case Difference:
			list = append(list, n.Text)
		case Refusal:
			list = append(list, "the kernel refuses: "+n.Text)
		case Unasked:
		}
	}
	slices.Sort(list)
	return list
}
