// Package perlre matches the regular expressions of Perl against bytes, in
// bounded time and memory.
package perlre

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/dlclark/regexp2/v2"

	"github.com/ldirectord/ldirectord/internal/safetext"
)

// A match that backtracks without end is given up: by matchPatience, or at
// patternStack backtracking entries (8 bytes each).
const patternStack = 4 << 20

// A Pattern is a Perl regular expression, for example of receive, matched
// unanchored and case sensitive against bytes. It is immutable, and several
// goroutines may use it.
type Pattern struct {
	perl string
	must []byte          // a text in every match, maybe ""
	re   *regexp2.Regexp // for runes of runeOf; nil if must is the whole pattern
	slow bool
}

// Compile reads a Perl pattern. The empty one matches everything. The error names
// the invalid or unsupported construct and its position.
func Compile(perl string) (*Pattern, error) {
	t, err := translate(perl)
	if err != nil {
		return nil, err
	}
	if t.isPlain {
		return &Pattern{perl: perl, must: t.plain}, nil
	}
	re, err := compileRunes(string(t.out), matchPatience.first)
	if err != nil {
		// The library's error describes the translation; users know only the
		// pattern.
		return nil, fmt.Errorf("pattern %s cannot be used", safetext.Excerpt(perl))
	}
	return &Pattern{perl: perl, must: t.must, re: re, slow: t.choices}, nil
}

// compileRunes compiles a translated pattern. A match beyond limit by the clock is
// an error.
func compileRunes(translated string, limit time.Duration) (*regexp2.Regexp, error) {
	re, err := regexp2.Compile(translated, regexp2.OptionMaxBacktrackingStackSize(patternStack))
	if err != nil {
		return nil, err
	}
	re.MatchTimeout = limit
	return re, nil
}

// String is the pattern as written.
func (p *Pattern) String() string { return p.perl }

// runes holds the []rune of earlier matches, so that a match of an ordinary page
// needs no allocation.
var runes = sync.Pool{New: func() any { return new([]rune) }}

// maxPooledRunes limits what the pool keeps after one huge page.
const maxPooledRunes = 64 << 10

// Slow reports whether a match may take long because p backtracks. It is false for
// a nil Pattern.
func (p *Pattern) Slow() bool { return p != nil && p.slow }

// Match reports whether p matches anywhere in b. The error means that the match
// took too long; it is no evidence about b.
func (p *Pattern) Match(b []byte) (bool, error) {
	if contains := bytes.Contains(b, p.must); p.re == nil || !contains {
		return contains, nil
	}
	text := runes.Get().(*[]rune)
	defer func() {
		if cap(*text) <= maxPooledRunes {
			runes.Put(text)
		}
	}()
	*text = (*text)[:0]
	for _, c := range b {
		*text = append(*text, runeOf(c))
	}
	matched, err := matchPatience.match(func(limit time.Duration) (bool, error) { return p.matchRunes(*text, limit) })
	if err != nil {
		return false, fmt.Errorf("pattern %s %w", safetext.Excerpt(p.perl), err)
	}
	return matched, nil
}

// matchRunes is Match for runes. It fails after limit; errGivenUp means that more
// time would not help.
func (p *Pattern) matchRunes(text []rune, limit time.Duration) (bool, error) {
	re := p.re
	if limit != matchPatience.first { // rare: limits of a shared Regexp cannot be changed
		var err error
		if re, err = compileRunes(re.String(), limit); err != nil {
			return false, err
		}
	}
	matched, err := re.MatchRunes(text)
	if errors.Is(err, regexp2.ErrBacktrackingStackLimit) {
		return false, errGivenUp
	}
	return matched, err
}

// errGivenUp replaces the library's errors, which contain the whole body.
var errGivenUp = errors.New("tries too many ways to match, given up")

// highBytes is the rune of byte 0x80, and the following runes are the other high
// bytes: a private area whose runes are no letters, have no case and are no blanks.
// To Perl such a byte in a text without encoding is none of these either, while the
// rune of the same number might be one.
const highBytes = 0xf700

// runeOf is the rune of the byte c.
func runeOf(c byte) rune {
	if c < 0x80 {
		return rune(c)
	}
	return highBytes + rune(c)
}
