package director

import (
	"cmp"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unique"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// A question is all that tells one check from another: what is asked, of whom,
// and how often. Virtual services whose questions are equal share a check.
type question struct {
	manner unique.Handle[manner]
	at     netip.AddrPort // what is asked, checkport applied
}

// A manner is what there is to a question besides whom it is asked: most real
// servers of a file are asked in one of a few.
type manner struct {
	kind     conf.CheckType
	combined int
	service  string
	udp      bool
	halfOpen bool // of connect, and of the connects within combined

	command      secret.Command
	vAddr, vPort string // what an external command is told besides the real server

	request             secret.Request
	receive, receiveNot string
	method, virtualHost string
	hasVirtualHost      bool
	login, database     string
	passwd, secret      secret.Text
	web                 web
	tls                 tlsQuestion

	interval, fastInterval, downInterval time.Duration
	timeout, connectTimeout              time.Duration
	attempts                             int
}

// web is what only HTTP checks look at; lists as text, so that it compares.
type web struct {
	status  string
	headers secret.Text // one a line
	version conf.HTTPVersion
	follow  conf.HTTPFollow
	limit   int64
}

// tlsQuestion is what only checks over TLS look at.
type tlsQuestion struct {
	verify                  conf.SSLVerify
	startTLS                bool
	caFile, name, cert, key string
}

// question is what r's virtual service wants to know of it. It is false if
// nothing is to be asked (checktype on and off).
func (r *real) question() (question, bool) {
	q := question{manner: r.manner}
	switch v := r.virtual.conf; v.CheckType {
	case conf.CheckPing:
		q.at = netip.AddrPortFrom(r.conf.Addr, 0)
	case conf.CheckExternal, conf.CheckExternalPerl:
		q.at = r.conf.AddrPort() // a command is not told the checkport
	default:
		q.at = netip.AddrPortFrom(r.conf.Addr, v.PortToCheck(r.conf))
		return q, v.CheckType != conf.CheckOn && v.CheckType != conf.CheckOff
	}
	return q, true
}

// intern is the manner in which v's real servers are asked that have this
// request and receive.
func intern(v *conf.VirtualService, request secret.Request, receive string) unique.Handle[manner] {
	m := manner{
		kind:         v.CheckType,
		udp:          v.Protocol == conf.UDP,
		interval:     v.CheckInterval,
		fastInterval: v.FastInterval,
		downInterval: v.DownInterval,
		timeout:      v.CheckTimeout,
		attempts:     max(1, v.ChkLoop),
	}
	switch v.CheckType {
	case conf.CheckConnect, conf.CheckCombined:
		m.halfOpen = v.HalfOpen
	}
	switch v.CheckType {
	case conf.CheckPing:
		m.attempts *= max(1, v.CheckCount)
	case conf.CheckExternal, conf.CheckExternalPerl:
		m.external(v)
	case conf.CheckNegotiate, conf.CheckCombined:
		m.negotiate(v)
		m.request, m.receive = request, receive
	case conf.CheckConnect, conf.CheckAgent, conf.CheckOn, conf.CheckOff:
	}
	return unique.Make(m)
}

// external adds what a command is told of the virtual service: two words, in
// which a firewall mark stands for the address and its port is 0.
func (m *manner) external(v *conf.VirtualService) {
	m.command = v.CheckCommand
	m.vAddr, m.vPort = addressWord(v.Addr), strconv.Itoa(int(v.Port))
	if v.Protocol == conf.FWM {
		m.vAddr, m.vPort = strconv.FormatUint(uint64(v.Mark), 10), "0"
	}
}

// negotiate adds what a service is asked.
func (m *manner) negotiate(v *conf.VirtualService) {
	m.combined = v.Combined
	m.timeout, m.connectTimeout = v.NegotiateTimeout, v.CheckTimeout
	m.service = v.Service
	m.receiveNot = v.ReceiveNot
	m.method, m.virtualHost, m.hasVirtualHost = v.HTTPMethod, v.VirtualHost, v.HasVirtualHost
	m.login, m.passwd, m.database, m.secret = v.Login, v.Passwd, v.Database, v.Secret
	m.web = web{status: statuses(v.HTTPStatus), headers: headers(v.HTTPHeader), version: v.HTTPVersion, follow: v.HTTPFollow, limit: v.ReceiveBytes}
	m.tls = tlsQuestion{
		verify: v.SSLVerify, startTLS: v.StartTLS,
		caFile: v.SSLCAFile, name: cmp.Or(v.SSLName, v.VirtualHost), cert: v.SSLCert, key: v.SSLKey,
	}
}

// statuses is a list of HTTP statuses as the httpstatus directive has it.
func statuses(list []conf.StatusRange) string {
	words := make([]string, len(list))
	for i, s := range list {
		words[i] = fmt.Sprintf("%d-%d", s.Low, s.High)
	}
	return strings.Join(words, ",")
}

// headers is a list of HTTP headers, one a line.
func headers(list []conf.Header) secret.Text {
	lines := make([]string, len(list))
	for i, h := range list {
		lines[i] = h.Name + ": " + h.Value.Reveal()
	}
	return secret.Text(strings.Join(lines, "\n"))
}
