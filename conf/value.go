package conf

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// longest is longer than any useful time, and far from an overflow of durations.
const longest = 100 * 365 * 24 * time.Hour

// longestUseful is longer than what anyone wants of a directive; more is probably a slip.
const longestUseful = 30 * 24 * time.Hour

// digits returns the first run of digits in s, as the original reads numbers: "-5"
// is 5, "3 # seconds" is 3. before and after are the text around it.
func digits(s string) (before, run, after string) {
	before, after = cutWhile(s, func(c byte) bool { return !isDigit(c) })
	run, after = cutWhile(after, isDigit)
	return before, run, after
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// number is the value of a run of digits, at most limit. It is 0 for none.
func number(run string, limit uint64) uint64 {
	if run == "" {
		return 0
	}
	n, err := strconv.ParseUint(run, 10, 64)
	if err != nil { // too large
		return limit
	}
	return min(n, limit)
}

// firstNumber is the first number in value. It is 0 if there is none.
func firstNumber(value string) int {
	_, run, _ := digits(value)
	return int(number(run, math.MaxInt32))
}

// firstDuration is the first number in value as seconds, or a whole value like
// "500ms" or "1.5s". It is 0 if there is neither.
func firstDuration(value string) time.Duration {
	if d, ok := unitDuration(bareNumber(value)); ok {
		return d
	}
	return min(time.Duration(firstNumber(value))*time.Second, longest)
}

// adviseHuge warns of a time that is longer than any, or that makes a directive useless.
func adviseHuge(at *location, value string, d time.Duration) {
	if d > longestUseful {
		at.advise(at.line, CodeHugeValue, fmt.Sprintf("%s = %s is read as %d days", at.name, bareNumber(value), int(d.Hours()/24)), "seconds, or a time such as 500ms, 30s or 2m")
	}
}

var inSeconds = regexp.MustCompile(`^[0-9]+ *(s|secs?|seconds?)$`)

// adviseNumber warns of a value that the original reads a part of: read is the meaning.
func adviseNumber(at *location, value, read, hint string) {
	written := strings.Trim(bareNumber(value), `"`)
	if !isNumber(written) && !inSeconds.MatchString(written) {
		at.advise(at.line, CodeReadAs, fmt.Sprintf("%s = %s is read as %s", at.name, written, read), hint)
	}
}

var withUnit = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)$`)

var units = map[string]time.Duration{
	"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour,
}

// unitDuration reads a number with a unit.
func unitDuration(s string) (time.Duration, bool) {
	m := withUnit.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	n, err := strconv.ParseFloat(m[1], 64)
	d := n * float64(units[m[2]])
	if err != nil || d > float64(longest) {
		return longest, true
	}
	return time.Duration(math.Round(d)), true
}

// exactDuration reads the value of a directive that the original does not have:
// whole seconds, a number with a unit, or "none" for 0.
func exactDuration(name, value string) (time.Duration, error) {
	s := bareNumber(value)
	if s == "none" {
		return 0, nil
	}
	if d, ok := unitDuration(s); ok {
		return d, nil
	}
	if !isNumber(s) {
		return 0, fmt.Errorf("%s must be a number of seconds, a duration like 500ms, 1.5s or 2m, or none", name)
	}
	return min(time.Duration(number(s, math.MaxInt32))*time.Second, longest), nil
}

// adviseLargest warns of a number read as a smaller one, the largest there is. Other
// advice on the line has the number as written.
func adviseLargest(at *location, value string, largest uint64) {
	_, run, _ := digits(value)
	n, err := strconv.ParseUint(run, 10, 64)
	if run == "" || err == nil && n <= largest {
		return
	}
	at.advise(at.line, CodeHugeValue, fmt.Sprintf("%s = %s is read as %d", at.name, bareNumber(value), largest), "a smaller number")
	if at.written == nil {
		at.written = map[writtenKey]string{}
	}
	at.written[writtenKey{position{at.path, at.line}, at.name}] = run
}

// A writtenKey is a directive in a line.
type writtenKey struct {
	position
	name string
}

// asWritten is the number n of a directive as the file has it, for b.
func asWritten(p *parser, b *block, name string, n int) string {
	at := position{p.path, b.lines[name]}
	if at.line == 0 {
		at = p.lines[name]
	}
	return cmp.Or(p.written[writtenKey{at, name}], strconv.Itoa(n))
}

// exactNumber reads the value of a directive that the original does not have: a
// whole number of at least low.
func exactNumber(at *location, value string, low int) (int, error) {
	s := bareNumber(value)
	n := int(number(s, math.MaxInt32))
	if !isNumber(s) || n < low {
		return 0, fmt.Errorf("%s must be a whole number, at least %d", at.name, low)
	}
	adviseLargest(at, value, math.MaxInt32)
	return n, nil
}

func isNumber(s string) bool {
	_, run, _ := digits(s)
	return s != "" && run == s
}

// bareNumber is a value without a comment and blanks at its end. Outside blocks the
// original reads them as part of the value, where they have no effect.
func bareNumber(value string) string { return trimRight(withoutComment(value)) }

// bareText is the text of a directive that the original does not have: the text in
// quotes, or else all but a comment and blanks at the end.
func bareText(value string) string {
	if strings.HasPrefix(value, `"`) {
		return unquoted(value)
	}
	for i := range len(value) {
		if value[i] == '#' && (i == 0 || isBlank(value[i-1])) {
			value = value[:i]
			break
		}
	}
	return trimRight(value)
}

func trimRight(s string) string { return strings.TrimRight(s, blanks) }

// unquoted is a value with optional double quotes: the text between the first and
// the last of them, or all of it if it does not begin with one.
func unquoted(value string) string {
	if inner, ok := strings.CutPrefix(value, `"`); ok {
		if end := strings.LastIndexByte(inner, '"'); end >= 0 {
			return inner[:end]
		}
	}
	return value
}

// word returns the first run of letters, digits, underscores and the bytes of
// extra in value.
func word(value, extra string) string {
	in := func(c byte) bool { return isAlnum(c) || c == '_' || strings.IndexByte(extra, c) >= 0 }
	for i := range len(value) {
		if in(value[i]) {
			word, _ := cutWhile(value[i:], in)
			return word
		}
	}
	return ""
}
