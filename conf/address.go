package conf

import "strings"

// A realAddress is the address of a real= line, with the text before and behind it.
type realAddress struct {
	before string
	from   string
	to     string // "" if it is no range
	port   string // "" if there is none
	after  string
}

// findAddress finds HOST[->HOST][:PORT] and a blank in a real= line. As in the
// original it skips text before an address: the scheme of "http://10.1.0.1:80
// gate".
func findAddress(text string) (a realAddress, ok bool) {
	for i := 0; i < len(text); {
		if a, ok := cutAddress(text[i:]); ok {
			a.before = text[:i]
			return a, true
		}
		// If no address begins at a host, none begins inside it either.
		host, _ := cutWhile(text[i:], isHostByte)
		i += max(1, len(host))
	}
	return a, false
}

func cutAddress(s string) (a realAddress, ok bool) {
	if a.from, s = cutHost(s); a.from == "" {
		return a, false
	}
	if rest, ok := strings.CutPrefix(s, "->"); ok {
		if a.to, s = cutHost(rest); a.to == "" {
			return a, false
		}
	}
	if rest, ok := strings.CutPrefix(s, ":"); ok {
		if a.port, s = cutWhile(rest, isPortByte); a.port == "" {
			return a, false
		}
	}
	a.after = trimLeft(s)
	return a, len(a.after) < len(s)
}

// cutHost cuts a name, an IPv4 address or [IPv6] off s.
func cutHost(s string) (host, rest string) {
	if inner, ok := strings.CutPrefix(s, "["); ok {
		address, rest := cutWhile(inner, isIPv6Byte)
		if address == "" || !strings.HasPrefix(rest, "]") {
			return "", s
		}
		return s[:len(address)+2], rest[1:]
	}
	host, rest = cutWhile(s, isHostByte)
	if strings.HasSuffix(host, "-") && strings.HasPrefix(rest, ">") { // the arrow of a range
		host = host[:len(host)-1]
		rest = s[len(host):]
	}
	return host, rest
}

// cutWhile cuts s before the first byte outside the set.
func cutWhile(s string, in func(byte) bool) (head, tail string) {
	for i := range len(s) {
		if !in(s[i]) {
			return s[:i], s[i:]
		}
	}
	return s, ""
}

func isAlnum(c byte) bool    { return isNameByte(c) || 'A' <= c && c <= 'Z' }
func isHostByte(c byte) bool { return isAlnum(c) || c == '.' || c == '-' }
func isPortByte(c byte) bool { return isAlnum(c) || c == '_' || c == '-' }

func isIPv6Byte(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F' || c == ':'
}
