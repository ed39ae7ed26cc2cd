package virtual

import (
	"time"
)

// expires is told, from the goroutines that ask, when the certificate of the
// real server ends.
func (c *Check) Expires(at time.Time) { c.CertificateEnds.Store(at.Unix()) }
