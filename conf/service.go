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
}

// services is sorted by name.
var services = []service{
	{name: "dns", port: 53},
	{name: "ftp", port: 21},
	{name: "grpc", added: true},
	{name: "http", port: 80},
	{name: "http_proxy", port: 3128},
	{name: "https", port: 443},
	{name: "imap", port: 143},
	{name: "imaps", port: 993},
	{name: "ldap", port: 389},
	{name: "ldaps", port: 636},
	{name: "memcached", port: 11211, added: true},
	{name: "mysql", port: 3306},
	{name: "nntp", port: 119},
	{name: "none"},
	{name: "oracle", port: 1521},
	{name: "pgsql", port: 5432},
	{name: "pop", port: 110},
	{name: "pops", port: 995},
	{name: "radius", port: 1812},
	{name: "redis", port: 6379, added: true},
	{name: "simpletcp"},
	{name: "simpleudp", added: true},
	{name: "sip", port: 5060},
	{name: "smtp", port: 25},
	{name: "submission", port: 587},
	{name: "tls", port: 443, added: true},
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
