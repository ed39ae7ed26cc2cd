package replay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/internal/eventually"
)

// A stage is where one session is played: a director with its own files and
// network, and its real servers.
type stage struct {
	t        *testing.T
	session  *session
	binary   string
	dir      string // what the director's directories are outside
	director *place
	servers  *servers

	seen     int          // lines of the log that were looked at
	last     int          // how many of these at the last look
	attached *exec.Cmd    // a daemon in the foreground
	output   lockedBuffer // of that
	syslog   lockedBuffer
}

func newStage(t *testing.T, binary string, s *session) *stage {
	t.Helper()
	st := &stage{t: t, session: s, binary: binary, dir: t.TempDir(), director: newPlace(t)}
	there := newPlace(t)
	if err := errors.Join(connect(st.director, there), st.director.furnish(st.dir)); err != nil {
		t.Fatal(err)
	}
	for _, f := range s.archive.Files {
		mode := fs.FileMode(0o644)
		if ext := filepath.Ext(f.Name); ext == ".sh" || ext == ".pl" {
			mode = 0o755
		}
		if err := os.WriteFile(st.path("/etc/ha.d/"+f.Name), f.Data, mode); err != nil {
			t.Fatal(err)
		}
	}
	st.servers = newServers(t, there)
	st.listenSyslog()
	t.Cleanup(st.killAll)
	return st
}

// path is where a file of the director is outside.
func (s *stage) path(name string) string {
	for inside, outside := range map[string]string{"/run/": "run/", "/var/log/": "log/", "/etc/ha.d/": "ha.d/"} {
		if rest, ok := strings.CutPrefix(name, inside); ok {
			return filepath.Join(s.dir, outside+rest)
		}
	}
	s.t.Fatalf("no directory of the session: %s", name)
	return ""
}

func (s *stage) listenSyslog() {
	l, err := net.ListenPacket("unixgram", filepath.Join(s.dir, "dev", "log"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { l.Close() })
	go func() {
		buf := make([]byte, 64<<10)
		for {
			n, _, err := l.ReadFrom(buf)
			if err != nil {
				return
			}
			fmt.Fprintf(&s.syslog, "%s\n", buf[:n])
		}
	}()
}

// play plays the session and compares.
func (s *stage) play() {
	for _, st := range s.session.steps {
		s.perform(st)
		if diff := cmp.Diff(slices.Sorted(slices.Values(st.want)), slices.Sorted(slices.Values(st.got))); diff != "" && !*update {
			s.t.Fatalf("%s: after %q (-want +got):\n%s", filepath.Base(s.session.file), st.words, diff)
		}
	}
}

// patience is how long a step may take to show the expected output.
const patience = eventually.Limit

// until looks until it sees the expected output, or patience is over. To learn
// the output it looks until nothing changes any more. An expensive look waits
// for ready, unless ready is nil.
func (s *stage) until(want []string, ready func() bool, look func() []string) []string {
	want = slices.Sorted(slices.Values(want))
	end := time.Now().Add(patience)
	var got []string
	for quiet := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		late := time.Now().After(end)
		if !*update && !late && ready != nil && !ready() {
			continue
		}
		last := got
		got = look()
		if !slices.Equal(last, got) {
			quiet = time.Now()
		}
		switch {
		case late:
			return got
		case *update && time.Since(quiet) > 2500*time.Millisecond:
			return got
		case !*update && slices.Equal(want, slices.Sorted(slices.Values(got))):
			return got
		}
	}
}

// command is a command of the director.
func (s *stage) command(path string, args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(s.t.Context(), eventually.Limit)
	s.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, path, args[1:]...)
	cmd.Args = args
	cmd.WaitDelay = eventually.Limit // not less: a busy machine reads late what a command wrote
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C", "HOSTNAME=director", "USER=root"}
	return cmd
}

// ended runs a command to its end and says how that was.
func (s *stage) ended(path string, args []string) []string {
	cmd := s.command(path, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := s.director.run(cmd); err != nil {
		s.t.Fatal(err)
	}
	var lines []string
	if code := cmd.ProcessState.ExitCode(); code != 0 {
		lines = append(lines, "exit "+strconv.Itoa(code))
	}
	lines = append(lines, prefixed("stderr: ", masked(strings.ReplaceAll(stderr.String(), project, "~")))...)
	out := masked(stdout.String())
	if len(out) > 0 && (out[0] == "Usage:" || strings.HasPrefix(out[0], "Linux Director")) {
		out = out[:1] // how the usage goes on is not what sessions are about
	}
	return append(lines, prefixed("stdout: ", out)...)
}

// attach starts a daemon that stays in the foreground.
func (s *stage) attach(args []string) {
	s.attached = s.command(s.binary, append([]string{"ldirectord"}, args...)...)
	s.attached.Stdout, s.attached.Stderr = &s.output, &s.output
	if err := s.director.do(s.attached.Start); err != nil {
		s.t.Fatal(err)
	}
}

// pid is the daemon of a file, 0 if there is none.
func (s *stage) pid(name string) int {
	if s.attached != nil {
		return s.attached.Process.Pid
	}
	text, err := os.ReadFile(s.path("/run/ldirectord." + name + ".pid"))
	if err != nil {
		return 0
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return pid
}

// runs says whether a process runs.
func runs(pid int) bool { return pid != 0 && syscall.Kill(pid, 0) == nil }

// gone waits until a process has ended.
func (s *stage) gone(pid int) {
	s.t.Helper()
	end := time.Now().Add(patience)
	for runs(pid) && time.Now().Before(end) {
		time.Sleep(10 * time.Millisecond)
	}
	if runs(pid) {
		s.t.Errorf("process %d has not ended", pid)
	}
}

// killAll ends what the session has left running.
func (s *stage) killAll() {
	if s.attached != nil {
		_ = s.attached.Process.Kill()
		_ = s.attached.Wait()
		s.attached = nil
	}
	files, _ := filepath.Glob(filepath.Join(s.dir, "run", "ldirectord.*.pid"))
	for _, file := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "ldirectord."), ".pid")
		if pid := s.pid(name); pid > 1 && runs(pid) && pid != os.Getpid() {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			s.gone(pid)
		}
	}
}

// A lockedBuffer collects what several write.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// port is an address and port of the session.
func (s *stage) port(text string) netip.AddrPort {
	at, err := netip.ParseAddrPort(text)
	if err != nil {
		s.t.Fatal(err)
	}
	return at
}
