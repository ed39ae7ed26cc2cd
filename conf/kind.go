package conf

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/internal/secret"
)

// A kind is the notation and the reader of a value.
type kind[T any] struct {
	value   string                                      // the form of a value, for users: "yes|no"
	read    func(at *location, value string) (T, error) // the error is for the user, without file and line
	hint    func(value string) string                   // the cure for a wrong value, nil is none
	initial *T                                          // the default; nil: the zero T
	show    func(T) string                              // a default in the notation of the file; nil: by its type
}

// is adds a default to a kind.
func (k kind[T]) is(initial T) kind[T] {
	k.initial = &initial
	return k
}

// hinted adds a hint to a kind, whatever the value.
func (k kind[T]) hinted(hint string) kind[T] {
	k.hint = fixed(hint)
	return k
}

func fixed(hint string) func(string) string { return func(string) string { return hint } }

// kindOf is the kind of one directive's own reader.
func kindOf[T any](value string, read func(at *location, value string) (T, error)) kind[T] {
	return kind[T]{value: value, read: read}
}

// orNone adds none, which is the zero value: the directive is left out. A block needs it, for
// which a value outside of blocks is not, and a file that takes back what an included one says.
func (k kind[T]) orNone() kind[T] {
	read := k.read
	k.value += "|none"
	k.read = func(at *location, value string) (none T, err error) {
		if bareText(value) == "none" {
			return none, nil
		}
		return read(at, value)
	}
	return k
}

// yesNo is exact, as in the original: not even a blank may follow.
var yesNo = kind[bool]{value: "yes|no", hint: hintYesNo, read: func(at *location, value string) (bool, error) {
	if value != "yes" && value != "no" {
		return false, errors.New(at.name + " must be 'yes' or 'no'")
	}
	return value == "yes", nil
}}

// duration is for directives that the original does not have.
var duration = kind[time.Duration]{
	value: "DURATION|none",
	read: func(at *location, value string) (time.Duration, error) {
		d, err := exactDuration(at.name, value)
		adviseHuge(at, value, d)
		return d, err
	},
	show: func(d time.Duration) string {
		if d == 0 {
			return "none"
		}
		return shownDuration(d)
	},
}

// numberFrom is a whole number of at least low, for directives that the original
// does not have.
func numberFrom(low int) kind[int] {
	return kindOf("N", func(at *location, value string) (int, error) { return exactNumber(at, value, low) })
}

// originalDuration is the first duration in the value. The original's errors for a
// wrong value differ between outside and inside blocks.
func originalDuration(outside, inside string) kind[time.Duration] {
	return kindOf("DURATION", func(at *location, value string) (time.Duration, error) {
		d := firstDuration(value)
		if d == 0 {
			return 0, at.either(outside, inside)
		}
		adviseHuge(at, value, d)
		if _, unit := unitDuration(bareNumber(value)); !unit {
			adviseNumber(at, value, d.String(), "a number of seconds, or a duration such as 500ms or 2m")
		}
		return d, nil
	}).hinted("a number of seconds above 0, or a duration such as 500ms or 2m")
}

// originalNumber is the first number in the value, likewise.
func originalNumber(outside, inside string) kind[int] {
	return kindOf("N", func(at *location, value string) (int, error) {
		n := firstNumber(value)
		if n == 0 {
			return 0, at.either(outside, inside)
		}
		adviseLargest(at, value, math.MaxInt32)
		adviseNumber(at, value, strconv.Itoa(n), "a whole number")
		return n, nil
	}).hinted("a number above 0")
}

func (at *location) either(outside, inside string) error {
	if at.block == nil {
		return errors.New(outside)
	}
	return errors.New(inside)
}

// text is a value that must not be empty. Its directive has the form quoted.
func text[T ~string](empty string) kind[T] {
	return kindOf("TEXT", func(_ *location, value string) (T, error) {
		if value == "" {
			return "", errors.New(empty)
		}
		return T(value), nil
	})
}

// bare is a value that may be in quotes and must not be empty.
func bare(form, empty string) kind[string] {
	return kindOf(form, func(at *location, value string) (string, error) {
		text := bareText(value)
		if text == "" {
			return "", errors.New(at.name + " must be " + empty)
		}
		return text, nil
	})
}

// absolutePath is the path of a file to be opened later.
var absolutePath = kindOf("/PATH", func(at *location, value string) (string, error) {
	path := bareText(value)
	if !strings.HasPrefix(path, "/") {
		return "", errors.New(at.name + " must be the path of a file")
	}
	return path, nil
})

// restOfLine is the rest of the line.
var restOfLine = kindOf("TEXT", func(_ *location, value string) (string, error) {
	return strings.TrimRight(value, "\r"), nil
})

// pattern is a Perl regular expression. The original loads a file with an invalid
// one, so it is no mistake; the checks with the pattern fail.
func pattern(empty string) kind[string] {
	return kindOf("PATTERN", func(at *location, value string) (string, error) {
		if value == "" {
			return "", errors.New(empty)
		}
		at.validPattern(at.line, at.name, value)
		return value, nil
	})
}

// secretFile is the file, or the credential of systemd, with a secret. into is the
// field for its content.
func secretFile(into func(*VirtualService) *secret.Text) kind[string] {
	return kindOf("/PATH|CREDENTIAL", func(at *location, value string) (file string, err error) {
		file = bareText(value)
		*into(at.v), err = at.readSecret(at.name, file)
		return file, err
	})
}

// secretText is a secret in the configuration itself. file is the field for the
// path of a file instead.
func secretText(empty string, file func(*VirtualService) *string) kind[secret.Text] {
	return kindOf("TEXT", func(at *location, value string) (secret.Text, error) {
		*file(at.v) = ""
		return text[secret.Text](empty).read(at, value)
	})
}

// choice is one of the words of form; values has their meanings in the same order.
func choice[T comparable](form string, values ...T) kind[T] {
	words := strings.Split(form, "|")
	last := len(words) - 1
	listed := strings.Join(words[:last], ", ") + " or " + words[last]
	k := kindOf(form, func(at *location, value string) (zero T, err error) {
		for i, word := range words {
			if word == bareText(value) {
				return values[i], nil
			}
		}
		return zero, fmt.Errorf("%s must be %s", at.name, listed)
	})
	k.show = func(value T) string { return words[slices.Index(values, value)] }
	return k
}
