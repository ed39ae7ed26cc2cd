package conf

import (
	"encoding/hex"
	"hash"
	"slices"
	"strconv"
	"strings"

	"github.com/ldirectord/ldirectord/internal/secret"
)

// fingerprintSize is the length of a fingerprint in bytes.
const fingerprintSize = 6

// Fingerprint tells files apart that say something else, but for their secrets and what is
// each host's own. Comments, blank lines and which files include others make no difference.
func (c *Config) Fingerprint() string { return c.fingerprint }

// ofHost are the directives that directors with the same services may have different values of.
var ofHost = []string{"checkdevice", "checksource", "include", "logfile", "monitorlog", "statuscert", "statuskey", "statuslisten", "syncdaemon", "vipdevice"}

// impress adds a directive to the fingerprint, with its secrets masked: readers see the sum, and
// could guess a short password.
func (p *parser) impress(d *directive, value string, b *block) {
	if p.expanding || b == nil && slices.Contains(ofHost, d.name) {
		return
	}
	if d.mask != nil {
		value = d.mask(value)
	} else {
		value = secret.Hide(strings.TrimSpace(value))
	}
	p.print.line(b != nil, d.name, value)
}

// A fingerprint is the sum of the lines of a configuration.
type fingerprint struct {
	sum    hash.Hash
	buffer []byte
}

// line adds a line. Its length keeps a value from being taken for two lines.
func (f *fingerprint) line(inBlock bool, name, value string) {
	text := strconv.AppendBool(f.buffer[:0], inBlock)
	text = append(append(append(text, ' '), strings.TrimSpace(name)...), ' ')
	text = strconv.AppendInt(text, int64(len(value)), 10)
	f.buffer = append(append(append(text, ' '), value...), '\n')
	f.sum.Write(f.buffer)
}

// String is the fingerprint of the lines so far.
func (f *fingerprint) String() string { return hex.EncodeToString(f.sum.Sum(nil)[:fingerprintSize]) }
