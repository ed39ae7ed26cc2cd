// Package secret has types for secret text. A value of such a type prints with ***
// in place of the secret, wherever it becomes text: in fmt, in JSON, in an error.
// Reveal returns the text itself, for the one place that sends it.
package secret

import "strings"

// Mask is printed in place of a secret.
const Mask = "***"

// A Text is secret as a whole: a password, the value of a header.
type Text string

// Reveal returns the text itself.
func (t Text) Reveal() string { return string(t) }

// String is Mask, or "" for an empty text.
func (t Text) String() string {
	if t == "" {
		return ""
	}
	return Mask
}

// GoString implements fmt.GoStringer.
func (t Text) GoString() string { return t.String() }

// MarshalText implements encoding.TextMarshaler, also for JSON.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// A Request is what a check requests: a path, a URL or the words of another
// protocol. The values of its query and the password before its host are secret.
type Request string

// Reveal returns the request itself.
func (r Request) Reveal() string { return string(r) }

// String is the request with the names of the query's parameters but without
// their values.
func (r Request) String() string {
	path, query, found := strings.Cut(hideUserinfo(string(r)), "?")
	if !found {
		return path
	}
	return path + "?" + hideValues(query)
}

// GoString implements fmt.GoStringer.
func (r Request) GoString() string { return r.String() }

// MarshalText implements encoding.TextMarshaler, also for JSON.
func (r Request) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// A URL is an address with a key in it, for example of a webhook: only its
// scheme and host are printed.
type URL string

// Reveal returns the URL itself.
func (u URL) Reveal() string { return string(u) }

// String is the URL without login, path and query.
func (u URL) String() string {
	scheme, rest, found := strings.Cut(string(u), "://")
	if !found {
		return Text(u).String()
	}
	host := rest
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		host = rest[:end]
	}
	path := rest[len(host):]
	host = host[strings.LastIndexByte(host, '@')+1:]
	if path == "" || path == "/" {
		return scheme + "://" + host + path
	}
	return scheme + "://" + host + "/" + Mask
}

// GoString implements fmt.GoStringer.
func (u URL) GoString() string { return u.String() }

// MarshalText implements encoding.TextMarshaler, also for JSON.
func (u URL) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// A Command is the path of a program or a line for the shell, whose arguments
// and variables may be secret.
type Command string

// Reveal returns the command itself.
func (c Command) Reveal() string { return string(c) }

// String is the program without its arguments and variables.
func (c Command) String() string {
	rest, hidden := strings.TrimSpace(string(c)), false
	for {
		word, after, more := strings.Cut(rest, " ")
		name, _, assigns := strings.Cut(word, "=")
		if !assigns || strings.ContainsAny(name, `/"'`) {
			break
		}
		hidden = true
		if rest = strings.TrimSpace(after); !more {
			return Mask
		}
		if strings.ContainsAny(word, `"'`) { // the value may contain blanks: only the shell knows its end
			return Mask
		}
	}
	program, arguments := rest, ""
	if end := strings.IndexAny(rest, " \t\n;|&<>()"); end >= 0 {
		program, arguments = rest[:end], rest[end:]
	}
	if hidden || strings.TrimSpace(arguments) != "" {
		return strings.TrimSpace(program + " " + Mask)
	}
	return program
}

// GoString implements fmt.GoStringer.
func (c Command) GoString() string { return c.String() }

// MarshalText implements encoding.TextMarshaler, also for JSON.
func (c Command) MarshalText() ([]byte, error) { return []byte(c.String()), nil }
