package conf

import (
	"errors"
	"slices"
	"strings"

	"github.com/ldirectord/ldirectord/internal/secret"
)

// A service is one word of the service directive. Its constructor is a row in
// internal/checkspec.
type service struct {
	name  string
	port  uint16 // the default port of checks; 0 is the virtual service's
	added bool   // not in the original: no port implies it
	reads string // the directives of blocks that only some checks read, and this one does
}

// What several services read.
const (
	readsWeb = "request receive receivenot receivebytes httpmethod httpstatus httpheader httpversion httpfollow virtualhost"
	readsSQL = "request login passwd passwdfile database"
	readsTLS = "virtualhost sslverify sslcafile sslname sslcert sslkey sslexpirywarn" // virtualhost is the default of sslname
)

// readBySome are all directives that only the negotiate checks of some services read.
var readBySome = strings.Fields(readsWeb + " login passwd passwdfile database secret secretfile starttls " + readsTLS)

// services is sorted by name.
var services = []service{
	{name: "dns", port: 53, reads: "request receive"},
	{name: "ftp", port: 21, reads: "request receive login passwd passwdfile"},
	{name: "grpc", added: true, reads: "request starttls " + readsTLS},
	{name: "http", port: 80, reads: readsWeb},
	{name: "http_proxy", port: 3128, reads: readsWeb},
	{name: "https", port: 443, reads: readsWeb + " " + readsTLS},
	{name: "imap", port: 143, reads: "login passwd passwdfile starttls " + readsTLS},
	{name: "imaps", port: 993, reads: "login passwd passwdfile " + readsTLS},
	{name: "ldap", port: 389, reads: "request receive login passwd passwdfile starttls " + readsTLS},
	{name: "ldaps", port: 636, reads: "request receive login passwd passwdfile " + readsTLS},
	{name: "memcached", port: 11211, added: true},
	{name: "mysql", port: 3306, reads: readsSQL},
	{name: "nntp", port: 119},
	{name: "none"},
	{name: "oracle", port: 1521, reads: readsSQL},
	{name: "pgsql", port: 5432, reads: readsSQL},
	{name: "pop", port: 110, reads: "login passwd passwdfile starttls " + readsTLS},
	{name: "pops", port: 995, reads: "login passwd passwdfile " + readsTLS},
	{name: "radius", port: 1812, reads: "login passwd passwdfile secret secretfile"},
	{name: "redis", port: 6379, added: true, reads: "login passwd passwdfile"},
	{name: "simpletcp", reads: "request receive"},
	{name: "simpleudp", added: true, reads: "request receive"},
	{name: "sip", port: 5060, reads: "login"},
	{name: "smtp", port: 25, reads: "starttls " + readsTLS},
	{name: "submission", port: 587, reads: "starttls " + readsTLS},
	{name: "tls", port: 443, added: true, reads: readsTLS},
}

// serviceName is service = NAME. As in the original only a written service gives
// ftp and sip a login.
var serviceName = kindOf("NAME", func(at *place, value string) (string, error) {
	v, name := at.v, word(value, "")
	if _, ok := lookupService(name); !ok {
		return "", errors.New("service must be dns, ftp, http, https, http_proxy, imap, imaps, ldap, ldaps, mysql, nntp, none, oracle, pop, pops, radius, pgsql, simpletcp, sip, smtp or submission")
	}
	switch name {
	case "ftp":
		v.Login = orDefault(v.Login, "anonymous")
		v.Passwd = orDefault(v.Passwd, secret.Text("ldirectord@"+at.opts.Hostname))
	case "sip":
		v.Login = orDefault(v.Login, "ldirectord@"+at.opts.Hostname)
	}
	return name, nil
})

// hintService suggests a service for an unknown name, or how to check without one.
func hintService(value string) string {
	name := word(strings.ToLower(value), "")
	for _, s := range services {
		if s.name == name {
			return "in lower case: " + name
		}
	}
	for _, s := range services {
		if len(s.name) > 3 && editDistance(name, s.name, 2) < 2 {
			return "did you mean " + s.name + "?"
		}
	}
	return "also known: agent checks by checktype, and the services " + addedServices() +
		"; others need checktype = external and checkcommand = /PATH of a program, or checktype = connect"
}

// addedServices are the services that the error, which is the original's, omits.
func addedServices() string {
	var names []string
	for _, s := range services {
		if s.added {
			names = append(names, s.name)
		}
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// Services are the words of the service directive, sorted.
func Services() []string {
	names := make([]string, len(services))
	for i, s := range services {
		names[i] = s.name
	}
	return names
}

// Reads reports whether the check of a service reads a directive. All checks read those that
// this is no question of: only the negotiate checks of some services read request,
// receive, the login, HTTP and TLS.
func Reads(service, directive string) bool {
	s, ok := lookupService(service)
	return ok && (!slices.Contains(readBySome, directive) || slices.Contains(strings.Fields(s.reads), directive))
}

func lookupService(name string) (service, bool) {
	i, ok := slices.BinarySearchFunc(services, name, func(s service, name string) int {
		return strings.Compare(s.name, name)
	})
	if !ok {
		return service{}, false
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
		if s.port == port && port != 0 && !s.added {
			return s.name
		}
	}
	return "none"
}

// portOfService is the usual port of a service, 0 if it has none.
func portOfService(name string) uint16 {
	s, _ := lookupService(name)
	return s.port
}
