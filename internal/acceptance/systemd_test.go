package acceptance

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// A machine is the director's namespace with systemd as the first process of its own
// PID and mount namespaces.
type machine struct {
	s   *site
	pid string // of systemd, outside
}

// bootScript starts systemd with nothing but one unit, and the others named, and prints its
// process id. An empty file masks a unit.
const bootScript = `
mountpoint -q /sys/fs/cgroup || mount -t cgroup2 cgroup2 /sys/fs/cgroup
tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id
mkdir -p /etc/systemd/system/"$1".d # the directory that the unit of Debian's package expects, made by SysV scripts
printf '[Service]\nExecStartPre=/bin/mkdir -p /run/lock/subsys\n' >/etc/systemd/system/"$1".d/lock.conf
cd /lib/systemd/system
for u in *.service *.socket *.timer *.mount *.automount *.path; do
	case " $* " in *" $u "*) continue ;; esac
	case $u in *@.*) ;; *) [ -e "/etc/systemd/system/$u" ] || : >"/etc/systemd/system/$u" ;; esac
done
rm -f /etc/systemd/system/*.wants/* /etc/init.d/*
ln -sf /dev/null /etc/systemd/system/modprobe@ip_vs.service
setsid unshare -m -p -u -i --fork --mount-proc --propagation private \
	env -i container=lab PATH="$PATH" /lib/systemd/systemd --system --unit="$1" --log-target=console --show-status=no \
	</dev/null >/run/systemd.log 2>&1 &
until pgrep -o -f '^/lib/systemd/systemd --system'; do sleep 0.1; done
`

// boot starts systemd with a unit and waits until that is active. Of the others it keeps
// those given.
func (s *site) boot(unit string, others ...string) *machine {
	s.t.Helper()
	out := s.Output("director", "bash", append([]string{"-c", bootScript, "boot", unit}, others...)...)
	m := &machine{s: s, pid: strings.TrimSpace(out)}
	s.t.Cleanup(func() {
		if pid, err := strconv.Atoi(m.pid); err == nil {
			if p, err := os.FindProcess(pid); err == nil {
				_ = p.Kill()
			}
		}
	})
	if !within(startLimit, func() bool { _, status := m.run("systemctl", "is-active", "-q", unit); return status == 0 }) {
		log, _ := os.ReadFile("/run/systemd.log")
		state, _ := m.run("systemctl", "status", unit)
		s.t.Fatalf("%s is not active:\n%s\n%s", unit, state, log)
	}
	return m
}

// run runs a command on the machine, outside of its units.
func (m *machine) run(words ...string) (out string, status int) {
	m.s.t.Helper()
	cmd := exec.CommandContext(m.s.t.Context(), "nsenter", append([]string{"-t", m.pid, "-m", "-p", "-n", "-u", "-i", "--"}, words...)...)
	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &text
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		m.s.t.Fatal(err)
	}
	return text.String(), cmd.ProcessState.ExitCode()
}

// must is run for a command that has to succeed.
func (m *machine) must(words ...string) string {
	m.s.t.Helper()
	out, status := m.run(words...)
	if status != 0 {
		log, _ := os.ReadFile("/run/systemd.log")
		m.s.t.Fatalf("%q: exit status %d\n%s\n%s", words, status, out, log)
	}
	return out
}

// refused runs a command that must fail with exit status 1 and name another one.
func (m *machine) refused(use string, words ...string) {
	m.s.t.Helper()
	out, status := m.run(words...)
	if status != 1 || !strings.Contains(out, "use: "+use) {
		m.s.t.Errorf("%q: exit status %d, want 1 and %q\n%s", words, status, use, out)
	}
}

// copyFile copies a file, in the place of what is there.
func copyFile(t testing.TB, from, to string, mode os.FileMode) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err == nil {
		err = os.RemoveAll(to)
	}
	if err == nil {
		err = os.WriteFile(to, text, mode)
	}
	if err != nil {
		t.Fatal(err)
	}
}
