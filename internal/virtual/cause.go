package virtual

import (
	"time"

	"github.com/ldirectord/ldirectord/internal/event"
)

// An Outage is how long a virtual service has had no real server in service, and
// what took the last one out and brought the first one back.
type Outage struct {
	Since      time.Time    // meaningful while it lasts
	Left, Came *event.Cause // since it was last known to be served; nil is nothing
}

// Moved notes why r leaves v or comes back, in case it is the last or the first. One without new
// connections is not the last if another one was noted, and a backup server, which may never have been
// needed, never is.
func (v *Service) Moved(r *Real, in bool, c *event.Cause) {
	if c == nil || !in && !v.Carries(r) && (r.Conf.Backup || v.Outage.Left != nil) {
		return
	}
	cause := *c
	cause.Real = r.Name()
	if in {
		v.Outage.Came = &cause
	} else {
		v.Outage.Left = &cause
	}
}

// MovedByReload notes that a reload has taken out those that were in service, or
// brought one in.
func (v *Service) MovedByReload() {
	const words = "the configuration was reloaded"
	anyIn := false
	for _, r := range v.Reals {
		anyIn = anyIn || r.In()
	}
	switch {
	case v.Served == Served && !anyIn:
		v.Outage.Left = &event.Cause{Kind: event.CauseReload, Detail: words}
	case v.Served == NoneServed && anyIn:
		v.Outage.Came = &event.Cause{Kind: event.CauseReload, Detail: words}
	}
}
