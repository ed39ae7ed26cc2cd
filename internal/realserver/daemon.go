// Package realserver starts the real programs that the checks are about, for
// tests: nginx, dovecot, mariadb and so on, from Debian's packages.
//
// Each is started on a loopback address and free ports of its own, with
// configuration and data in a throw-away directory, and ends with the test. A
// machine's own services, their ports and their data are never touched. It
// takes root: the packages are installed when they are missing, and several
// programs want to become a user of their own. Not as root, the test is left
// out with a line that says so.
package realserver

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	// startTimeout is how long a program may take until it answers: the first
	// start of a database on a loaded machine.
	startTimeout = 60 * time.Second
	// stopTimeout is how long it may take until it has ended.
	stopTimeout = 10 * time.Second
	// pollInterval is how often it is looked whether that has happened.
	pollInterval = 10 * time.Millisecond
)

// A Daemon is a running server program. Its methods fail the test if they
// cannot do what they promise.
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

	// Databases listen before they can be asked: ready is what they say then.
	ready string
	// hasData says that the Daemon has to be asked to end, so that its next
	// start need not mend its data.
	hasData bool
}

// A port is where a Daemon is asked.
type port struct {
	name    string // "http", "https"
	network string // "tcp" or "udp"
	addr    netip.AddrPort
}

// newDaemon is a Daemon that is not started yet.
func newDaemon(t *testing.T, name string) *Daemon {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skipf("not root: left out, starts %s", name)
	}
	return &Daemon{Dir: newDir(t, name), t: t, name: name}
}

// newDir makes a directory that everybody may look into, with a short name
// because of the unix sockets in it; t.TempDir is neither.
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

// Addr returns where the Daemon listens for what name says, one of those that
// the function that started it documents.
func (d *Daemon) Addr(name string) netip.AddrPort {
	d.t.Helper()
	for _, p := range d.ports {
		if p.name == name {
			return p.addr
		}
	}
	d.t.Fatalf("%s has no port for %q", d.name, name)
	return netip.AddrPort{}
}

// listen reserves a free port for what name says.
func (d *Daemon) listen(name, network string) netip.AddrPort {
	d.t.Helper()
	return d.listenOn(loopback(), name, network)
}

// listenOn is listen on a certain address.
func (d *Daemon) listenOn(ip netip.Addr, name, network string) netip.AddrPort {
	d.t.Helper()
	for {
		addr, err := freePort(ip)
		if err != nil {
			d.t.Fatal(err)
		}
		if d.reserved(addr) {
			continue
		}
		d.ports = append(d.ports, port{name, network, addr})
		return addr
	}
}

// reserved says that one of the Daemon's ports is addr.
func (d *Daemon) reserved(addr netip.AddrPort) bool {
	return slices.ContainsFunc(d.ports, func(p port) bool { return p.addr == addr })
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
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	if d.user == "" {
		return cmd, nil
	}
	id, err := credential(d.user)
	cmd.SysProcAttr.Credential = id
	return cmd, err
}

// run starts argv, which has to stay in the foreground, for the first time,
// and ends it with the test.
func (d *Daemon) run(argv ...string) *Daemon {
	d.t.Helper()
	d.argv = argv
	d.t.Cleanup(func() {
		if d.t.Failed() {
			said := d.output()
			d.t.Logf("%s said:\n%s", d.name, said[max(0, len(said)-4096):])
		}
		d.Stop()
	})
	d.Start()
	return d
}

// Start starts the Daemon again after Stop, on the same addresses, and returns
// when it listens.
func (d *Daemon) Start() {
	d.t.Helper()
	before := len(d.output())
	if err := d.spawn(); err != nil {
		d.t.Fatalf("starting %s: %v", d.name, err)
	}
	for _, p := range d.ports {
		d.await(fmt.Sprintf("nobody listens on %s (%s)", p.addr, p.name), p.taken)
	}
	d.await("it is not ready", func() bool { return strings.Contains(d.output()[before:], d.ready) })
}

