package command

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	shell = "/bin/sh"

	// linger is the time for which output is still read after the program's end
	// while another process holds the pipe.
	linger = 20 * time.Millisecond
)

// A process is a program that was started and is the leader of its group.
type process struct {
	leader *os.Process
	exited chan struct{} // closed when the leader has ended; it is not reaped yet
	stdout *os.File      // our ends of its pipes, nil if there are none
	stdin  *os.File
	pumps  sync.WaitGroup // the goroutines at our ends
	output []byte         // written by a pump
}

// start starts c.
func start(c Command) (*process, error) {
	argv := append([]string{c.Path}, c.Args...)
	if c.Shell != "" {
		argv = []string{shell, "-c", c.Shell}
	}
	p, err := startArgs(c, argv)
	if errors.Is(err, unix.ENOEXEC) && c.Shell == "" {
		// A script without a #! line: execvp, and so the original, passes it to the
		// shell.
		return startArgs(c, append([]string{shell}, argv...))
	}
	return p, err
}

func startArgs(c Command, argv []string) (*process, error) {
	p := &process{exited: make(chan struct{})}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = c.As.Environment(environment(c.Env))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: c.As.Credential()}

	// Our own pipes, as files: package exec then starts no goroutine and does not
	// wait for a grandchild that inherited the other end.
	var theirs []*os.File
	defer func() { closeAll(theirs) }()
	if !c.LeaveChildren {
		r, w, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		p.stdout, cmd.Stdout, cmd.Stderr = r, w, w
		theirs = append(theirs, w)
	}
	if len(c.Stdin) > 0 {
		r, w, err := os.Pipe()
		if err != nil {
			closeAll([]*os.File{p.stdout})
			return nil, err
		}
		p.stdin, cmd.Stdin = w, r
		theirs = append(theirs, r)
	}
	if err := cmd.Start(); err != nil {
		closeAll([]*os.File{p.stdout, p.stdin})
		return nil, err
	}
	p.leader = cmd.Process
	p.pump(c)
	go p.watch()
	return p, nil
}

// pump serves both pipes until finish closes them.
func (p *process) pump(c Command) {
	if p.stdin != nil {
		p.pumps.Go(func() {
			_, _ = p.stdin.Write(c.Stdin) // a program may leave it unread
			_ = p.stdin.Close()
		})
	}
	if p.stdout != nil {
		p.pumps.Go(func() {
			p.output, _ = io.ReadAll(io.LimitReader(p.stdout, int64(c.Keep)))
			_, _ = io.Copy(io.Discard, p.stdout) // a full pipe would block the program
		})
	}
}

// watch waits for the leader's end without reaping it: the number of a zombie,
// which is the group's too, cannot be reused.
func (p *process) watch() {
	for unix.Waitid(unix.P_PID, p.leader.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
	close(p.exited)
}

// wait waits until the leader has ended, by itself or by TERM after ctx, but
// no longer than grace after ctx. Its error is nil or ctx's.
func (p *process) wait(ctx context.Context, grace time.Duration) error {
	select {
	case <-p.exited:
		return nil
	case <-ctx.Done():
	}
	p.signal(unix.SIGTERM)
	p.within(grace)
	return ctx.Err()
}

// within waits for the leader's end, but no longer than d.
func (p *process) within(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-p.exited:
		return true
	case <-t.C:
		return false
	}
}

// signal sends sig to the whole group. It must not be called after finish.
func (p *process) signal(sig syscall.Signal) {
	_ = unix.Kill(-p.leader.Pid, sig) // only fails if the group is empty
}

// finish releases the resources of the process and returns its end. A leader that
// hangs in the kernel even after KILL is reaped when it ends.
func (p *process) finish(grace time.Duration) Result {
	ended := p.within(grace)
	if p.stdin != nil {
		_ = p.stdin.Close()
	}
	if p.stdout != nil {
		_ = p.stdout.SetReadDeadline(time.Now().Add(linger))
	}
	p.pumps.Wait()
	closeAll([]*os.File{p.stdout})
	result := Result{Status: -1, Output: p.output}
	if !ended {
		go func() {
			<-p.exited
			_, _ = p.leader.Wait()
		}()
		return result
	}
	state, err := p.leader.Wait()
	if err != nil {
		return result
	}
	result.Status = state.ExitCode()
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		result.Signal = status.Signal()
	}
	return result
}

// closeAll closes the files that are not nil.
func closeAll(files []*os.File) {
	for _, f := range files {
		if f != nil {
			_ = f.Close()
		}
	}
}

// ours are the variables of systemd for this process alone: a program that
// inherited them could report this one as ready, stopping or well.
var ours = []string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "FDSTORE"}

// environment is the environment of a program with env, nil being that of this
// process.
func environment(env []string) []string {
	if env == nil {
		env = os.Environ()
	}
	return slices.DeleteFunc(slices.Clone(env), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains(ours, name)
	})
}
