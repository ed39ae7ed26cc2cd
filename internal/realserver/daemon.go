// Package realserver starts the real server programs of the checks, for tests:
// nginx, dovecot, mariadb and so on, from Debian's packages.
//
// Each runs on a loopback address and free ports of its own, with configuration and
// data in a throw-away directory, and ends with the test. A machine's own services,
// their ports and their data are never touched. It takes root: missing packages are
// installed, and several programs change to a user of their own. For other users
// the test is skipped with a line that gives the reason.
package realserver

import (
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// A Daemon is a running server program. Its methods fail the test on an error.
type Daemon struct {
	Dir string // its configuration, data and output; gone after the test

	t     *testing.T
	name  string
	argv  []string
	user  string // who it is started as, "" is root
	env   []string
	ports []port
	pid   int           // of the process that was started, 0 if there is none
	ended chan struct{} // closed when that has ended

	// Databases listen before they accept queries: ready is their message then.
	ready string
	// hasData means that the Daemon needs an orderly end, so that its next start
	// need not repair its data.
	hasData bool
}

// newDaemon is a Daemon before its start.
func newDaemon(t *testing.T, name string) *Daemon {
	t.Helper()
	lab.Root(t, "to start "+name)
	return &Daemon{Dir: newDir(t, name), t: t, name: name}
}

// newDir makes a directory that all users may read, with a short name because of
// the unix sockets in it; t.TempDir is neither.
func newDir(t *testing.T, name string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", name+"-") //nolint:usetesting // for these two reasons
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// write writes a file of the Daemon, after making its directories, and returns
// its path.
func (d *Daemon) write(name, content string) string {
	d.t.Helper()
	path := filepath.Join(d.Dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		d.t.Fatal(err)
	}
	return path
}

// mkdir makes a directory that belongs to owner ("" is root) and returns its
// path.
func (d *Daemon) mkdir(name, owner string) string {
	d.t.Helper()
	path := filepath.Join(d.Dir, name)
	if err := os.MkdirAll(path, 0o755); err != nil {
		d.t.Fatal(err)
	}
	d.chown(path, owner)
	return path
}

// chown gives path to owner, "" is root.
func (d *Daemon) chown(path, owner string) {
	d.t.Helper()
	if owner == "" {
		return
	}
	id, err := credential(owner)
	if err == nil {
		err = os.Chown(path, int(id.Uid), int(id.Gid))
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

// prepare runs a command to its end before the Daemon is started.
func (d *Daemon) prepare(argv ...string) {
	d.t.Helper()
	d.prepareInput("", argv...)
}

// prepareInput is prepare for a command that reads input.
func (d *Daemon) prepareInput(input string, argv ...string) {
	d.t.Helper()
	cmd, err := d.command(argv)
	if err != nil {
		d.t.Fatal(err)
	}
	cmd.Stdin = strings.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		d.t.Fatalf("%s: %v\n%s", strings.Join(argv, " "), err, out)
	}
}

// command is argv as the Daemon's user and in its environment.
func (d *Daemon) command(argv []string) (*exec.Cmd, error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = d.Dir
	cmd.Env = append(os.Environ(), append([]string{"LC_ALL=C", "HOME=" + d.Dir}, d.env...)...)
	// Shared memory (System V) ends with its namespace, even if all are killed.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Cloneflags: syscall.CLONE_NEWIPC}
	if d.user == "" {
		return cmd, nil
	}
	id, err := credential(d.user)
	cmd.SysProcAttr.Credential = id
	return cmd, err
}

// credential is the identity of a user of the machine.
func credential(name string) (*syscall.Credential, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, err
}
