package event

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
	CauseSelfDrain   CauseKind = "self-drain"
	CauseExternal    CauseKind = "external" // the table was changed by another program
	CauseQuorum      CauseKind = "quorum"   // too few are up, or enough again
)

// CauseWords are the words to append to those of an event, "" where these
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
