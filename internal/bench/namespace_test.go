package bench

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

var reportFile = flag.String("report", "", "compare with the peers and write the result to this `file`")

// apartVar is set in a test binary in namespaces of its own, and where
// the stand-ins are.
const apartVar = "LDIRECTORD_BENCH_APART"

// apart has the calling benchmark run again with a network and mounts of its
// own. It returns true in there, with the stand-ins in dir.
func apart(b *testing.B) (dir string, inside bool) {
	b.Helper()
	if dir := os.Getenv(apartVar); dir != "" {
		return dir, true
	}
	lab.Root(b, "namespaces")
	// The peers, and what the comparison needs around them.
	lab.Need(b, "keepalived", "ldirectord", "libwww-perl", "ipvsadm", "nftables", "iproute2", "gcc", "libc6-dev")
	dir = b.TempDir()
	compile(b, filepath.Join(dir, "ipvsadm"), "testdata/ipvsadm.c")
	compile(b, filepath.Join(dir, "hang"), "testdata/hang.c", "-static")
	compile(b, filepath.Join(dir, "ipvs.so"), "testdata/ipvs.c", "-shared", "-fPIC")
	lab.Program(b, "github.com/ldirectord/ldirectord/cmd/ldirectord")
	var args []string
	flag.Visit(func(f *flag.Flag) { args = append(args, "-"+f.Name+"="+f.Value.String()) })
	args = append(args, "-test.benchtime=1x")
	cmd := exec.CommandContext(b.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), apartVar+"="+dir)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		// It is the first process in there: with it all that it started ends.
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID,
		Pdeathsig:  syscall.SIGKILL,
	}
	// It is killed when this thread ends, which must be with the process.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Run(); err != nil {
		b.Fatal(err)
	}
	return dir, false
}

// furnish prepares the namespaces: loopback, a /proc and a /run of their own, and the
// stand-in where ipvsadm is.
func furnish(dir string) error {
	up, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip link set lo up: %w: %s", err, up)
	}
	return errors.Join(
		syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""),
		syscall.Mount("proc", "/proc", "proc", 0, ""),
		syscall.Mount("tmpfs", "/run", "tmpfs", 0, ""),
		syscall.Mount(filepath.Join(dir, "ipvsadm"), "/usr/sbin/ipvsadm", "", syscall.MS_BIND, ""))
}

// compile compiles a C program.
func compile(b *testing.B, to, source string, flags ...string) {
	b.Helper()
	args := append([]string{"-O2", "-o", to, source}, flags...)
	if out, err := exec.CommandContext(b.Context(), "cc", args...).CombinedOutput(); err != nil {
		b.Fatalf("compiling %s: %v\n%s", source, err, out)
	}
}
