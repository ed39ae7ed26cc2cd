package importer

import (
	"slices"
	"strings"

	"github.com/ldirectord/ldirectord/internal/keepalived"
)

// http makes one check of each URL of HTTP_GET or SSL_GET. Redirects are not followed there, and
// certificates not verified.
func (c check) http(n *node, options []*node, s settings, add func(note)) (list []check, rest []*node) {
	c.name, c.kind = "http", []string{"service = http"}
	if n.Name() == "SSL_GET" {
		c.name, c.kind = "https", []string{"service = https", "sslverify = no"}
	}
	c.kind = append(c.kind, "httpfollow = no", "httpversion = 1.0") // keepalived's default
	c.request, c.byReal = "/", true
	var urls []*node
	for _, o := range options {
		switch o.Name() {
		case "url":
			if o.Child("path") == nil {
				add(lost(o.Line, "a url without a path is left out, as keepalived does"))
				continue
			}
			urls = append(urls, o)
		case "http_protocol":
			version := strings.TrimRight(o.Word(0), "Cc")
			if version != "1.0" && o.Word(0) != "1.1" {
				add(lost(o.Line, "%s: keepalived knows no such version", o))
				continue
			}
			c.kind = append(c.kind, "httpversion = "+version)
		case "sni_name":
			if n.Name() == "HTTP_GET" {
				add(chosen(o.Line, "%s: HTTP_GET speaks no TLS", o))
				continue
			}
			if !expressible(o.Word(0)) || strings.ContainsAny(o.Word(0), ` "`) {
				add(notCarried(o))
				continue
			}
			c.kind = append(c.kind, "sslname = "+o.Word(0))
		case "enable_sni", "tls_compliant", "fast_recovery":
		default:
			rest = append(rest, o)
		}
	}
	c.kind = onceEach(c.kind)
	if len(urls) == 0 {
		add(lost(n.Line, "%s has no url: keepalived leaves it out", n.Name()))
		return []check{}, rest
	}
	for _, u := range urls {
		one := c
		one.line, one.kind = u.Line, slices.Clone(c.kind)
		if len(urls) == 1 {
			one.line = n.Line
		}
		if host := one.url(u, s.virtualHost, add); host != "" {
			one.kind = append(one.kind, "virtualhost = "+host)
		}
		one.kind = onceEach(one.kind)
		one.origin += " " + one.request
		list = append(list, one)
	}
	return list, rest
}

// onceEach keeps the last directive of each name, as keepalived does with a repeated keyword.
func onceEach(directives []string) (list []string) {
	last := map[string]int{}
	for i, d := range directives {
		name, _, _ := strings.Cut(d, " ")
		last[name] = i
	}
	for i, d := range directives {
		if name, _, _ := strings.Cut(d, " "); last[name] == i {
			list = append(list, d)
		}
	}
	return list
}

// url reads the URL of a check, and returns its virtual host.
func (c *check) url(n *node, host string, add func(note)) string {
	pattern, flags, not := "", "", false
	for _, o := range n.Block {
		switch o.Name() {
		case "path":
			if path := o.Word(0); expressible(path) && strings.HasPrefix(path, "/") && !strings.Contains(path, " ") {
				c.request = path
			} else {
				add(lost(o.Line, "%s: that is no path", o))
			}
		case "virtualhost":
			own := settings{virtualHost: host}
			own.take(o, add)
			host = own.virtualHost
		case "status_code":
			codes, ok := statusCodes(o.Words[1:])
			if !ok {
				add(lost(o.Line, "%s: that is no status code", o))
				continue
			}
			c.kind = append(c.kind, "httpstatus = "+codes)
		case "regex":
			words := keepalived.EscapedWords(o.Raw)
			if len(words) != 2 {
				add(lost(o.Line, "%s: keepalived takes no regex that is not one word or in quotes", o))
				continue
			}
			pattern = strings.ReplaceAll(words[1], "#", `\x23`)
		case "regex_no_match":
			not = true
		case "regex_options":
			flags = regexOptions(o, add)
		case "tls_compliant":
		default:
			add(notCarried(o))
		}
	}
	if pattern == "" {
		return host
	}
	if flags != "" {
		pattern = "(?" + flags + ")" + pattern
	}
	switch {
	case !expressible(pattern):
		add(lost(n.Line, "the regex is not carried over: it is not one line of text"))
	case not:
		c.kind = append(c.kind, `receivenot = "`+pattern+`"`)
	default:
		c.receive = pattern
	}
	return host
}

// statusCodes are codes and ranges of them as httpstatus has them.
func statusCodes(words []string) (string, bool) {
	for _, word := range words {
		from, to, isRange := strings.Cut(word, "-")
		if !isRange {
			to = from
		}
		if len(from) != 3 || len(to) != 3 || !isNumber(from, 100) || !isNumber(to, 100) || from > to || to > "599" {
			return "", false
		}
	}
	return strings.Join(words, ","), len(words) > 0
}

// regexOptions are the options of a pattern that can be in the pattern itself.
func regexOptions(n *node, add func(note)) (flags string) {
	known := map[string]string{"caseless": "i", "dotall": "s", "multiline": "m", "extended": "x"}
	for _, option := range n.Words[1:] {
		if flag, ok := known[option]; ok && !strings.Contains(flags, flag) {
			flags += flag
		} else if !ok {
			add(lost(n.Line, "regex_options %s is not carried over", option))
		}
	}
	return flags
}
