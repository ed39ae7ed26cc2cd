package acceptance

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// asUser makes the daemon of a booted site a normal user's, as user.conf says, and stops
// it: no connection is lost, orders hold, and commands find the daemon without options.
func (w *swap) asUser(t testing.TB) {
	t.Helper()
	m := w.m
	m.must("useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", "ldirectord")
	w.useDropIn(t)
	w.held = w.hold(5)
	w.w.taken()
	m.must("systemctl", "restart", "ldirectord")
	if got := w.w.taken(); len(got) > 0 {
		t.Errorf("the restart as a normal user asked the kernel for %q", got)
	}
	pid := m.mainPID()
	if user := m.must("stat", "-c", "%U", "/proc/"+pid); user != "ldirectord\n" {
		t.Errorf("the daemon is %s's, want ldirectord's", user)
	}
	if text := m.must("cat", "/run/ldirectord/ldirectord.ldirectord.pid"); text != pid+"\n" {
		t.Errorf("the pid file has %q, the daemon is process %s", text, pid)
	}
	m.must("ldirectord", "status")
	m.must("ldirectord", "drain", real1)
	m.must("systemctl", "restart", "ldirectord")
	if out := m.must("ldirectord", "show", "--real", real1); !strings.Contains(out, "drain") {
		t.Errorf("the order has ended with a restart:\n%s", out)
	}
	m.must("ldirectord", "enable", real1)
	w.held.live(t, "restarts as a normal user")

	ping := strings.Replace(swapConfig, "checktype = connect", "checktype = ping", 1)
	if err := os.WriteFile(configFile, []byte(ping), 0o644); err != nil {
		t.Fatal(err)
	}
	w.w.taken()
	m.must("systemctl", "reload", "ldirectord")
	await(t, "a ping that is answered", func() bool {
		out, status := m.run("ldirectord", "why", real2)
		return status == 0 && strings.Contains(out, "ping") && !strings.Contains(out, "down")
	})
	if got := w.w.taken(); len(got) > 0 {
		t.Errorf("the reload with other checks asked the kernel for %q", got)
	}
	m.must("test", "-s", "/var/log/ldirectord/ldirectord.log")
	m.must("systemctl", "stop", "ldirectord")
	if table := w.Table(); table != "" {
		t.Errorf("the table after stop:\n%s", table)
	}
	if out, status := m.run("ldirectord", "status"); status != 3 {
		t.Errorf("status after stop: exit status %d, want 3\n%s", status, out)
	}
}

// asDynamicUser makes the stopped daemon of asUser that of a user whom systemd makes up: its
// directories are below private ones then. Commands find it, and an order outlives a restart.
func (w *swap) asDynamicUser(t testing.TB) {
	t.Helper()
	m := w.m
	dynamic := "[Service]\nDynamicUser=yes\nUser=ldirectord-dynamic\n"
	if err := os.WriteFile("/etc/systemd/system/ldirectord.service.d/zdynamic.conf", []byte(dynamic), 0o644); err != nil {
		t.Fatal(err)
	}
	m.must("systemctl", "daemon-reload")
	m.must("systemctl", "start", "ldirectord")
	w.comesFull(t, "the daemon of a dynamic user")
	uid, err := strconv.Atoi(strings.TrimSpace(m.must("stat", "-c", "%u", "/proc/"+m.mainPID())))
	if err != nil || uid < 61184 || uid > 65519 { // systemd.exec(5)
		t.Errorf("the daemon is user %d's, want a dynamic user's, %v", uid, err)
	}
	m.must("ldirectord", "status")
	m.must("ldirectord", "drain", real1)
	m.must("systemctl", "restart", "ldirectord")
	if out := m.must("ldirectord", "show", "--real", real1); !strings.Contains(out, "drain") {
		t.Errorf("the order has ended with a restart:\n%s", out)
	}
	m.must("ldirectord", "enable", real1)
	w.comesFull(t, "the end of the order")
	m.must("test", "-s", "/var/log/ldirectord/ldirectord.log")
	m.must("systemctl", "stop", "ldirectord")
	if table := w.Table(); table != "" {
		t.Errorf("the table after stop:\n%s", table)
	}
}

// useDropIn has the unit use user.conf from its next start on.
func (w *swap) useDropIn(t testing.TB) {
	t.Helper()
	dir := "/etc/systemd/system/ldirectord.service.d"
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	copyFile(t, "../../packaging/user.conf", dir+"/user.conf", 0o644)
	if err := os.RemoveAll(dir + "/lock.conf"); err != nil { // for the Perl daemon's unit
		t.Fatal(err)
	}
	w.m.must("systemctl", "daemon-reload")
}

// mainPID is the main process of the unit.
func (m *machine) mainPID() string {
	return strings.TrimSpace(m.must("systemctl", "show", "--property=MainPID", "--value", "ldirectord"))
}
