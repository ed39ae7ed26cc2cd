package conf

import (
	"errors"
	"slices"
	"strings"

	"github.com/ldirectord/ldirectord/internal/secret"
	"github.com/ldirectord/ldirectord/internal/similar"
)

// A Service is one word of the service directive, with all that other packages need
// to know of its check. Only the constructor is elsewhere, in internal/checkspec,
// because this package does no I/O.
type Service struct {
	Name    string
	Port    uint16     // the default port of checks; 0 is the virtual service's
	Added   bool       // not in the original: no port implies it
	TLS     TLSUse     // when the check uses TLS
	Request RequestUse // what the check sends of request

	reads  string // the directives of blocks that only some checks read, and this one does, besides those of TLS
	query  bool   // never succeeds without login and request
	tlsTo  uint16 // the port on which such servers speak TLS from the first byte, 0 is none
	login  func(host string) string
	passwd func(host string) secret.Text
}

// A TLSUse is when a service uses TLS.
type TLSUse uint8

// The uses of TLS.
const (
	NoTLS    TLSUse = iota // never; starttls has no effect
	StartTLS               // if starttls is on
	OverTLS                // from the first byte
)

// A RequestUse is what a service sends of request.
type RequestUse uint8

// The uses of request.
const (
	NoRequest   RequestUse = iota // nothing, or (grpc) a name within its own request
	RequestPath                   // all of it
	RequestURL                    // a URL: all but the slash that the configuration puts before every request
	RequestText                   // any text: all but that slash; without a text nothing
)

// What several services read.
const (
	readsWeb = "request receive receivedrain receivenot receivebytes httpmethod httpdrain httpstatus httpheader httpversion httpfollow virtualhost"
	readsSQL = "request login passwd passwdfile database"
	readsTLS = "virtualhost sslverify sslcafile sslname sslcert sslkey sslexpirywarn" // virtualhost is the default of sslname
)

// readBySome are all directives that only the negotiate checks of some services read.
var readBySome = strings.Fields(readsWeb + " login passwd passwdfile database secret secretfile starttls " + readsTLS)

// services is sorted by name.
var services = []Service{
	{Name: "dns", Port: 53, Request: RequestText, reads: "request receive receivedrain"},
	{Name: "ftp", Port: 21, Request: RequestPath, reads: "request receive receivedrain login passwd passwdfile", tlsTo: 990, login: anonymous, passwd: anonymousPasswd},
	{Name: "grpc", Added: true, TLS: StartTLS, reads: "request"},
	{Name: "http", Port: 80, Request: RequestPath, reads: readsWeb, tlsTo: 443},
	{Name: "http_proxy", Port: 3128, Request: RequestURL, reads: readsWeb},
	{Name: "https", Port: 443, TLS: OverTLS, Request: RequestPath, reads: readsWeb},
	{Name: "imap", Port: 143, TLS: StartTLS, reads: "login passwd passwdfile", tlsTo: 993},
	{Name: "imaps", Port: 993, TLS: OverTLS, reads: "login passwd passwdfile"},
	{Name: "ldap", Port: 389, TLS: StartTLS, Request: RequestText, reads: "request receive receivedrain login passwd passwdfile", tlsTo: 636},
	{Name: "ldaps", Port: 636, TLS: OverTLS, Request: RequestText, reads: "request receive receivedrain login passwd passwdfile"},
	{Name: "memcached", Port: 11211, Added: true},
	{Name: "mysql", Port: 3306, Request: RequestText, reads: readsSQL, query: true},
	{Name: "nntp", Port: 119, tlsTo: 563},
	{Name: "none"},
	{Name: "oracle", Port: 1521, Request: RequestText, reads: readsSQL, query: true},
	{Name: "pgsql", Port: 5432, Request: RequestText, reads: readsSQL, query: true},
	{Name: "pop", Port: 110, TLS: StartTLS, reads: "login passwd passwdfile", tlsTo: 995},
	{Name: "pops", Port: 995, TLS: OverTLS, reads: "login passwd passwdfile"},
	{Name: "radius", Port: 1812, reads: "login passwd passwdfile secret secretfile"},
	{Name: "redis", Port: 6379, Added: true, reads: "login passwd passwdfile"},
	{Name: "simpletcp", Request: RequestText, reads: "request receive receivedrain"},
	{Name: "simpleudp", Added: true, Request: RequestText, reads: "request receive receivedrain"},
	{Name: "sip", Port: 5060, reads: "login", login: ownAddress},
	{Name: "smtp", Port: 25, TLS: StartTLS, tlsTo: 465},
	{Name: "submission", Port: 587, TLS: StartTLS, tlsTo: 465},
	{Name: "tls", Port: 443, Added: true, TLS: OverTLS},
}

