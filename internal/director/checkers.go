package director

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	"ldirectord/checker"
	"ldirectord/conf"
)

// A workshop makes checkers; it holds what they share.
type workshop struct {
	pinger *checker.Pinger
}

// checkers is what asks q: ask decides, and connect, unless it is nil, takes
// the turns between (checktype = N).
func (w workshop) checkers(q question, expires func(time.Time)) (ask, connect checker.Checker) {
	switch q.kind {
	case conf.CheckConnect:
		return w.connect(q), nil
	case conf.CheckPing:
		return checker.Ping{Addr: q.at.Addr(), Pinger: w.pinger}, nil
	case conf.CheckExternal:
		return checker.External{Command: q.command, VAddr: q.vAddr, VPort: q.vPort, RAddr: q.rAddr, RPort: q.rPort}, nil
	case conf.CheckExternalPerl:
		return checker.ExternalPerl{Command: q.command, VAddr: q.vAddr, VPort: q.vPort, RAddr: q.rAddr, RPort: q.rPort}, nil
	case conf.CheckAgent:
		return checker.Agent{Addr: q.at}, nil
	case conf.CheckCombined:
		return w.negotiate(q, expires), w.connect(q)
	default:
		return w.negotiate(q, expires), nil
	}
}

// connect is the check that only connects. There is no connecting by udp, so
// that there the host is asked.
func (w workshop) connect(q question) checker.Checker {
	if q.udp {
		return checker.Ping{Addr: q.at.Addr(), Pinger: w.pinger}
	}
	return checker.Connect{Addr: q.at}
}

// negotiate is the check of q's service.
func (w workshop) negotiate(q question, expires func(time.Time)) checker.Checker {
	c, err := newBench(q, expires).make()
	if err != nil {
		return unaskable{q.service, err}
	}
	return c
}

// A bench is what one checker is made of: the question, with its patterns
// compiled and its TLS configured.
type bench struct {
	question
	network             string
	receive, receiveNot *checker.Pattern
	plain, always       *tls.Config // TLS if starttls asks for it, and TLS in any case
	err                 error
}

func newBench(q question, expires func(time.Time)) *bench {
	b := &bench{question: q, network: "tcp"}
	if q.udp {
		b.network = "udp"
	}
	b.receive = b.pattern(q.receive)
	b.receiveNot = b.pattern(q.receiveNot)
	if b.err == nil && (q.tls.startTLS || overTLS[q.service]) {
		b.always, b.err = q.tlsConfig(expires)
	}
	if q.tls.startTLS {
		b.plain = b.always
	}
	return b
}

// overTLS are the services that speak TLS from the start.
var overTLS = map[string]bool{"https": true, "imaps": true, "pops": true, "ldaps": true, "tls": true}

func (b *bench) pattern(text string) *checker.Pattern {
	if text == "" || b.err != nil {
		return nil
	}
	p, err := checker.CompilePattern(text)
	if err != nil {
		b.err = fmt.Errorf("pattern %q: %w", text, err)
	}
	return p
}

var verifies = map[conf.SSLVerify]checker.Verify{
	conf.VerifyChain: checker.VerifyChain,
	conf.VerifyFull:  checker.VerifyFull,
	conf.VerifyNone:  checker.VerifyNone,
}

// verify is what a certificate must prove. Where the file says nothing, ldaps
// proves nothing, as with the original's library.
func (q question) verify() checker.Verify {
	if q.tls.verify == conf.VerifyChain && (q.service == "ldaps" || q.service == "ldap") {
		return checker.VerifyNone
	}
	return verifies[q.tls.verify]
}

func (q question) tlsConfig(expires func(time.Time)) (*tls.Config, error) {
	return checker.TLSConfig(checker.TLSOptions{
		Verify: q.verify(), CAFile: q.tls.caFile, CertFile: q.tls.cert, KeyFile: q.tls.key,
		Name:   cmp.Or(q.tls.name, q.at.Addr().String()),
		OnLeaf: expires,
	})
}

// make makes the checker for the question's service.
func (b *bench) make() (checker.Checker, error) {
	if b.err != nil {
		return nil, b.err
	}
	make, ok := services[b.service]
	if !ok {
		return nil, errors.New("there is no check for it")
	}
	return make(b)
}

