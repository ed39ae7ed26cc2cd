package director

import (
	"time"

	"github.com/ldirectord/ldirectord/internal/event"
)

// An outage is how long a virtual service has had no real server in service, and
// what took the last one out and brought the first one back.
type outage struct {
	since      time.Time    // meaningful while it lasts
	left, came *event.Cause // since it was last known to be served; nil is nothing
}

// moved notes why r leaves v or comes back, in case it is the last or the first.
func (v *virtual) moved(r *real, in bool, c *event.Cause) {
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
		v.outage.left = &event.Cause{Kind: event.CauseReload, Detail: words}
	case v.served == allGone && anyIn:
		v.outage.came = &event.Cause{Kind: event.CauseReload, Detail: words}
	}
}
