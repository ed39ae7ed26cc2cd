package policy

import "time"

// A Serving is what a virtual service has at one moment, for whether it is served.
type Serving struct {
	Pending   bool // first checks go on that decide
	Lost      bool // it has a quorum, which is not met
	InService bool // the table sends connections to a real server or a backup server
	Fallback  bool // the fallback is in the table, and counts
}

// served reports whether connections to the virtual service are served now.
func (s Serving) served() bool { return s.InService && !s.Lost || s.Fallback }

// Served is whether a virtual service is served. The zero Served is that of a start whose table
// has nothing in service.
type Served struct {
	Is    bool
	Waits bool      // it will be after announcedelay
	Since time.Time // of Is, or of Waits
}

// Next is s after a look at the virtual service. It becomes served when it has been so for delay.
// It ceases to be at once. As long as first checks decide, it is as before.
func (s Served) Next(now time.Time, is Serving, delay time.Duration) Served {
	switch {
	case is.Pending:
		s.Waits = false
	case !is.served() && (s.Is || s.Waits):
		return Served{Since: now}
	case !is.served() || s.Is:
	case !s.Waits && delay > 0:
		return Served{Waits: true, Since: now}
	case now.Sub(s.Since) >= delay || !s.Waits:
		return Served{Is: true, Since: now}
	}
	return s
}

// A Share is how the virtual services of an address count for whether it is served.
type Share struct {
	Any, AnyServed int // of those of which one is enough
	All, AllServed int // of those that have to be served
}

// Served reports whether the address is: one of which one is enough is served, if there are
// such, and each that has to be.
func (s Share) Served() bool {
	return s.AllServed == s.All && (s.Any == 0 || s.AnyServed > 0) && s.Any+s.All > 0
}