// services is how each service is asked.
var services = map[string]func(*bench) (checker.Checker, error){
	"none":       func(*bench) (checker.Checker, error) { return nothing{}, nil },
	"http":       (*bench).web,
	"https":      (*bench).web,
	"http_proxy": (*bench).web,
	"tls":        func(b *bench) (checker.Checker, error) { return checker.TLS{Addr: b.at, Config: b.always}, nil },
	"smtp": func(b *bench) (checker.Checker, error) {
		return checker.SMTP{Service: "smtp", Addr: b.at, StartTLS: b.plain}, nil
	},
	"submission": func(b *bench) (checker.Checker, error) {
		return checker.SMTP{Service: "submission", Addr: b.at, StartTLS: b.plain}, nil
	},
	"pop": func(b *bench) (checker.Checker, error) {
		return checker.POP{Addr: b.at, Login: b.login, Passwd: b.passwd, StartTLS: b.plain}, nil
	},
	"pops": func(b *bench) (checker.Checker, error) {
		return checker.POP{Addr: b.at, Login: b.login, Passwd: b.passwd, TLS: b.always}, nil
	},
	"imap": func(b *bench) (checker.Checker, error) {
		return checker.IMAP{Addr: b.at, Login: b.login, Passwd: b.passwd, StartTLS: b.plain}, nil
	},
	"imaps": func(b *bench) (checker.Checker, error) {
		return checker.IMAP{Addr: b.at, Login: b.login, Passwd: b.passwd, TLS: b.always}, nil
	},
	"nntp": func(b *bench) (checker.Checker, error) { return checker.NNTP{Addr: b.at}, nil },
	"ldap": func(b *bench) (checker.Checker, error) {
		return checker.LDAP{Addr: b.at, StartTLS: b.plain, Login: b.login, Passwd: b.passwd, Request: b.request, Receive: b.receive}, nil
	},
	"ldaps": func(b *bench) (checker.Checker, error) {
		return checker.LDAP{Addr: b.at, TLS: b.always, Login: b.login, Passwd: b.passwd, Request: b.request, Receive: b.receive}, nil
	},
	"dns": func(b *bench) (checker.Checker, error) {
		return checker.DNS{Network: b.network, Addr: b.at, Request: b.request, Receive: b.receive}, nil
	},
	"sip": func(b *bench) (checker.Checker, error) {
		return checker.SIP{Network: b.network, Addr: b.at, Login: b.login}, nil
	},
	"radius": func(b *bench) (checker.Checker, error) {
		return checker.Radius{Addr: b.at, Login: b.login, Passwd: b.passwd, Secret: b.secret}, nil
	},
	"simpletcp": func(b *bench) (checker.Checker, error) {
		return checker.SimpleTCP{Addr: b.at, Request: b.request, Receive: b.receive}, nil
	},
	"simpleudp": func(b *bench) (checker.Checker, error) {
		return checker.SimpleUDP{Addr: b.at, Request: b.request, Receive: b.receive}, nil
	},
	"mysql": func(b *bench) (checker.Checker, error) {
		return checker.MySQL{Addr: b.at, Login: b.login, Passwd: b.passwd, Database: b.database, Request: b.request}, nil
	},
	"pgsql": func(b *bench) (checker.Checker, error) {
		return checker.PgSQL{Addr: b.at, Login: b.login, Passwd: b.passwd, Database: b.database, Request: b.request}, nil
	},
	"oracle": func(b *bench) (checker.Checker, error) {
		return checker.Oracle{Addr: b.at, Login: b.login, Passwd: b.passwd, Database: b.database, Request: b.request}, nil
	},
	"ftp": func(b *bench) (checker.Checker, error) {
		return checker.FTP{Addr: b.at, Login: b.login, Passwd: b.passwd, Request: b.request, Receive: b.receive}, nil
	},
	"redis": func(b *bench) (checker.Checker, error) {
		return checker.Redis{Addr: b.at, Login: b.login, Passwd: b.passwd}, nil
	},
	"memcached": func(b *bench) (checker.Checker, error) { return checker.Memcached{Addr: b.at}, nil },
	"grpc": func(b *bench) (checker.Checker, error) {
		return checker.GRPC{Addr: b.at, Service: strings.TrimPrefix(b.request, "/"), TLS: b.plain}, nil
	},
}

var follows = map[conf.HTTPFollow]checker.Follow{
	conf.FollowYes:  checker.FollowYes,
	conf.FollowNo:   checker.FollowNo,
	conf.FollowSame: checker.FollowSame,
}

var versions = map[conf.HTTPVersion]string{conf.HTTP10: "1.0", conf.HTTP11: "1.1", conf.HTTP2: "2"}

// web makes the check for http, https and http_proxy.
func (b *bench) web() (checker.Checker, error) {
	o := checker.HTTPOptions{
		Service: b.service, Addr: b.at, Method: b.method, Request: b.request,
		VirtualHost: b.virtualHost, HasVirtualHost: b.hasVirtualHost,
		TLS: b.always, Receive: b.receive, ReceiveNot: b.receiveNot, Limit: int(b.question.web.limit),
		Version: versions[b.question.web.version], Follow: follows[b.question.web.follow],
	}
	if b.question.web.headers != "" {
		o.Headers = strings.Split(b.question.web.headers, "\n")
	}
	if b.question.web.status != "" {
		var err error
		if o.Status, err = checker.ParseStatuses(b.question.web.status); err != nil {
			return nil, err
		}
	}
	return checker.NewHTTP(o)
}

// nothing is the check of service = none.
type nothing struct{}

func (nothing) String() string                        { return "none" }
func (nothing) Check(context.Context) (string, error) { return "", nil }

// An unaskable check says why it could not be made. That is our fault and no
// real server's.
type unaskable struct {
	service string
	err     error
}

func (u unaskable) String() string { return u.service }
func (u unaskable) Check(context.Context) (string, error) {
	return "", checker.LocalError{Err: fmt.Errorf("the check cannot be made: %w", u.err)}
}
