package director

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/ping"
)

// A workshop makes checkers; it holds what they share.
type workshop struct {
	pinger *ping.Pinger
}

// checkers is what asks at in the manner of k: ask decides, and connect, unless
// it is nil, takes the turns between (checktype = N).
func (w workshop) checkers(k *kit, at netip.AddrPort, expires func(time.Time)) (ask, connect checker.Checker) {
	switch k.kind {
	case conf.CheckConnect:
		return w.connect(k, at), nil
	case conf.CheckPing:
		return checker.Ping{Addr: at.Addr(), Pinger: w.pinger}, nil
	case conf.CheckExternal:
		return k.external(at), nil
	case conf.CheckExternalPerl:
		return checker.ExternalPerl(k.external(at)), nil
	case conf.CheckAgent:
		return checker.Agent{Addr: at}, nil
	case conf.CheckCombined:
		return negotiate(k, at, expires), w.connect(k, at)
	default:
		return negotiate(k, at, expires), nil
	}
}

// connect is the check that only connects. There is no connecting by udp, so
// that there the host is asked.
func (w workshop) connect(k *kit, at netip.AddrPort) checker.Checker {
	if k.udp {
		return checker.Ping{Addr: at.Addr(), Pinger: w.pinger}
	}
	return checker.Connect{Addr: at, HalfOpen: k.halfOpen}
}

func portWord(at netip.AddrPort) string { return strconv.Itoa(int(at.Port())) }

// external is k's command with what it is told. As in the original IPv6
// addresses are in brackets, so that a script can put them into a URL.
func (k *kit) external(at netip.AddrPort) checker.External {
	return checker.External{Command: k.command, VAddr: k.vAddr, VPort: k.vPort, RAddr: addressWord(at.Addr()), RPort: portWord(at)}
}

// addressWord is an address as ldirectord.cf has it.
func addressWord(addr netip.Addr) string {
	if addr.Is6() {
		return "[" + addr.String() + "]"
	}
	return addr.String()
}

// negotiate is the check of k's service.
func negotiate(k *kit, at netip.AddrPort, expires func(time.Time)) checker.Checker {
	b, err := newBench(k, at, expires)
	if err != nil {
		return unaskable{k.service, err}
	}
	c, err := b.make()
	if err != nil {
		return unaskable{k.service, err}
	}
	return c
}

// A bench is what one checker is made of: the kit, whom it asks, and its TLS
// configured.
type bench struct {
	*kit
	at            netip.AddrPort
	plain, always *tls.Config // TLS if starttls asks for it, and TLS in any case
}

func newBench(k *kit, at netip.AddrPort, expires func(time.Time)) (*bench, error) {
	b := &bench{kit: k, at: at}
	err := k.err
	if err == nil && (k.tls.startTLS || overTLS[k.service]) {
		b.always, err = k.tlsConfig(at, expires)
	}
	if k.tls.startTLS {
		b.plain = b.always
	}
	return b, err
}

// make makes the checker for the question's service.
func (b *bench) make() (checker.Checker, error) {
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
		return checker.LDAP{Addr: b.at, StartTLS: b.plain, Login: b.login, Passwd: b.passwd, Request: b.request.Reveal(), Receive: b.receive}, nil
	},
	"ldaps": func(b *bench) (checker.Checker, error) {
		return checker.LDAP{Addr: b.at, TLS: b.always, Login: b.login, Passwd: b.passwd, Request: b.request.Reveal(), Receive: b.receive}, nil
	},
	"dns": func(b *bench) (checker.Checker, error) {
		return checker.DNS{Network: b.network, Addr: b.at, Request: b.request.Reveal(), Receive: b.receive}, nil
	},
	"sip": func(b *bench) (checker.Checker, error) {
		return checker.SIP{Network: b.network, Addr: b.at, Login: b.login}, nil
	},
	"radius": func(b *bench) (checker.Checker, error) {
		return checker.Radius{Addr: b.at, Login: b.login, Passwd: b.passwd, Secret: b.secret}, nil
	},
	"simpletcp": func(b *bench) (checker.Checker, error) {
		return checker.SimpleTCP{Addr: b.at, Request: b.request.Reveal(), Receive: b.receive}, nil
	},
	"simpleudp": func(b *bench) (checker.Checker, error) {
		return checker.SimpleUDP{Addr: b.at, Request: b.request.Reveal(), Receive: b.receive}, nil
	},
	"mysql": func(b *bench) (checker.Checker, error) {
		return checker.MySQL{Addr: b.at, Login: b.login, Passwd: b.passwd, Database: b.database, Request: b.request.Reveal()}, nil
	},
	"pgsql": func(b *bench) (checker.Checker, error) {
		return checker.PgSQL{Addr: b.at, Login: b.login, Passwd: b.passwd, Database: b.database, Request: b.request.Reveal()}, nil
	},
	"oracle": func(b *bench) (checker.Checker, error) {
		return checker.Oracle{Addr: b.at, Login: b.login, Passwd: b.passwd, Database: b.database, Request: b.request.Reveal()}, nil
	},
	"ftp": func(b *bench) (checker.Checker, error) {
		return checker.FTP{Addr: b.at, Login: b.login, Passwd: b.passwd, Request: b.request.Reveal(), Receive: b.receive}, nil
	},
	"redis": func(b *bench) (checker.Checker, error) {
		return checker.Redis{Addr: b.at, Login: b.login, Passwd: b.passwd}, nil
	},
	"memcached": func(b *bench) (checker.Checker, error) { return checker.Memcached{Addr: b.at}, nil },
	"grpc": func(b *bench) (checker.Checker, error) {
		return checker.GRPC{Addr: b.at, Service: strings.TrimPrefix(b.request.Reveal(), "/"), TLS: b.plain}, nil
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
	o, err := b.webOptions()
	if err != nil {
		return nil, err
	}
	return o.At(b.at, b.always)
}

// webOptions are what all web checks in this manner share.
func (k *kit) webOptions() (*checker.HTTPOptions, error) {
	if k.asked == nil {
		o := &checker.HTTPOptions{
			Service: k.service, Method: k.method, Request: k.request.Reveal(),
			VirtualHost: k.virtualHost, HasVirtualHost: k.hasVirtualHost,
			Receive: k.receive, ReceiveNot: k.receiveNot, Limit: int(k.manner.web.limit),
			Version: versions[k.manner.web.version], Follow: follows[k.manner.web.follow], Headers: k.headers, Status: k.statuses,
		}
		if err := o.Complete(); err != nil {
			return nil, err
		}
		k.asked = o
	}
	return k.asked, nil
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
