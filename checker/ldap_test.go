package checker

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// ldapServer is a server with one user, cn=m with the password "good", and with
// entries.
func ldapServer(entries ...string) func(net.Conn) {
	return func(c net.Conn) {
		in := bufio.NewReader(c)
		for {
			request, err := ber.ReadPacket(in)
			if err != nil || len(request.Children) < 2 {
				return
			}
			id, op := request.Children[0], request.Children[1]
			switch op.Tag {
			case ldap.ApplicationBindRequest:
				login, passwd := op.Children[1].Value.(string), op.Children[2].Data.String()
				code := ldap.LDAPResultInvalidCredentials
				if login == "" && passwd == "" || login == "cn=m" && passwd == "good" {
					code = ldap.LDAPResultSuccess
				}
				c.Write(ldapResult(id, ldap.ApplicationBindResponse, code))
			case ldap.ApplicationSearchRequest:
				base, code := op.Children[0].Value.(string), ldap.LDAPResultNoSuchObject
				for _, dn := range entries {
					if strings.EqualFold(dn, base) {
						c.Write(ldapEntry(id, dn))
						code = ldap.LDAPResultSuccess
					}
				}
				c.Write(ldapResult(id, ldap.ApplicationSearchResultDone, code))
			case ldap.ApplicationExtendedRequest:
				c.Write(ldapResult(id, ldap.ApplicationExtendedResponse, ldap.LDAPResultProtocolError))
			default:
				return
			}
		}
	}
}

// ldapMessage wraps an operation.
func ldapMessage(id, op *ber.Packet) []byte {
	m := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	m.AppendChild(id)
	m.AppendChild(op)
	return m.Bytes()
}

func ldapString(text string) *ber.Packet {
	return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, text, "")
}

func ldapResult(id *ber.Packet, kind ber.Tag, code int) []byte {
	op := ber.Encode(ber.ClassApplication, ber.TypeConstructed, kind, nil, "")
	op.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, code, ""))
	op.AppendChild(ldapString(""))
	op.AppendChild(ldapString("words of the server"))
	return ldapMessage(id, op)
}

func ldapEntry(id *ber.Packet, dn string) []byte {
	op := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchResultEntry, nil, "")
	op.AppendChild(ldapString(dn))
	op.AppendChild(ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, ""))
	return ldapMessage(id, op)
}

func TestLDAP(t *testing.T) {
	tests := []struct {
		name string
		l    LDAP
		want string
	}{
		{"anonymous", LDAP{Request: "/dc=x"}, ""},
		{"without the slash", LDAP{Request: "dc=x"}, ""},
		{"the root entry", LDAP{Request: "/"}, ""},
		{"as somebody", LDAP{Request: "/dc=x", Login: "cn=m", Passwd: "good"}, ""},
		{"a login without password is anonymous", LDAP{Request: "/dc=x", Login: "cn=nobody"}, ""},
		{"the DN matches", LDAP{Request: "/dc=x", Receive: pattern(t, "^dc=")}, ""},
		{"the DN does not match", LDAP{Request: "/dc=x", Receive: pattern(t, "dc=y")}, `receive "dc=y" not found in 4 bytes: "dc=x"`},
		{"wrong password", LDAP{Request: "/dc=x", Login: "cn=m", Passwd: "bad"}, "bind as cn=m: Invalid Credentials (49)"},
		{"no such entry", LDAP{Request: "/dc=none"}, `search "dc=none": No Such Object (32)`},
		{"two entries", LDAP{Request: "/dc=twice"}, `search "dc=twice": 2 entries`},
		{"no STARTTLS", LDAP{Request: "/dc=x", StartTLS: &tls.Config{InsecureSkipVerify: true}}, "STARTTLS: Protocol Error (2)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			leavesNothing(t)
			tt.l.Addr = listen(t, ldapServer("", "dc=x", "dc=twice", "dc=twice"))
			_, err := tt.l.Check(t.Context())
			if got := errText(err); got != tt.want {
				t.Errorf("error %q, want %q", got, tt.want)
			}
		})
	}
}

// TestLDAPTakesLeave has a server end TLS as it should instead of answering.
func TestLDAPTakesLeave(t *testing.T) {
	leavesNothing(t)
	ca := newAuthority(t)
	server := &tls.Config{Certificates: []tls.Certificate{ca.issue(t, time.Now().Add(time.Hour), "127.0.0.1")}}
	addr := listen(t, func(c net.Conn) {
		secure := tls.Server(c, server)
		secure.Read(make([]byte, 1024))
		secure.CloseWrite()
		io.Copy(io.Discard, c)
	})
	_, err := LDAP{Addr: addr, Request: "/dc=x", TLS: &tls.Config{InsecureSkipVerify: true}}.Check(t.Context())
	if got, want := errText(err), "bind: closed the connection"; got != want {
		t.Errorf("error %q, want %q", got, want)
	}
}

// TestLDAPForeignAnswer has STARTTLS answered under a message ID of no request, for
// which the library waits without end.
func TestLDAPForeignAnswer(t *testing.T) {
	leavesNothing(t)
	addr := listen(t, func(c net.Conn) {
		other := ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 99, "")
		c.Write(ldapResult(other, ldap.ApplicationExtendedResponse, ldap.LDAPResultSuccess))
		io.Copy(io.Discard, c)
	})
	ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
	defer cancel()
	_, err := LDAP{Addr: addr, StartTLS: &tls.Config{InsecureSkipVerify: true}}.Check(ctx)
	if got, want := errText(err), "STARTTLS: no answer in 150ms"; got != want {
		t.Errorf("error %q, want %q", got, want)
	}
}

func TestLDAPString(t *testing.T) {
	addr := netip.MustParseAddrPort("[fd00::1]:636")
	tests := []struct {
		l    LDAP
		want string
	}{
		{LDAP{Addr: addr, Request: "/dc=x", Login: "cn=m", Passwd: "secret"}, `ldap "dc=x" [fd00::1]:636 as cn=m`},
		{LDAP{Addr: addr, TLS: new(tls.Config)}, `ldaps "" [fd00::1]:636`},
	}
	for _, tt := range tests {
		if got := tt.l.String(); got != tt.want {
			t.Errorf("String() = %q, want %q", got, tt.want)
		}
	}
}