func anonymous(string) string                 { return "anonymous" }
func anonymousPasswd(host string) secret.Text { return secret.Text(ownAddress(host)) }
func ownAddress(host string) string           { return "ldirectord@" + host }

// serviceName is service = NAME. As in the original only a written service gives
// ftp and sip a login.
var serviceName = kindOf("NAME", func(at *location, value string) (string, error) {
	v, name := at.v, word(value, "")
	s, ok := LookupService(name)
	if !ok {
		return "", errors.New("service must be dns, ftp, http, https, http_proxy, imap, imaps, ldap, ldaps, mysql, nntp, none, oracle, pop, pops, radius, pgsql, simpletcp, sip, smtp or submission")
	}
	if s.login != nil {
		v.Login = orDefault(v.Login, s.login(at.opts.Hostname))
	}
	if s.passwd != nil {
		v.Passwd = orDefault(v.Passwd, s.passwd(at.opts.Hostname))
	}
	return name, nil
})

// foreignServices are services under other programs' names for them.
var foreignServices = map[string]string{
	"pop3": "pop", "pop3s": "pops", "imap4": "imap", "smtps": "tls", "ssl": "tls", "postgres": "pgsql", "postgresql": "pgsql", "mariadb": "mysql",
}

// hintService suggests a service for an unknown name, or how to check without one.
func hintService(value string) string {
	name := word(strings.ToLower(value), "")
	for _, s := range services {
		if s.Name == name {
			return "in lower case: " + name
		}
	}
	if known := foreignServices[name]; known != "" {
		return name + " is called " + known + " here"
	}
	for _, s := range services {
		if len(s.Name) > 3 && similar.Distance(name, s.Name, 2) < 2 {
			return "did you mean " + s.Name + "?"
		}
	}
	return "also known: agent checks by checktype, and the services " + addedServices() +
		"; others need checktype = external and checkcommand = /PATH of a program, or checktype = connect"
}

// addedServices are the services that the error, which is the original's, omits.
func addedServices() string {
	var names []string
	for _, s := range services {
		if s.Added {
			names = append(names, s.Name)
		}
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// Services returns the words of the service directive, sorted.
func Services() []string {
	names := make([]string, len(services))
	for i, s := range services {
		names[i] = s.Name
	}
	return names
}

// Reads reports whether the check of a service reads a directive. All checks read those that
// this is no question of: only the negotiate checks of some services read request,
// receive, the login, HTTP and TLS.
func Reads(service, directive string) bool {
	s, ok := LookupService(service)
	return ok && (!slices.Contains(readBySome, directive) || slices.Contains(s.directives(), directive))
}

// directives are those of readBySome that the check reads.
func (s Service) directives() []string {
	read := strings.Fields(s.reads)
	switch s.TLS {
	case StartTLS:
		read = append(append(read, "starttls"), strings.Fields(readsTLS)...)
	case OverTLS:
		read = append(read, strings.Fields(readsTLS)...)
	case NoTLS:
	}
	return read
}

// LookupService returns the service with a name, false if there is none.
func LookupService(name string) (Service, bool) {
	i, ok := slices.BinarySearchFunc(services, name, func(s Service, name string) int {
		return strings.Compare(s.Name, name)
	})
	if !ok {
		return Service{}, false
	}
	return services[i], true
}

func orDefault[T ~string](s, value T) T {
	if s == "" {
		return value
	}
	return s
}

// serviceOfPort is the service of a virtual service without service =.
func serviceOfPort(port uint16) string {
	for _, s := range services {
		if s.Port == port && port != 0 && !s.Added {
			return s.Name
		}
	}
	return "none"
}

// portOfService is the usual port of a service, 0 if it has none.
func portOfService(name string) uint16 {
	s, _ := LookupService(name)
	return s.Port
}

// secured returns the service for servers of s that speak TLS from the first byte.
func (s Service) secured() string {
	if over, ok := LookupService(s.Name + "s"); ok && over.TLS == OverTLS {
		return over.Name
	}
	return "tls"
}
