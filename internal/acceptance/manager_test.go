package acceptance

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/lab"
)

// A manager starts and stops the daemon without systemd, by a script.
type manager struct {
	name    string
	perl    string // script of the Perl daemon's packages
	ours    string // that of ours, relative to this directory; "": none of its own
	place   string // of both
	words   []string
	env     []string
	restart []string // the procedure of docs/migration.md
	status  string   // its word for it
	stopped int      // the exit status of that after the end
	killed  int      // the same after SIGKILL, for an OCF agent
}

const initScript = "/etc/init.d/ldirectord"

var sysV = manager{
	name: "SysV", perl: initScript, ours: "../../packaging/ldirectord.init", place: initScript,
	restart: []string{initScript, "restart"}, status: "status", stopped: 3,
}

// pacemaker has the agent of our packages for both daemons; Debian's is in
// TestLongManagers.
var pacemaker = manager{
	name: "Pacemaker", perl: "../../packaging/ocf", ours: "../../packaging/ocf", place: "/usr/lib/ocf/resource.d/heartbeat/ldirectord",
	env:     []string{"OCF_ROOT=/usr/lib/ocf", "OCF_RESOURCE_INSTANCE=ldir", "OCF_RESKEY_configfile=" + configFile},
	restart: []string{installedFile, configFile, "restart"}, status: "monitor", stopped: 7, killed: 1,
}