// spawn starts the process. Its parent is a thread of its own that lives as
// long as it: the kernel kills it when its parent thread ends, so that nothing
// is left over when a test binary is killed.
func (d *Daemon) spawn() error {
	cmd, err := d.command(d.argv)
	if err != nil {
		return err
	}
	out, err := os.OpenFile(d.outputPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = out, out
	started := make(chan error)
	ended := make(chan struct{})
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		defer close(ended)
		defer out.Close()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // however it ended: that it did is what counts
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	d.pid, d.ended = cmd.Process.Pid, ended
	return nil
}

// await returns when the Daemon has come so far that done is true; lacks says
// what is missing until then.
func (d *Daemon) await(lacks string, done func() bool) {
	d.t.Helper()
	deadline := time.Now().Add(startTimeout)
	for !done() {
		select {
		case <-d.ended:
			d.t.Fatalf("%s ended by itself", d.name)
		case <-time.After(pollInterval):
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("%s: %s after %v", d.name, lacks, startTimeout)
		}
	}
}

// taken says that somebody listens on the port.
func (p port) taken() bool {
	if p.network == "udp" {
		// Who cannot have it knows that somebody has it.
		conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(p.addr))
		if err == nil {
			conn.Close()
		}
		return err != nil
	}
	conn, err := net.DialTimeout("tcp", p.addr.String(), time.Second)
	if err == nil {
		conn.Close()
	}
	return err == nil
}

// Stop ends the Daemon and returns when nobody listens any more. Stopping what
// has ended is no mistake.
func (d *Daemon) Stop() {
	d.t.Helper()
	if d.pid == 0 {
		return
	}
	if d.hasData {
		d.signal(syscall.SIGCONT)
		_ = syscall.Kill(d.pid, syscall.SIGTERM) // an error is that it has ended
		select {
		case <-d.ended:
		case <-time.After(stopTimeout):
		}
	}
	// Twice, for a child that was born meanwhile.
	d.signal(syscall.SIGKILL)
	<-d.ended
	d.signal(syscall.SIGKILL)
	d.pid = 0
	deadline := time.Now().Add(stopTimeout)
	for _, p := range d.ports {
		for p.taken() {
			if time.Now().After(deadline) {
				d.t.Fatalf("%s was stopped, but somebody listens on %s", d.name, p.addr)
			}
			time.Sleep(pollInterval)
		}
	}
}

// Pause stops all processes of the Daemon where they are: connections are
// accepted by the kernel and never answered.
func (d *Daemon) Pause() {
	d.t.Helper()
	d.signal(syscall.SIGSTOP)
}

// Continue lets a paused Daemon go on.
func (d *Daemon) Continue() {
	d.t.Helper()
	d.signal(syscall.SIGCONT)
}

// signal sends sig to the Daemon and all that it has started.
func (d *Daemon) signal(sig syscall.Signal) {
	if d.pid == 0 {
		return
	}
	for _, pid := range family(d.pid) {
		_ = syscall.Kill(pid, sig) // an error is that it has ended meanwhile
	}
}

func (d *Daemon) outputPath() string { return filepath.Join(d.Dir, "output") }

// output returns what the Daemon has said so far.
func (d *Daemon) output() string {
	out, err := os.ReadFile(d.outputPath())
	if err != nil {
		return ""
	}
	return string(out)
}

// loopback is an IPv4 loopback address that other test binaries hardly use, so
// that free ports do not have to be fought for.
func loopback() netip.Addr {
	pid := os.Getpid()
	return netip.AddrFrom4([4]byte{127, byte(64 + pid>>16&63), byte(pid >> 8), byte(max(1, pid&254))})
}

// freePort is a port that is free for tcp and udp.
func freePort(ip netip.Addr) (netip.AddrPort, error) {
	for {
		l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(ip, 0)))
		if err != nil {
			return netip.AddrPort{}, err
		}
		addr := l.Addr().(*net.TCPAddr).AddrPort()
		addr = netip.AddrPortFrom(ip, addr.Port())
		udp, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(addr))
		l.Close()
		if err == nil {
			udp.Close()
			return addr, nil
		}
	}
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
