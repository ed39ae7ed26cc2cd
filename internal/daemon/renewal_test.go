package daemon

import (
	"bytes"
	"encoding/pem"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestAuthoritiesAreReported has the file of statusca broken for an hour: the log has its beginning and
// its end, each once.
func TestAuthoritiesAreReported(t *testing.T) {
	dir := t.TempDir()
	path, ca := filepath.Join(dir, "t.cf"), filepath.Join(dir, "ca.pem")
	server := httptest.NewTLSServer(nil)
	server.Close()
	good := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	write(t, ca, good)
	write(t, path, "supervised=yes\nmonitorlog=none\ndirectors=192.0.2.1:9180\nstatusca="+ca+"\n")
	var out bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		_, _, stop := runFake(t, path, &out)
		time.Sleep(time.Minute)
		write(t, ca, "half")
		time.Sleep(time.Hour)
		write(t, ca, good)
		time.Sleep(time.Minute)
		stop()
	})
	log := strings.ReplaceAll(out.String(), dir, "DIR")
	for _, line := range []string{
		"The other directors cannot be asked: statusca: DIR/ca.pem has no certificate in PEM",
		"No longer so: the other directors cannot be asked",
	} {
		if got := strings.Count(log, line); got != 1 {
			t.Errorf("the log has %q %d times, want once:\n%s", line, got, log)
		}
	}
}
