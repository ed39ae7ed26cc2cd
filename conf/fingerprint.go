package conf

import (
	"fmt"
	"slices"
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
func impress(p *parser, name, value string, b *block) {
	if p.expanding || b == nil && slices.Contains(ofHost, name) {
		return
	}
	shown := secret.Hide(strings.TrimSpace(value))
	if mask := maskOf(name); mask != nil {
		shown = mask(value)
	}
	fmt.Fprintf(p.print, "%t %s %q\n", b != nil, strings.TrimSpace(name), shown)
}
