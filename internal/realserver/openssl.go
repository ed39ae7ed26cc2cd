package realserver

import (
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// OpenSSL starts "openssl s_server" with options, a small web server whose TLS
// they narrow. Its port is "https".
func OpenSSL(t *testing.T, options ...string) *Daemon {
	t.Helper()
	lab.Need(t, "openssl")
	d := newDaemon(t, "openssl")
	addr := d.listen("https", "tcp")
	return d.run(append([]string{"/usr/bin/openssl", "s_server", "-www", "-accept", addr.String()}, options...)...)
}
