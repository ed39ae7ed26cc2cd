package daemon

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/internal/status"
	"github.com/ldirectord/ldirectord/ipvs"
)

// A mumbling table cannot be read until a time.
type mumbling struct {
	ipvs.Table
	until time.Time
}

var errMumbled = errors.New("netlink: no buffer space")

// Read implements ipvs.Table.
func (m mumbling) Read() ([]ipvs.Entry, error) {
	if time.Now().Before(m.until) {
		return nil, errMumbled
	}
	return m.Table.Read()
}

// TestStartAwaitsTheTable has a table that cannot be read at the start: start reports
// success when it has been read, and never if the daemon ends for that.
func TestStartAwaitsTheTable(t *testing.T) {
	for name, tt := range map[string]struct {
		unread time.Duration
		ready  time.Duration // 0 is never
		ends   string        // the daemon's error, "" is none
	}{
		"at once":         {0, 0, ""},
		"after 12 s":      {11500 * time.Millisecond, 12 * time.Second, ""},
		"not within 30 s": {time.Hour, 0, "reading the IPVS table failed for 30s"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "t.cf")
			write(t, file, "monitorlog=none\nsupervised=yes\nvirtual=10.0.0.1:80\n    real=10.1.0.1:80 masq\n    checktype=on\n")
			synctest.Test(t, func(t *testing.T) {
				p := starting(t, dir, file)
				defer p.Log.Close()
				began := time.Now()
				d := p.newDaemon(mumbling{ipvs.NewMemory(), began.Add(tt.unread)}, nil, nil)
				d.status.Close()
				d.status = status.New(status.Options{Director: d.director, Log: d.log.Printf}) // without a socket
				signals, ended := make(chan os.Signal), make(chan error, 1)
				var ready []time.Duration
				go func() {
					_, err := d.run(signals, func() { ready = append(ready, time.Since(began)) })
					ended <- err
				}()
				if tt.ends != "" {
					if err := <-ended; err == nil || !strings.Contains(err.Error(), tt.ends) || len(ready) > 0 {
						t.Errorf("ready after %v, the end is %v, want no success and %q", ready, err, tt.ends)
					}
					return
				}
				time.Sleep(20 * time.Second)
				synctest.Wait()
				if len(ready) == 0 || ready[0] < tt.ready || ready[0] > tt.ready+time.Second {
					t.Errorf("ready after %v, want %v", ready, tt.ready)
				}
				signals <- unix.SIGTERM
				if err := <-ended; err != nil {
					t.Error(err)
				}
			})
		})
	}
}
