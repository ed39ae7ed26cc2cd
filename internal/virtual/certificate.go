package virtual

import "time"

// Warned returns when the end of the certificate that c has met on r was reported, in Unix seconds, 0 is
// never. Checks of one address that meet a certificate of the same end have met the same.
func Warned(r *Real, c *Check) (at int64) {
	s := SeveralOf(r)
	if s == nil {
		return int64(r.warned)
	}
	for i := range s.Parts {
		p := &s.Parts[i]
		if o := p.Check; o != nil && (o == c || o.At == c.At && o.CertificateEnds.Load() == c.CertificateEnds.Load()) {
			at = max(at, int64(p.warned))
		}
	}
	return at
}

// SetWarned notes that the end of that certificate is reported.
func SetWarned(r *Real, c *Check, at time.Time) {
	warned := &r.warned
	if p := SeveralOf(r).part(c); p != nil {
		warned = &p.warned
	}
	*warned = uint32(at.Unix())
}
