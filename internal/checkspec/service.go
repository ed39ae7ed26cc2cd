package checkspec

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

// A Maker makes checkers.
type Maker struct {
	Pinger *ping.Pinger // for all ping checks
}

// Checkers returns the checkers of k for at. ask is the check that decides;
// connect, unless it is nil, is the connect check between two of them (checktype =
// N). expires gets the expiry time of at's certificate, from the goroutines of the
// checks; it may be nil.
func (m Maker) Checkers(k *Kit, at netip.AddrPort, expires func(time.Time)) (ask, connect checker.Checker) {
	ask, connect = m.checkers(k, at, expires)
	return k.placed(ask), k.placed(connect)
}

func (m Maker) checkers(k *Kit, at netip.AddrPort, expires func(time.Time)) (ask, connect checker.Checker) {
	switch k.CheckType {
	case conf.CheckConnect:
		return m.connect(k, at), nil
	case conf.CheckPing:
		return checker.Ping{Addr: at.Addr(), Pinger: m.Pinger}, nil
	case conf.CheckExternal:
		return k.external(at), nil
	case conf.CheckExternalPerl:
		return checker.ExternalPerl(k.external(at)), nil
	case conf.CheckAgent:
		return checker.Agent{Addr: at, Request: "/" + k.AgentSend}, nil
	case conf.CheckCombined:
		return negotiate(k, at, expires), m.connect(k, at)
	default:
		return negotiate(k, at, expires), nil
	}
}

// connect is the connect check. udp has no connections, so there it is a ping of
// the host.
func (m Maker) connect(k *Kit, at netip.AddrPort) checker.Checker {
	if k.UDP {
		return checker.Ping{Addr: at.Addr(), Pinger: m.Pinger}
	}
	return checker.Connect{Addr: at, HalfOpen: k.HalfOpen}
}

func portWord(at netip.AddrPort) string { return strconv.Itoa(int(at.Port())) }

// external is k's command with its arguments. As in the original IPv6 addresses are
// in brackets, so that a script can put them into a URL.
func (k *Kit) external(at netip.AddrPort) checker.External {
	args, _ := conf.ShellWords(k.CheckArgs.Reveal())
	return checker.External{
		Command: k.CheckCommand, User: k.CheckUser,
		VAddr: k.VAddr, VPort: k.VPort, RAddr: addressWord(at.Addr()), RPort: portWord(at), Args: strings.Join(args, "\x00"),
		ArgsOnly: k.CheckArgsOnly, Weighs: k.ExternalWeight,
	}
}

// addressWord is an address in the notation of ldirectord.cf.
func addressWord(addr netip.Addr) string {
	if addr.Is6() {
		return "[" + addr.String() + "]"
	}
	return addr.String()
}

// negotiate is the check of k's service.
func negotiate(k *Kit, at netip.AddrPort, expires func(time.Time)) checker.Checker {
	b, err := newBench(k, at, expires)
	if err != nil {
		return Unusable{k.Service, err}
	}
	c, err := b.make()
	if err != nil {
		return Unusable{k.Service, err}
	}
	return c
}

// A bench has the inputs of one checker: the kit, the address, and the TLS
// configuration.
type bench struct {
	*Kit
	at              netip.AddrPort
	started, always *tls.Config // TLS if starttls is on, and TLS in any case
}

func newBench(k *Kit, at netip.AddrPort, expires func(time.Time)) (*bench, error) {
	b := &bench{Kit: k, at: at}
	err := k.err
	s, _ := conf.LookupService(k.Service)
	if err == nil && (k.StartTLS || s.TLS == conf.OverTLS) {
		b.always, err = k.tlsConfig(at, expires)
	}
	if k.StartTLS {
		b.started = b.always
	}
	return b, err
}

// make makes the checker for the service.
func (b *bench) make() (checker.Checker, error) {
	construct, ok := constructors[b.Service]
	if !ok {
		return nil, errors.New("there is no check for it")
	}
	return construct(b)
}

