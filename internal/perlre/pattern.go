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

// A match that backtracks without end is given up: by matchPatience, or with patternStack
// entries to try again (8 bytes each).
const patternStack = 4 << 20

// A Pattern is a Perl regular expression as receive has it, matched unanchored
// and case sensitive against bytes. It is never written to and may be used
// from several goroutines.
type Pattern struct {
	perl string
	must []byte          // text that is in every match, maybe ""
	re   *regexp2.Regexp // of runes, as runeOf makes them; nil if must is all
	slow bool
}

// Compile reads a Perl pattern. The empty one matches everything. The
// error names the construct that is wrong or not supported and where it is.
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
		// The text speaks of the translation; the pattern itself is what its
		// author knows.
		return nil, fmt.Errorf("pattern %s cannot be used", safetext.Excerpt(perl))
	}
	return &Pattern{perl: perl, must: t.must, re: re, slow: t.choices}, nil
}

// compileRunes compiles a translated pattern. A match that takes longer than limit by
// the clock is an error.
func compileRunes(translated string, limit time.Duration) (*regexp2.Regexp, error) {
	re, err := regexp2.Compile(translated, regexp2.OptionMaxBacktrackingStackSize(patternStack))
	if err != nil {
		return nil, err
	}
	re.MatchTimeout = limit
	return re, nil
}

// String is the pattern as it was written.
func (p *Pattern) String() string { return p.perl }

// runes holds the []rune of earlier matches, so that a match of an ordinary
// page allocates nothing.
var runes = sync.Pool{New: func() any { return new([]rune) }}

// maxPooledRunes keeps a pool from holding on to what one huge page needed.
const maxPooledRunes = 64 << 10

// Slow says that a match may take long, because p backtracks. No pattern, nil,
// does not.
func (p *Pattern) Slow() bool { return p != nil && p.slow }

// Match says whether p matches anywhere in b. The error is that the match was
// given up because it took too long; it says nothing of b.
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

// matchRunes is Match for runes. It fails when that takes longer than limit;
// errGivenUp is that more time would not help.
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

// errGivenUp stands for the library's errors, which contain the whole body.
var errGivenUp = errors.New("tries too many ways to match, given up")

// highBytes is where the bytes from 0x80 on are put among the runes: a private
// area whose runes are no letters, have no case and are no blanks. To Perl such
// a byte in a text without encoding is none of these either, while the rune of
// the same number might be one.
const highBytes = 0xf700

// runeOf is the rune that stands for the byte c.
func runeOf(c byte) rune {
	if c < 0x80 {
		return rune(c)
	}
	return highBytes + rune(c)
}
