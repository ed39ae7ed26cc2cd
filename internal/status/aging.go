package status

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/fleet"
	"github.com/ldirectord/ldirectord/internal/report"
)

// A certificate ends soon when less than renewal is left, and less than a quarter of its time: many
// are renewed every day.
const (
	day     = 24 * time.Hour
	renewal = 14 * day
)

// aging says what is wrong with the time of a certificate, "" is nothing, and whether others refuse it now.
func aging(c *x509.Certificate, now time.Time) (text string, refused bool) {
	left := c.NotAfter.Sub(now)
	switch end := c.NotAfter.Local().Format("2006-01-02 15:04"); {
	case now.Before(c.NotBefore):
		return "is not valid before " + c.NotBefore.Local().Format("2006-01-02 15:04"), true
	case left <= 0:
		return "has ended on " + end, true
	case left >= min(renewal, c.NotAfter.Sub(c.NotBefore)/4):
		return "", false
	case left < 2*day:
		return fmt.Sprintf("ends in %d hours, on %s", left/time.Hour, end), false
	default:
		return fmt.Sprintf("ends in %d days, on %s", left/day, end), false
	}
}

// agingOf is aging of what clients get: of the certificate and those between it and the authority.
func agingOf(pair *tls.Certificate, now time.Time) (text string, refused bool) {
	for _, der := range pair.Certificate {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			continue // it is sent as it is
		}
		if t, r := aging(c, now); text == "" || r && !refused { // the worst one
			text, refused = t, r
		}
	}
	return text, refused
}

// CheckCertificate returns what is wrong with the certificate of statuslisten in files, nil is
// nothing: it cannot be used, clients refuse it, or it ends soon.
func CheckCertificate(file, key string) error {
	pair, err := newCertificate(file, key).get(nil)
	if err != nil {
		return fmt.Errorf("statuslisten cannot speak TLS: %w", err)
	}
	text, refused := agingOf(pair, time.Now())
	return ages("the certificate of statuscert", "clients refuse it", text, refused)
}

// CheckAuthorities is CheckCertificate for the file of statusca. One good certificate is enough.
func CheckAuthorities(file string) error {
	list, err := fleet.Authorities(file)
	if err != nil {
		return fmt.Errorf("no director can be asked: %w", err)
	}
	text, refused := aging(list[0], time.Now())
	for _, c := range list[1:] {
		if t, r := aging(c, time.Now()); t == "" || refused && !r {
			text, refused = t, r
		}
	}
	return ages("the certificate of statusca", "no director can be asked", text, refused)
}

// ages is the error of a certificate whose time is wrong, nil without a text.
func ages(what, effect, text string, refused bool) error {
	switch {
	case text == "":
		return nil
	case refused:
		return errors.New(what + " " + text + ", and " + effect)
	}
	return errors.New(what + " " + text + ", and " + effect + " then")
}

// tlsFaults are what is wrong with the certificates of open doors, and with the authorities of the
// other directors. A file system may hang: no lock is held.
func tlsFaults(doors []*door, cfg *conf.Config) (list []report.Fault) {
	for _, d := range doors {
		if d.secured != nil {
			list = append(list, d.secured.faults(d.at)...)
		}
	}
	if cfg.StatusCA == "" {
		return list
	}
	if _, err := fleet.Authorities(cfg.StatusCA); err != nil {
		list = append(list, report.Fault{What: "the other directors cannot be asked", Error: "statusca: " + err.Error()})
	}
	return list
}
