package director

import "time"

// A Cause is what brought a transition about.
type Cause struct {
	Kind   CauseKind `json:"kind"`
	Real   string    `json:"real,omitempty"`   // of a virtual service: which real server it was the last or first of
	By     string    `json:"by,omitempty"`     // of an order: the user
	Detail string    `json:"detail,omitempty"` // in words
}

// CauseKind is a kind of cause.
type CauseKind string

// The kinds of cause.
const (
	CauseCheck       CauseKind = "check"
	CauseOrder       CauseKind = "order" // or its end
	CauseMaintenance CauseKind = "maintenance"
	CauseReload      CauseKind = "reload"
	CauseExternal    CauseKind = "external" // the table was changed by somebody else
)

// CauseWords are what is to be appended to the words of an event, "" where these
// name the cause already.
func (e Event) CauseWords() string {
	c := e.Cause
	if c == nil || c.Detail == "" || c.Kind == CauseCheck {
		return ""
	}
	switch e.Kind {
	case Back:
		return c.Detail
	case AllGone:
		if c.Real != "" {
			return "the last was " + c.Real + ": " + c.Detail
		}
		return c.Detail
	case AnyBack:
		if c.Real != "" {
			return "the first is " + c.Real + ": " + c.Detail
		}
		return c.Detail
	}
	return ""
}

func (e Event) appendedCause() string {
	if words := e.CauseWords(); words != "" {
		return "; " + words
	}
	return ""
}

// An outage is how long a virtual service has had no real server in service, and
// what took the last one out and brought the first one back.
type outage struct {
	since      time.Time // meaningful while it lasts
	left, came *Cause    // since it was last known to be served; nil is nothing
}

// moved notes why r leaves v or comes back, in case it is the last or the first.
func (v *virtual) moved(r *real, in bool, c *Cause) {
	if c == nil {
		return
	}
	cause := *c
	cause.Real = r.name()
	if in {
		v.outage.came = &cause
	} else {
		v.outage.left = &cause
	}
}

// movedByReload notes that a reload has taken out those that were in service, or
// brought one in.
func (v *virtual) movedByReload() {
	const words = "the configuration was reloaded"
	anyIn := false
	for _, r := range v.reals {
		anyIn = anyIn || r.in()
	}
	switch {
	case v.served == isServed && !anyIn:
		v.outage.left = &Cause{Kind: CauseReload, Detail: words}
	case v.served == allGone && anyIn:
		v.outage.came = &Cause{Kind: CauseReload, Detail: words}
	}
}
