package conf

import (
	"errors"
	"slices"
	"strings"

	"github.com/ldirectord/ldirectord/internal/secret"
)

// A service is one word of the service directive.
type service struct {
	name string
	port uint16 // the default port of checks; 0 is the virtual service's
	ours bool   // not in the original: no port implies it
}

// services is sorted by name.
var services = []service{
	{name: "dns", port: 53},
	{name: "ftp", port: 21},
	{name: "grpc", ours: true},
	{name: "http", port: 80},
	{name: "http_proxy", port: 3128},
	{name: "https", port: 443},
	{name: "imap", port: 143},
	{name: "imaps", port: 993},
	{name: "ldap", port: 389},
	{name: "ldaps", port: 636},
	{name: "memcached", port: 11211, ours: true},
	{name: "mysql", port: 3306},
	{name: "nntp", port: 119},
	{name: "none"},
	{name: "oracle", port: 1521},
	{name: "pgsql", port: 5432},
	{name: "pop", port: 110},
	{name: "pops", port: 995},
	{name: "radius", port: 1812},
	{name: "redis", port: 6379, ours: true},
	{name: "simpletcp"},
	{name: "simpleudp", ours: true},
	{name: "sip", port: 5060},
	{name: "smtp", port: 25},
	{name: "submission", port: 587},
	{name: "tls", port: 443, ours: true},
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
}).hinted("also known: agent checks by checktype, and the services grpc, memcached, redis, simpleudp and tls; for others use checktype=connect")

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
		if s.port == port && port != 0 && !s.ours {
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
