package cli

import (
	"fmt"
	"strings"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// sentWords are what a service's check sends of a request, "" if it sends none.
func sentWords(v *conf.VirtualService, request secret.Request) string {
	text := request.Reveal()
	service, _ := conf.LookupService(v.Service)
	switch service.Request {
	case conf.RequestPath:
		text = strings.TrimRight(text, " ")
	case conf.RequestURL:
		text = strings.TrimPrefix(strings.TrimRight(text, " "), "/")
	case conf.RequestText:
		// The slash is the configuration's, which puts it before every request.
		if text = strings.TrimPrefix(text, "/"); text == "" {
			return ""
		}
	case conf.NoRequest:
		return ""
	}
	return fmt.Sprintf(" %q", secret.Request(text))
}

// dialogueWords are what a service's check sends besides the request, "" for nothing.
func dialogueWords(v *conf.VirtualService) string {
	switch v.Service {
	case "smtp", "submission":
		return tlsWords(v, ", EHLO")
	case "imap", "imaps":
		if v.Login == "" {
			return tlsWords(v, "")
		}
		return tlsWords(v, ", LOGIN"+loginWords(v))
	case "pop", "pops":
		if v.Login == "" {
			return tlsWords(v, "")
		}
		return tlsWords(v, ", USER, PASS and STAT"+loginWords(v))
	case "ldap", "ldaps":
		if v.Login == "" || v.Passwd == "" {
			return tlsWords(v, "")
		}
		return tlsWords(v, ", bound"+loginWords(v))
	case "sip":
		return ", OPTIONS sip:" + v.Login
	case "redis":
		if v.Passwd == "" {
			return ", PING"
		}
		return ", AUTH and PING" + loginWords(v)
	case "memcached":
		return ", version"
	case "radius":
		return ", Access-Request" + loginWords(v)
	case "tls":
		return ", a handshake"
	case "grpc":
		service := strings.TrimPrefix(v.Request.Reveal(), "/")
		if service == "" {
			return tlsWords(v, ", the health of the server")
		}
		return tlsWords(v, fmt.Sprintf(", the health of %q", service))
	case "ftp":
		return loginWords(v)
	case "mysql", "pgsql", "oracle":
		if v.Database != "" {
			return loginWords(v) + ", database " + v.Database
		}
		return loginWords(v)
	}
	return ""
}

// loginWords name the user of a check, "" without one.
func loginWords(v *conf.VirtualService) string {
	if v.Login == "" {
		return ""
	}
	return " as " + v.Login
}

// tlsWords are words of a dialogue that begins with STARTTLS if starttls is on.
func tlsWords(v *conf.VirtualService, words string) string {
	switch {
	case !v.StartTLS || v.Service == "imaps" || v.Service == "pops" || v.Service == "ldaps":
		return words
	case v.Service == "grpc":
		return ", TLS" + words
	}
	return ", STARTTLS" + words
}