// TestManagers takes the place of the Perl daemon under SysV init, under traffic, stops a
// daemon that hangs by the agent, and removes the package from under another one.
// TestLongManagers does all of it everywhere.
func TestManagers(t *testing.T) {
	t.Parallel()
	if h := newManaged(t); h != nil {
		h.swap(t, sysV)
		h.stopOurs(t, sysV)
		h.hangs(t, pacemaker)
		h.removedFromHung(t, "stopped", func(pid int) {
			if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// A managed is a site with both daemons.
type managed struct {
	*site
	w          *watch
	perl, ours string // the programs
	init       string // the init script of Debian's package
}

// newManaged returns nil outside of the lab.
func newManaged(t *testing.T) *managed {
	t.Helper()
	lab.Need(t, "ldirectord", "libwww-perl", "procps")
	h := &managed{ours: lab.Program(t, program)}
	if !lab.Inside(t) {
		return nil
	}
	h.perl = filepath.Join(t.TempDir(), "perl")
	copyFile(t, installedFile, h.perl, 0o755)
	h.init = filepath.Join(t.TempDir(), "init")
	copyFile(t, initScript, h.init, 0o755)
	h.site = newSite(t, lab.DR)
	h.w = h.watch()
	if err := os.WriteFile(configFile, []byte(swapConfig), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("/etc/default/ldirectord", []byte("CONFIG_FILE="+configFile+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return h
}

// install puts a daemon and its script in their places.
func (h *managed) install(t testing.TB, daemon, script, place string) {
	t.Helper()
	copyFile(t, daemon, installedFile, 0o755)
	switch script {
	case place: // it is that of Debian's package
		if place == initScript {
			copyFile(t, h.init, place, 0o755)
		}
	case "":
		err := errors.Join(os.MkdirAll(filepath.Dir(place), 0o755), os.RemoveAll(place), os.Symlink(installedFile, place))
		if err != nil {
			t.Fatal(err)
		}
	default:
		if err := os.MkdirAll(filepath.Dir(place), 0o755); err != nil {
			t.Fatal(err)
		}
		copyFile(t, script, place, 0o755)
	}
}

// does runs a command in the director's namespace.
func (h *managed) does(t testing.TB, env []string, words ...string) (out string, status int) {
	t.Helper()
	cmd := h.Command("director", words[0], words[1:]...)
	cmd.Env = append(os.Environ(), env...)
	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &text
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatal(err)
	}
	return text.String(), cmd.ProcessState.ExitCode()
}

// must has a manager do something.
func (h *managed) must(t testing.TB, m manager, status int, word string) {
	t.Helper()
	if out, got := h.does(t, m.env, append(append([]string{m.place}, m.words...), word)...); got != status {
		t.Errorf("%s: %s: exit status %d, want %d\n%s", m.name, word, got, status, out)
	}
}

// swap has ours take the place of the Perl daemon under a manager.
func (h *managed) swap(t testing.TB, m manager) {
	t.Helper()
	h.install(t, h.perl, m.perl, m.place)
	h.must(t, m, 0, "start")
	h.comesFull(t, m.name+", with the Perl daemon")
	h.w.taken()
	h.beside(t, m)
	visits, stop := h.visit(h.visitPatiently)
	defer stop()
	visits.next(3)
	held := h.hold(10)
	from := time.Now()
	h.w.taken()
	h.install(t, h.ours, m.ours, m.place)
	if out, status := h.does(t, nil, m.restart...); status != 0 {
		t.Errorf("%s: %q: exit status %d\n%s", m.name, m.restart, status, out)
	}
	h.must(t, m, 0, m.status)
	if pid := readPid(pidFile); pid == 0 || isPerl(pid) {
		t.Errorf("%s: the pid file has %d, Perl %t, want ours", m.name, pid, isPerl(pid))
	}
	visits.next(3)
	held.live(t, m.name+"'s swap")
	stop()
	if bad, all := visits.failed(from); bad > 0 {
		t.Errorf("%s: %d of %d visits failed", m.name, bad, all)
	}
	h.keptTable(t, m.name+"'s swap")
}

// keptTable sees that nothing was taken out of the kernel.
func (h *managed) keptTable(t testing.TB, what string) {
	t.Helper()
	if got := h.w.taken(); slices.Contains(got, "DEL_SERVICE") || slices.Contains(got, "DEL_DEST") || slices.Contains(got, "FLUSH") {
		t.Errorf("%s asked the kernel for %q", what, got)
	}
}

// stopOurs ends our daemon by its manager.
func (h *managed) stopOurs(t testing.TB, m manager) {
	t.Helper()
	h.must(t, m, 0, "stop")
	h.must(t, m, m.stopped, m.status)
	if table := h.Table(); table != "" {
		t.Errorf("%s: the table after stop:\n%s", m.name, table)
	}
}

// hangs has a manager find and stop a daemon of ours that is stopped, within the time
// that a cluster allows.
func (h *managed) hangs(t testing.TB, m manager) {
	t.Helper()
	h.install(t, h.ours, m.ours, m.place)
	h.must(t, m, 0, "start")
	h.comesFull(t, m.name+", with ours")
	pid := readPid(pidFile)
	if pid == 0 {
		t.Fatalf("%s: there is no pid file", m.name)
	}
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	h.must(t, m, 1, m.status)
	took := time.Since(began)
	began = time.Now()
	h.must(t, m, 0, "stop")
	ended := time.Since(began)
	t.Logf("%s, beside a stopped daemon: %s %v, stop %v", m.name, m.status, took, ended)
	if most := 20 * time.Second; took > most || ended > most { // 10 and 12, where programs start at once
		t.Errorf("%s: beside a stopped daemon %s took %v, stop %v", m.name, m.status, took, ended)
	}
	if table := h.Table(); table != "" {
		t.Errorf("%s: the table after stop:\n%s", m.name, table)
	}
	h.must(t, m, m.stopped, m.status)
}

// removedFromHung has the script that runs before the Debian package goes end a daemon of
// ours that hangs: within bounded time, and as with any other daemon the table stays.
func (h *managed) removedFromHung(t testing.TB, how string, hang func(pid int)) {
	t.Helper()
	if err := os.RemoveAll("/run/systemd"); err != nil { // of this throw-away copy: no systemd has booted it
		t.Fatal(err)
	}
	h.install(t, h.ours, sysV.ours, sysV.place)
	h.must(t, sysV, 0, "start")
	h.comesFull(t, "ours under SysV")
	held := h.hold(10)
	pid := readPid(pidFile)
	if pid == 0 {
		t.Fatal("there is no pid file")
	}
	h.w.taken()
	hang(pid)
	began := time.Now()
	out, status := h.does(t, nil, "../../packaging/deb/prerm", "remove")
	if status != 0 {
		t.Errorf("prerm remove, beside a %s daemon: exit status %d\n%s", how, status, out)
	}
	t.Logf("prerm remove, beside a %s daemon, took %v", how, time.Since(began).Round(time.Millisecond))
	eventually.InTime(t, "prerm remove", began, 35*time.Second) // status 10, the signal 20, SIGKILL 5
	if !within(5*time.Second, func() bool { return gone(pid) }) {
		t.Errorf("after prerm remove the %s daemon is there: %s", how, out)
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	held.live(t, "the removal")
	if asked := h.w.taken(); len(asked) > 0 {
		t.Errorf("prerm remove, beside a %s daemon, asked the kernel for %q", how, asked)
	}
	h.must(t, sysV, 0, "start")
	h.stopOurs(t, sysV)
}

// readPid is the process of a pid file, 0 if there is none.
func readPid(file string) int {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return pid
}

func isPerl(pid int) bool {
	words, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return bytes.Contains(words, []byte("perl"))
}

// beside starts daemons of ours beside the Perl daemon of a manager: of its file, and of
// another one with its virtual service.
func (h *managed) beside(t testing.TB, m manager) {
	t.Helper()
	other := filepath.Join(t.TempDir(), "other.cf")
	if err := os.WriteFile(other, []byte(swapConfig), 0o644); err != nil {
		t.Fatal(err)
	}
	pid := strconv.Itoa(readPid(pidFile))
	for _, tt := range []struct {
		words  []string
		status int
		says   string
	}{
		{[]string{configFile, "start"}, 0, "already running, pid " + pid},
		{[]string{"/etc/ha.d/../ha.d/ldirectord.cf", "start"}, 0, "already running, pid " + pid},
		{[]string{"--foreground", configFile, "start"}, 1, "already running, pid " + pid},
		{[]string{configFile, "status"}, 0, ""},
		{[]string{other, "start"}, 1, "virtual service tcp:" + vip + ":80 is steered by process " + pid + " for " + configFile},
	} {
		out, status := h.does(t, nil, append([]string{h.ours}, tt.words...)...)
		if status != tt.status || !strings.Contains(out, tt.says) {
			t.Errorf("%s: beside Perl, %q: exit status %d, want %d and %q\n%s", m.name, tt.words, status, tt.status, tt.says, out)
		}
	}
	h.keptTable(t, "what was started beside the Perl daemon")
}
