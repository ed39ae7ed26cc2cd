package daemon

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/account"
	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestReadRefusesCheckUser reads a file whose checkuser no command can run as.
func TestReadRefusesCheckUser(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.cf")
	if err := os.WriteFile(path, []byte("checkuser=someone\nnotifycommand=/bin/true\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	options := Directories{}.ConfigOptions()
	options.LookupUser = func(name string) (account.Account, error) {
		return account.Account{Name: name, UID: 1<<32 - 1}, nil // which is none for setuid(2)
	}
	sources, err := conf.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{file: source{path: path, options: options}}
	if r := d.read(sources); r.cfg != nil || !strings.Contains(r.why, "checkuser = someone: ") {
		t.Errorf("it is taken, or refused with %q", r.why)
	}
	d.dryRun = true // which does not run the command
	if r := d.read(sources); r.cfg == nil {
		t.Errorf("a dry run refuses it with %q", r.why)
	}
}

// TestDryRunRunsChecksAs has a checkuser that no command can run as, in dry runs.
func TestDryRunRunsChecksAs(t *testing.T) {
	noUser := account.Account{Name: "x", UID: 1<<32 - 1}
	for kind, refused := range map[conf.CheckType]bool{conf.CheckExternal: true, conf.CheckExternalPerl: true, conf.CheckConnect: false} {
		cfg := &conf.Config{Virtuals: []*conf.VirtualService{{Check: conf.Check{CheckType: kind}, Policy: conf.Policy{FallbackCommand: "x"}}}}
		cfg.CheckUser, cfg.NotifyCommand = noUser, "x"
		if err := canRunAs(cfg, true); (err != nil) != refused {
			t.Errorf("check type %v: %v", kind, err)
		}
	}
}

// TestCanRunAs compares what a daemon may do with what checkuser wants of it.
func TestCanRunAs(t *testing.T) {
	lab.Root(t, "another user")
	nobody := account.Account{Name: "nobody", UID: 65534, GID: 65534}
	other := account.Account{Name: "other", UID: 4711, GID: 4711}
	external := &conf.Config{Virtuals: []*conf.VirtualService{{Check: conf.Check{CheckType: conf.CheckExternal}}}}
	perl := &conf.Config{Virtuals: []*conf.VirtualService{{Check: conf.Check{CheckType: conf.CheckExternalPerl}}}}
	fallback := &conf.Config{Virtuals: []*conf.VirtualService{{Policy: conf.Policy{FallbackCommand: "x"}}}}
	notify := &conf.Config{Notify: conf.Notify{NotifyCommand: "x"}}
	none := &conf.Config{Virtuals: []*conf.VirtualService{{}}}
	normal := exec.Command("sleep", "98765")
	normal.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if err := normal.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = normal.Process.Kill(); _ = normal.Wait() })
	eventually.True(t, "the process of nobody", func() bool { return userOf(normal.Process.Pid) == 65534 })
	tests := []struct {
		name string
		cfg  *conf.Config
		user account.Account
		pid  int
		want string // in the error, "" is none
	}{
		{"no checkuser", external, account.Account{}, os.Getpid(), ""},
		{"root's daemon", external, nobody, os.Getpid(), ""},
		{"no user that the kernel can take", external, account.Account{Name: "x", UID: 1<<32 - 1}, os.Getpid(), "cannot run as this user"},
		{"another user's daemon", external, other, normal.Process.Pid, "this one runs as user 65534"},
		{"its Perl", perl, other, normal.Process.Pid, "this one runs as user 65534"},
		{"its notifycommand", notify, other, normal.Process.Pid, "this one runs as user 65534"},
		{"its fallbackcommand", fallback, other, normal.Process.Pid, "this one runs as user 65534"},
		{"it would be root", fallback, account.Account{Name: "root"}, normal.Process.Pid, "this one runs as user 65534"},
		{"it runs no commands", none, other, normal.Process.Pid, ""},
		{"it is the user", external, nobody, normal.Process.Pid, ""},
	}
	for _, tt := range tests {
		cfg := *tt.cfg
		cfg.CheckUser = tt.user
		err := CanRunAs(&cfg, tt.pid)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.want)
		}
	}
}
