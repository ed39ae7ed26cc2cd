package conf

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// maxDirectors bounds what one command or one look at the page of the fleet costs.
const maxDirectors = 64

var directorName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?\.?$`)

// readDirectors is directors = HOST:PORT [HOST:PORT...], or none.
func readDirectors(_ *location, value string) ([]string, error) {
	words := strings.FieldsFunc(bareText(value), func(r rune) bool { return r == ' ' || r == '\t' || r == ',' })
	switch {
	case len(words) == 0:
		return nil, errors.New("directors must be HOST:PORT of each director, with blanks between them, or none")
	case len(words) == 1 && words[0] == "none":
		return nil, nil
	case len(words) > maxDirectors:
		return nil, fmt.Errorf("directors has %d entries, and at most %d are possible", len(words), maxDirectors)
	}
	var list []string
	for _, word := range words {
		at, err := readDirector(word)
		if err != nil {
			return nil, err
		}
		if slices.Contains(list, at) {
			return nil, fmt.Errorf("directors has %s twice", at)
		}
		list = append(list, at)
	}
	return list, nil
}

// readDirector is one HOST:PORT, an IPv6 address in brackets.
func readDirector(word string) (string, error) {
	if addr, err := netip.ParseAddr(strings.Trim(word, "[]")); err == nil && (addr.Is4() || strings.HasPrefix(word, "[") == strings.HasSuffix(word, "]")) {
		return "", fmt.Errorf("directors: %s has no port: %s", word, net.JoinHostPort(addr.String(), "9180"))
	}
	host, port, err := net.SplitHostPort(word)
	if err != nil {
		return "", fmt.Errorf("directors: %q is not HOST:PORT, as d1.example.com:9180 or [2001:db8::1]:9180", word)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", fmt.Errorf("directors: the port of %s must be 1 to 65535", word)
	}
	addr, err := netip.ParseAddr(host)
	switch {
	case err == nil && (addr.IsUnspecified() || addr.IsMulticast()):
		return "", fmt.Errorf("directors: %s is no address of a director", word)
	case err == nil:
		return net.JoinHostPort(addr.Unmap().String(), port), nil
	case !directorName.MatchString(host):
		return "", fmt.Errorf("directors: %q is neither a name nor an address", host)
	}
	return net.JoinHostPort(strings.ToLower(host), port), nil
}

// adviseFleet warns of directives of the fleet that are not used, or with which directors
// cannot be asked.
func adviseFleet(p *parser) {
	c := p.config
	if len(c.Directors) == 0 {
		if c.StatusCA != "" {
			p.adviseAt("statusca", CodeUnusedDirective, "statusca is not used: there are no directors", "directors = HOST:PORT HOST:PORT")
		}
	} else {
		adviseDirectors(p)
	}
	if c.StatusCert != "" && (c.StatusListen == "" || strings.HasPrefix(c.StatusListen, "/")) {
		p.adviseAt("statuscert", CodeUnusedDirective, "statuscert is not used: statuslisten is no address", "statuslisten = ADDRESS:PORT")
	}
}

// adviseDirectors warns of a fleet that takes no orders, or only by tokens in plain text.
func adviseDirectors(p *parser) {
	c := p.config
	if c.StatusListen == "" {
		p.adviseAt("directors", CodeMissingDirective, "the other directors cannot ask this one: there is no statuslisten", "statuslisten = ADDRESS:PORT")
	}
	if c.SpeaksTLS() && c.StatusCert == "" && c.StatusListen != "" && !strings.HasPrefix(c.StatusListen, "/") {
		p.adviseAt("statusca", CodeMissingDirective, "directors are asked by TLS, and this one does not speak it: there is no statuscert", "statuscert = /PATH of a certificate in PEM")
	}
	if !c.SpeaksTLS() && (c.StatusToken != "" || c.StatusReadToken != "") && slices.ContainsFunc(c.Directors, isElsewhere) {
		p.adviseAt("directors", CodeMissingDirective, "no token is sent to other directors in plain text: they take no orders from here, and show nothing that needs a token",
			"statuscert, statuskey and statusca")
	}
}

// isElsewhere reports whether a director is on another host, as far as its address says.
func isElsewhere(director string) bool {
	host, _, _ := net.SplitHostPort(director)
	addr, err := netip.ParseAddr(host)
	return err == nil && !addr.IsLoopback() || err != nil && host != "localhost"
}
