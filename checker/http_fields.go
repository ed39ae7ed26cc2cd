package checker

import (
	"bytes"
	"strconv"

	"github.com/ldirectord/ldirectord/internal/safetext"
)

// headEnd returns the end of the empty line that ends a head, 0 if there is none. A
// line may end in LF alone. The search begins near from.
func headEnd(in []byte, from int) int {
	for {
		i := bytes.IndexByte(in[from:], '\n')
		if i < 0 {
			return 0
		}
		from += i + 1
		switch rest := in[from:]; {
		case len(rest) > 0 && rest[0] == '\n':
			return from + 1
		case len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
			return from + 2
		}
	}
}

// blanks may separate the words of a status line and surround the value of a field.
const blanks = " \t"

// isStatusLine reports whether line is like "HTTP/1.1 200 OK". Any blanks separate
// the words (RFC 9112, section 4), and gateways write "HTTP/2" without a minor
// version.
func isStatusLine(line []byte) bool {
	version, rest := cutBlank(line)
	if !bytes.HasPrefix(version, []byte("HTTP/")) || len(version) < len("HTTP/2") || !isDigit(version[len("HTTP/")]) {
		return false
	}
	rest = bytes.TrimLeft(rest, blanks)
	if len(rest) < 3 || rest[0] < '1' || '5' < rest[0] || !isDigit(rest[1]) || !isDigit(rest[2]) {
		return false
	}
	return len(rest) == 3 || rest[3] == ' ' || rest[3] == '\t' || rest[3] == '\r'
}

// cutBlank cuts line at its first blank.
func cutBlank(line []byte) (before, after []byte) {
	if i := bytes.IndexAny(line, blanks); i >= 0 {
		return line[:i], line[i:]
	}
	return line, nil
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// readAnswer reads the status line at the beginning of head.
func readAnswer(head []byte) httpHead {
	line, _, _ := bytes.Cut(head, newline)
	_, line = cutBlank(line)
	line = bytes.TrimSpace(line)
	status := int(line[0]-'0')*100 + int(line[1]-'0')*10 + int(line[2]-'0')
	return httpHead{status: status, line: statusText(line)}
}

// statusText is a status with its reason, safe to print. The usual one needs no
// allocation.
func statusText(line []byte) string {
	if string(line) == "200 OK" {
		return "200 OK"
	}
	quoted := safetext.Excerpt(line)
	return quoted[1 : len(quoted)-1]
}

// httpFields are the fields of a head that determine the end of the body or the
// target of a redirect.
type httpFields struct {
	length   int // -1 if missing
	chunked  bool
	location []byte
}

// readFields reads them, also with a folded value or a blank before the colon (RFC
// 9112, sections 5.1 and 5.2). A malformed field counts as missing.
func readFields(head []byte) httpFields {
	fields := httpFields{length: -1}
	_, rest, _ := bytes.Cut(head, newline)
	for len(rest) > 0 {
		var line []byte
		line, rest = cutField(rest)
		name, value, _ := bytes.Cut(line, []byte(":"))
		name, value = bytes.TrimRight(name, blanks), bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if n, ok := contentLength(value); ok && fields.length < 0 {
				fields.length = n
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			fields.chunked = len(value) >= 7 && bytes.EqualFold(value[len(value)-7:], []byte("chunked"))
		case bytes.EqualFold(name, []byte("Location")):
			fields.location = value
		}
	}
	return fields
}

// cutField cuts the first field off, with the lines that continue it.
func cutField(fields []byte) (field, rest []byte) {
	end := 0
	for {
		i := bytes.IndexByte(fields[end:], '\n')
		if i < 0 {
			return fields, nil
		}
		end += i + 1
		if end == len(fields) || fields[end] != ' ' && fields[end] != '\t' {
			return fields[:end], fields[end:]
		}
	}
}

// contentLength reads a length, or the same one repeated, which proxies make from
// repeated fields (RFC 9112, section 6.3).
func contentLength(value []byte) (length int, ok bool) {
	first, rest, more := bytes.Cut(value, []byte(","))
	n, err := strconv.ParseUint(string(bytes.TrimSpace(first)), 10, 62)
	if err != nil || !more {
		return int(n), err == nil
	}
	again, ok := contentLength(rest)
	return int(n), ok && again == int(n)
}
