package checker

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/ldirectord/ldirectord/internal/safetext"
)

// A webURL is an http or https URL with its path as written: net/url would refuse or
// normalize some paths that servers know.
type webURL struct {
	scheme    string
	authority string         // host and port as written
	addr      netip.AddrPort // the address, or only the port if the host is a name
	path      string         // with the query, from its first "/" on
	login     *url.Userinfo  // nil is none
	tlsName   string         // the server name for TLS, if it differs from the host
}

// hasScheme reports whether s is a whole URL.
func hasScheme(s string) bool {
	scheme, _, ok := strings.Cut(s, "://")
	return ok && scheme != "" && strings.Trim(strings.ToLower(scheme), "abcdefghijklmnopqrstuvwxyz0123456789+-.") == ""
}

// parseURL reads a whole URL.
func parseURL(s string) (webURL, error) {
	scheme, rest, _ := strings.Cut(s, "://")
	p := webURL{scheme: strings.ToLower(scheme), path: "/"}
	if p.scheme != "http" && p.scheme != "https" {
		return webURL{}, fmt.Errorf("url %s is neither http nor https", safetext.Excerpt(s))
	}
	rest, _, _ = strings.Cut(rest, "#")
	p.authority = rest
	if end := strings.IndexAny(rest, "/?"); end >= 0 {
		p.authority = rest[:end]
		p.path = escapePath("/" + strings.TrimPrefix(rest[end:], "/"))
	}
	if at := strings.LastIndexByte(p.authority, '@'); at >= 0 {
		p.login = userinfo(p.authority[:at])
		p.authority = p.authority[at+1:]
	}
	if err := p.readAuthority(); err != nil {
		return webURL{}, fmt.Errorf("url with host %s: %w", safetext.Excerpt(p.authority), err)
	}
	return p, nil
}

// userinfo reads "name:password".
func userinfo(s string) *url.Userinfo {
	name, password, _ := strings.Cut(s, ":")
	if plain, err := url.PathUnescape(name); err == nil {
		name = plain
	}
	if plain, err := url.PathUnescape(password); err == nil {
		password = plain
	}
	return url.UserPassword(name, password)
}

// basicAuthorization is the header for a login in a URL.
func basicAuthorization(login *url.Userinfo) string {
	password, _ := login.Password()
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(login.Username()+":"+password))
}

// readAuthority reads host and port.
func (p *webURL) readAuthority() error {
	host, port := p.authority, ""
	if colon := strings.LastIndexByte(host, ':'); colon > strings.LastIndexByte(host, ']') {
		host, port = host[:colon], host[colon+1:]
	}
	number := uint64(80)
	if p.scheme == "https" {
		number = 443
	}
	if port != "" {
		var err error
		if number, err = strconv.ParseUint(port, 10, 16); err != nil || number == 0 {
			return fmt.Errorf("invalid port")
		}
	}
	p.addr = netip.AddrPortFrom(netip.Addr{}, uint16(number))
	bare := strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if addr, err := netip.ParseAddr(bare); err == nil {
		p.addr = netip.AddrPortFrom(addr, uint16(number))
		return nil
	}
	if !isHostName(host) {
		return fmt.Errorf("invalid host name")
	}
	return nil
}

// isHostName reports whether s can be resolved.
func isHostName(s string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789-_."
	return s != "" && len(s) < 256 && strings.Trim(strings.ToLower(s), letters) == ""
}

// name is the host without its port.
func (p webURL) name() string {
	if p.addr.Addr().IsValid() {
		return p.addr.Addr().String()
	}
	name, _, _ := strings.Cut(p.authority, ":")
	return name
}

// serverName is the server name for TLS.
func (p webURL) serverName() string {
	if p.tlsName != "" {
		return p.tlsName
	}
	return p.name()
}

// hostPort is the host with its port, also with a default port.
func (p webURL) hostPort() string {
	if p.addr.Addr().IsValid() {
		return p.addr.String()
	}
	return fmt.Sprintf("%s:%d", p.name(), p.addr.Port())
}

// target is the endpoint to connect to.
func (p webURL) target() Target {
	target := Target{Network: "tcp", Addr: p.addr}
	if !p.addr.Addr().IsValid() {
		target.Host = p.name()
	}
	return target
}

// String is the URL without the login.
func (p webURL) String() string { return p.scheme + "://" + p.authority + p.path }

// resolve returns the URL that location refers to from p.
func (p webURL) resolve(location string) (webURL, error) {
	base, err := url.Parse(p.String())
	if err == nil {
		var to *url.URL
		if to, err = base.Parse(strings.Trim(location, " \t")); err == nil && to.Host != "" {
			return parseURL(to.String())
		}
	}
	return webURL{}, fmt.Errorf("invalid Location: %s", safetext.Excerpt(location))
}

// escapePath escapes only the characters that a request line cannot contain.
func escapePath(path string) string {
	const allowed = "-_.!~*'();/?:@&=+$,[]%"
	var b strings.Builder
	for _, c := range []byte(path) {
		if 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || strings.IndexByte(allowed, c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
