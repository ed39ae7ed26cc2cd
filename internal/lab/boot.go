package lab

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// memory is how much the kernel may use, in MiB, and manyMachines that of InsideLarge. The
// machine gives pages only as they are used; half of it is the most that can be written
// to files.
const (
	memory       = 512
	manyMachines = 1024
)

// turnOff is how long a kernel whose command has ended may take to turn itself
// off, which is a moment.
const turnOff = 5 * time.Second

// A command is what a kernel runs, in the form that the lab's init reads.
type command struct {
	Args []string
	Env  []string
	Dir  string

	memory int // see memory, which 0 is
}

// errKernel is a kernel that did not get to run its command or did not survive
// it.
var errKernel = errors.New("the lab's kernel failed")

// boot runs cmd on a kernel of its own, writes its output to out and returns
// its exit status. ctx's end kills the kernel and all its processes.
func boot(ctx context.Context, cmd command, out io.Writer) (status int, err error) {
	state, err := os.MkdirTemp("", "ldirectord-lab-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(state)
	text, err := json.Marshal(cmd)
	if err != nil {
		return 0, err
	}
	if err := os.WriteFile(filepath.Join(state, "command"), text, 0o600); err != nil {
		return 0, err
	}
	ctx, kill := context.WithCancelCause(ctx)
	defer kill(nil)
	log := &console{panicked: func() { kill(errors.New("it panicked")) }}
	left := filepath.Join(state, "status")
	go func() {
		if lingers(ctx, left) {
			kill(errors.New("it did not turn itself off"))
		}
	}()
	err = runKernel(ctx, state, cmp.Or(cmd.memory, memory), out, log)
	text, readErr := os.ReadFile(left)
	if readErr != nil { // the command has not ended
		return 0, fmt.Errorf("%w: %w\n%s", errKernel, cmp.Or(context.Cause(ctx), err, readErr), log)
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

// lingers waits for a kernel's status, and reports whether the kernel still runs
// some time later. One that panics while it turns itself off prints nothing on the
// console any more.
func lingers(ctx context.Context, status string) bool {
	sleep := func(d time.Duration) bool {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(d):
			return true
		}
	}
	for {
		if _, err := os.Stat(status); err == nil {
			return sleep(turnOff)
		}
		if !sleep(time.Second) {
			return false
		}
	}
}

// runKernel runs a kernel that finds its command in the directory state, until
// it turns itself off.
func runKernel(ctx context.Context, state string, memory int, out io.Writer, log *console) error {
	file, err := kernel()
	if err != nil {
		return err
	}
	init, err := program("github.com/ldirectord/ldirectord/internal/lab/init")
	if err != nil {
		return err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()

	cmd := exec.CommandContext(ctx, file,
		fmt.Sprintf("mem=%dM", memory), "rootfstype=hostfs", "ro", "init="+init, "lab="+state,
		"initcall_blacklist=raid6_select_algo", // a benchmark that takes most of the boot
		"uml_dir="+state+"/", "umid=uml", "quiet", "con=null", "con0=null,fd:1", "con1=null,fd:3")
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"}
	if dir := memoryDir(memory); dir != "" {
		cmd.Env = append(cmd.Env, "TMPDIR="+dir)
	}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{w}
	// The kernel is the first process of a PID namespace and dies with this
	// thread: whatever way the test ends, none of its processes is left.
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID, Pdeathsig: unix.SIGKILL}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err = cmd.Start()
	w.Close()
	if err != nil {
		return err
	}
	prefer(cmd.Process.Pid)
	_, copyErr := io.Copy(out, r)
	return errors.Join(cmd.Wait(), copyErr)
}

// preference is how much less nice a kernel is than its test.
const preference = 5

// prefer gives a kernel more of the CPU than its test, if allowed: checks inside
// have timeouts, and other work on this machine must not make real servers miss
// their deadlines.
func prefer(pid int) {
	own, err := unix.Getpriority(unix.PRIO_PROCESS, 0) // 20 - nice
	if err == nil {
		_ = unix.Setpriority(unix.PRIO_PROCESS, pid, 20-own-preference)
	}
}

// memoryDir is where the kernel's memory is to be kept, "" for where it looks
// by itself: /dev/shm, which is too small in many containers.
func memoryDir(memory int) string {
	var shm unix.Statfs_t
	if err := unix.Statfs("/dev/shm", &shm); err == nil && shm.Bavail*uint64(shm.Bsize) < uint64(memory)<<20 {
		return os.TempDir()
	}
	return ""
}
