package director

import (
	"cmp"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"ldirectord/conf"
)

// A question is all that tells one check from another: what is asked, of whom,
// and how often. Virtual services whose questions are equal share a check.
type question struct {
	kind     conf.CheckType
	combined int
	service  string
	udp      bool
	at       netip.AddrPort // what is asked, checkport applied

	// What an external command is told.
	command                    string
	vAddr, vPort, rAddr, rPort string

	request, receive, receiveNot    string
	method, virtualHost             string
	hasVirtualHost                  bool
	login, passwd, database, secret string
	web                             web
	tls                             tlsQuestion

	interval, fastInterval, downInterval time.Duration
	timeout, connectTimeout              time.Duration
	attempts                             int
}

// web is what only HTTP checks look at; lists as text, so that it compares.
type web struct {
	status, headers string
	version         conf.HTTPVersion
	follow          conf.HTTPFollow
	limit           int64
}

// tlsQuestion is what only checks over TLS look at.
type tlsQuestion struct {
	verify                  conf.SSLVerify
	startTLS                bool
	caFile, name, cert, key string
}

// ask is what v wants to know of r. It is false if nothing is to be asked
// (checktype on and off).
func ask(v *conf.VirtualService, r *conf.RealServer) (question, bool) {
	q := question{
		kind:         v.CheckType,
		at:           netip.AddrPortFrom(r.Addr, v.PortToCheck(r)),
		udp:          v.Protocol == conf.UDP,
		interval:     v.CheckInterval,
		fastInterval: v.FastInterval,
		downInterval: v.DownInterval,
		timeout:      v.CheckTimeout,
		attempts:     max(1, v.ChkLoop),
	}
	switch v.CheckType {
	case conf.CheckOn, conf.CheckOff:
		return q, false
	case conf.CheckPing:
		q.attempts *= max(1, v.CheckCount)
		q.at = netip.AddrPortFrom(r.Addr, 0)
	case conf.CheckExternal, conf.CheckExternalPerl:
		q.external(v, r)
	case conf.CheckNegotiate, conf.CheckCombined:
		q.negotiate(v, r)
	case conf.CheckConnect, conf.CheckAgent:
	}
	return q, true
}

// external adds what a command is told: four words, in which a firewall mark
// stands for the address and its port is 0.
func (q *question) external(v *conf.VirtualService, r *conf.RealServer) {
	q.command = v.CheckCommand
	q.vAddr, q.vPort = v.Addr.String(), strconv.Itoa(int(v.Port))
	if v.Protocol == conf.FWM {
		q.vAddr, q.vPort = strconv.FormatUint(uint64(v.Mark), 10), "0"
	}
	q.rAddr, q.rPort = r.Addr.String(), strconv.Itoa(int(r.Port))
}

// negotiate adds what a service is asked.
func (q *question) negotiate(v *conf.VirtualService, r *conf.RealServer) {
	q.combined = v.Combined
	q.timeout, q.connectTimeout = v.NegotiateTimeout, v.CheckTimeout
	q.service = v.Service
	q.request, q.receive, q.receiveNot = r.Request, r.Receive, v.ReceiveNot
	q.method, q.virtualHost, q.hasVirtualHost = v.HTTPMethod, v.VirtualHost, v.HasVirtualHost
	q.login, q.passwd, q.database, q.secret = v.Login, v.Passwd, v.Database, v.Secret
	q.web = web{status: statuses(v.HTTPStatus), headers: headers(v.HTTPHeader), version: v.HTTPVersion, follow: v.HTTPFollow, limit: v.ReceiveBytes}
	q.tls = tlsQuestion{
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
func headers(list []conf.Header) string {
	lines := make([]string, len(list))
	for i, h := range list {
		lines[i] = h.Name + ": " + h.Value
	}
	return strings.Join(lines, "\n")
}
