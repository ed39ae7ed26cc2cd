package realserver

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// SSHD starts OpenSSH's server. Its port is "ssh". It accepts no login.
func SSHD(t *testing.T) *Daemon {
	t.Helper()
	lab.Need(t, "openssh-server")
	d := newDaemon(t, "sshd")
	// The privilege separation directory is compiled in.
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(d.Dir, "key")
	d.prepare("/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
	addr := d.listen("ssh", "tcp")
	config := d.write("sshd_config", fmt.Sprintf(`
ListenAddress %s
HostKey %s
PidFile none
LogLevel VERBOSE
UsePAM no
PasswordAuthentication no
`, addr, key))
	d.ready = "Connection closed by" // it has seen the one that looked for it
	return d.run("/usr/sbin/sshd", "-D", "-e", "-f", config)
}
