package director

import (
	"fmt"
	"time"

	"github.com/ldirectord/ldirectord/internal/event"
)

// expires is told, from the goroutines that ask, when the certificate of the
// real server ends.
func (c *check) expires(at time.Time) { c.certificateEnds.Store(at.Unix()) }

// warnExpiry says once a day that a real server's certificate will not last
// (sslexpirywarn).
func (d *Director) warnExpiry(r *real, c *check, now time.Time) {
	days := r.virtual.conf.SSLExpiryWarn
	ends := c.certificateEnds.Load()
	if days == 0 || ends == 0 || now.Unix() < int64(r.warned)+24*60*60 {
		return
	}
	if left := time.Unix(ends, 0).Sub(now); left < time.Duration(days)*24*time.Hour {
		r.warned = uint32(now.Unix())
		d.emit(r.virtual, event.Event{
			Kind: event.Expiring, Real: r.conf, R: r.name(),
			Reason: fmt.Sprintf("the certificate of %s (%s) ends %s", r.name(), r.virtual.id, time.Unix(ends, 0).UTC().Format("2006-01-02 15:04 MST")),
		})
	}
}
