package checker

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/ldirectord/ldirectord/internal/perlre"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// An LDAP check is up when a bind succeeds and a search at one DN finds that entry,
// and its DN matches Receive. The bind is anonymous unless both Login and Passwd
// are set.
type LDAP struct {
	Addr     netip.AddrPort
	TLS      *tls.Config // ldaps: TLS from the first byte
	StartTLS *tls.Config // TLS by the extended operation, before the bind
	Login    string
	Passwd   secret.Text
	Request  string          // the DN; the slash in front of the request is dropped
	Receive  *perlre.Pattern // for the entry's DN, nil matches all
	Drain    *perlre.Pattern // an entry whose DN matches it wants no new connections; nil is none
}

// String implements Checker.
func (l LDAP) String() string {
	service := "ldap"
	if l.TLS != nil {
		service = "ldaps"
	}
	return fmt.Sprintf("%s %q %v%s", service, l.dn(), l.Addr, asLogin(l.Login))
}

func (l LDAP) dn() string { return strings.TrimPrefix(l.Request, "/") }

// Check implements Caller.
func (l LDAP) Check(ctx context.Context) (detail string, err error) {
	defer recovered(&err)
	d := newDialer(ctx)
	defer d.Close()
	conn, err := l.connect(d)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	// The end of the connection ends most requests; only the client ends the one
	// for STARTTLS, if its answer had another message ID.
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if l.StartTLS != nil {
		if err := conn.StartTLS(l.StartTLS); err != nil {
			return "", ldapReason(d, "STARTTLS", err)
		}
	}
	if err := l.bind(conn); err != nil {
		return "", ldapReason(d, "bind"+asLogin(l.Login), err)
	}
	found, err := conn.Search(&ldap.SearchRequest{
		BaseDN:     l.dn(),
		Scope:      ldap.ScopeBaseObject,
		Filter:     "(objectClass=*)",
		Attributes: []string{"1.1"}, // none: RFC 4511 section 4.5.1.8
	})
	if err != nil {
		return "", ldapReason(d, fmt.Sprintf("search %q", l.dn()), err)
	}
	if n := len(found.Entries); n != 1 {
		return "", fmt.Errorf("search %q: %d entries", l.dn(), n)
	}
	return "", judged(l.Receive, l.Drain, []byte(found.Entries[0].DN))
}

// connect opens the connection, for ldaps with TLS.
func (l LDAP) connect(d *dialer) (*ldap.Conn, error) {
	raw, err := d.dial("tcp", l.Addr.String())
	if err != nil {
		return nil, d.reason("connecting", err)
	}
	if l.TLS != nil {
		secure := tls.Client(raw, l.TLS)
		if err := secure.HandshakeContext(d.ctx); err != nil {
			return nil, d.reason("TLS handshake", err)
		}
		raw = notedConn{secure, d}
	}
	conn := ldap.NewConn(raw, l.TLS != nil)
	conn.Start()
	return conn, nil
}

func (l LDAP) bind(conn *ldap.Conn) error {
	if l.Login == "" || l.Passwd == "" {
		return conn.UnauthenticatedBind("")
	}
	return conn.Bind(l.Login, l.Passwd.Reveal())
}

// ldapReason describes the server's result code, if err has one.
func ldapReason(d *dialer, doing string, err error) error {
	said, ok := errors.AsType[*ldap.Error](err)
	switch {
	case !ok:
		return d.reason(doing, err)
	case said.ResultCode >= ldap.ErrorNetwork: // the library's own codes
		return d.reason(doing, errUnclear)
	}
	words := ldap.LDAPResultCodeMap[said.ResultCode]
	if words == "" {
		words = "result"
	}
	return fmt.Errorf("%s: %s (%d)", doing, words, said.ResultCode)
}
