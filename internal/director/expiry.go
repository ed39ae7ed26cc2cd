package director

import (
	"fmt"
	"time"

	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/virtual"
)

// warnExpiry says once a day that a real server's certificate will not last
// (sslexpirywarn).
func (d *Director) warnExpiry(r *virtual.Real, c *virtual.Check, now time.Time) {
	days := r.Virtual.Conf.SSLExpiryWarn
	ends := c.CertificateEnds.Load()
	if days == 0 || ends == 0 || now.Unix() < int64(r.Warned)+24*60*60 {
		return
	}
	if left := time.Unix(ends, 0).Sub(now); left < time.Duration(days)*24*time.Hour {
		r.Warned = uint32(now.Unix())
		d.emit(r.Virtual, event.Event{
			Kind: event.Expiring, Real: r.Conf, R: r.Name(),
			Reason: fmt.Sprintf("the certificate of %s (%s) ends %s", r.Name(), r.Virtual.ID, time.Unix(ends, 0).UTC().Format("2006-01-02 15:04 MST")),
		})
	}
}