// constructors make the checker of each service. All else about a service is its
// row in conf; CONTRIBUTING.md describes the steps to a new one.
var constructors = map[string]func(*bench) (checker.Checker, error){
	"none":       func(*bench) (checker.Checker, error) { return nothing{}, nil },
	"http":       (*bench).webCheck,
	"https":      (*bench).webCheck,
	"http_proxy": (*bench).webCheck,
	"tls":        func(b *bench) (checker.Checker, error) { return checker.TLS{Addr: b.at, Config: b.always}, nil },
	"smtp": func(b *bench) (checker.Checker, error) {
		return checker.SMTP{Service: "smtp", Addr: b.at, StartTLS: b.started}, nil
	},
	"submission": func(b *bench) (checker.Checker, error) {
		return checker.SMTP{Service: "submission", Addr: b.at, StartTLS: b.started}, nil
	},
	"pop": func(b *bench) (checker.Checker, error) {
		return checker.POP{Addr: b.at, Login: b.Login, Passwd: b.Passwd, StartTLS: b.started}, nil
	},
	"pops": func(b *bench) (checker.Checker, error) {
		return checker.POP{Addr: b.at, Login: b.Login, Passwd: b.Passwd, TLS: b.always}, nil
	},
	"imap": func(b *bench) (checker.Checker, error) {
		return checker.IMAP{Addr: b.at, Login: b.Login, Passwd: b.Passwd, StartTLS: b.started}, nil
	},
	"imaps": func(b *bench) (checker.Checker, error) {
		return checker.IMAP{Addr: b.at, Login: b.Login, Passwd: b.Passwd, TLS: b.always}, nil
	},
	"nntp": func(b *bench) (checker.Checker, error) { return checker.NNTP{Addr: b.at}, nil },
	"ldap": func(b *bench) (checker.Checker, error) {
		return checker.LDAP{Addr: b.at, StartTLS: b.started, Login: b.Login, Passwd: b.Passwd, Request: b.Request.Reveal(), Receive: b.receive, Drain: b.receiveDrain}, nil
	},
	"ldaps": func(b *bench) (checker.Checker, error) {
		return checker.LDAP{Addr: b.at, TLS: b.always, Login: b.Login, Passwd: b.Passwd, Request: b.Request.Reveal(), Receive: b.receive, Drain: b.receiveDrain}, nil
	},
	"dns": func(b *bench) (checker.Checker, error) {
		return checker.DNS{Network: b.network, Addr: b.at, Request: b.Request.Reveal(), Receive: b.receive, Drain: b.receiveDrain, Domains: b.domains}, nil
	},
	"sip": func(b *bench) (checker.Checker, error) {
		return checker.SIP{Network: b.network, Addr: b.at, Login: b.Login}, nil
	},
	"radius": func(b *bench) (checker.Checker, error) {
		return checker.Radius{Addr: b.at, Login: b.Login, Passwd: b.Passwd, Secret: b.Secret}, nil
	},
	"simpletcp": func(b *bench) (checker.Checker, error) {
		return checker.SimpleTCP{Addr: b.at, Request: b.Request.Reveal(), Receive: b.receive, Drain: b.receiveDrain}, nil
	},
	"simpleudp": func(b *bench) (checker.Checker, error) {
		return checker.SimpleUDP{Addr: b.at, Request: b.Request.Reveal(), Receive: b.receive, Drain: b.receiveDrain}, nil
	},
	"mysql": func(b *bench) (checker.Checker, error) {
		return checker.MySQL{Addr: b.at, Login: b.Login, Passwd: b.Passwd, Database: b.Database, Request: b.Request.Reveal()}, nil
	},
	"pgsql": func(b *bench) (checker.Checker, error) {
		return checker.PgSQL{Addr: b.at, Login: b.Login, Passwd: b.Passwd, Database: b.Database, Request: b.Request.Reveal()}, nil
	},
	"oracle": func(b *bench) (checker.Checker, error) {
		return checker.Oracle{Addr: b.at, Login: b.Login, Passwd: b.Passwd, Database: b.Database, Request: b.Request.Reveal()}, nil
	},
	"ftp": func(b *bench) (checker.Checker, error) {
		return checker.FTP{Addr: b.at, Login: b.Login, Passwd: b.Passwd, Request: b.Request.Reveal(), Receive: b.receive, Drain: b.receiveDrain}, nil
	},
	"redis": func(b *bench) (checker.Checker, error) {
		return checker.Redis{Addr: b.at, Login: b.Login, Passwd: b.Passwd}, nil
	},
	"memcached": func(b *bench) (checker.Checker, error) { return checker.Memcached{Addr: b.at}, nil },
	"grpc": func(b *bench) (checker.Checker, error) {
		return checker.GRPC{Addr: b.at, Service: strings.TrimPrefix(b.Request.Reveal(), "/"), TLS: b.started}, nil
	},
}

var follows = map[conf.HTTPFollow]checker.Follow{
	conf.FollowYes:  checker.FollowYes,
	conf.FollowNo:   checker.FollowNo,
	conf.FollowSame: checker.FollowSame,
}

var versions = map[conf.HTTPVersion]string{conf.HTTP10: "1.0", conf.HTTP11: "1.1", conf.HTTP2: "2"}

// webCheck makes the check for http, https and http_proxy.
func (b *bench) webCheck() (checker.Checker, error) {
	o, err := b.webOptions()
	if err != nil {
		return nil, err
	}
	return o.At(b.at, b.always)
}

// webOptions are shared by all web checks of k.
func (k *Kit) webOptions() (*checker.HTTPOptions, error) {
	if k.web == nil {
		o := &checker.HTTPOptions{
			Service: k.Service, Method: k.HTTPMethod, Request: k.Request.Reveal(),
			VirtualHost: k.VirtualHost, HasVirtualHost: k.HasVirtualHost,
			Receive: k.receive, ReceiveNot: k.receiveNot, ReceiveDrain: k.receiveDrain, Limit: int(k.ReceiveBytes),
			Version: versions[k.HTTPVersion], Follow: follows[k.HTTPFollow],
		}
		for _, h := range k.HTTPHeader.All() {
			o.Headers = append(o.Headers, h.Name+": "+h.Value.Reveal())
		}
		o.Status, o.Drain = statuses(k.HTTPStatus), statuses(k.HTTPDrain)
		if err := o.Complete(); err != nil {
			return nil, err
		}
		k.web = o
	}
	return k.web, nil
}

// statuses are those of a set, nil for the zero one.
func statuses(set conf.StatusSet) (list checker.Statuses) {
	for _, r := range set.Ranges() {
		list = append(list, checker.StatusRange{First: r.Low, Last: r.High})
	}
	return list
}

// nothing is the check of service = none: always up.
type nothing struct{}

func (nothing) String() string                        { return "none" }
func (nothing) Check(context.Context) (string, error) { return "", nil }

// An Unusable check reports why it cannot be made: the configuration or this host
// is at fault, not the real server.
type Unusable struct {
	service string
	err     error
}

// String implements checker.Checker.
func (u Unusable) String() string { return u.service }

// Check implements checker.Caller.
func (u Unusable) Check(context.Context) (string, error) {
	return "", checker.LocalError{Err: fmt.Errorf("the check cannot be made: %w", u.err)}
}
