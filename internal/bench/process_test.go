package bench

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A process is a program at work.
type process struct {
	cmd     *exec.Cmd
	started int64 // of the monotonic clock
	table   table
	gaps    atomic.Int64 // in its log, where it says that lines are missing
	ended   atomic.Bool  // no process of it has anything to say any more
	logged  sync.WaitGroup
	last    tail
}

// startProcess starts p on w until stop or the end of the test.
func startProcess(tb testing.TB, p peer, w work) *process {
	tb.Helper()
	dir := tb.TempDir()
	args, env, err := p.prepare(dir, w)
	if err != nil {
		tb.Fatal(err)
	}
	changes := filepath.Join(dir, "changes")
	proc := &process{cmd: exec.CommandContext(tb.Context(), args[0], args[1:]...), table: table{up: map[string]bool{}}}
	proc.cmd.Dir = dir
	proc.cmd.Env = append(append(os.Environ(), env...), "BENCH_CHANGES="+changes, "BENCH_TABLE="+filepath.Join(dir, "table"))
	proc.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	r, out, err := os.Pipe()
	if err != nil {
		tb.Fatal(err)
	}
	// A burst of lines must not wait for us. Who is not root has less.
	_, _ = unix.FcntlInt(r.Fd(), unix.F_SETPIPE_SZ, 8<<20)
	proc.cmd.Stdout, proc.cmd.Stderr = out, out
	if err := uncache(proc.cmd.Path); err != nil {
		tb.Fatal(err)
	}
	proc.started = monotonic()
	err = proc.cmd.Start()
	out.Close()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(proc.stop)
	if !p.inLog {
		proc.table.path = changes
	}
	proc.logged.Go(func() {
		defer r.Close()
		proc.listen(r)
		proc.ended.Store(true)
	})
	return proc
}

// uncached are the programs that uncache was called with.
var uncached sync.Map

// uncache takes a program's file out of the page cache, when it is called with it
// for the first time, so that it is read from the disk as after a boot. On
// Linux 6.18 a page fault maps much more than one page, by how the page cache
// got the file: one and the same program took ten megabytes more or less from
// build to build.
func uncache(program string) error {
	if _, known := uncached.LoadOrStore(program, true); known {
		return nil
	}
	f, err := os.Open(program)
	if err != nil {
		return err
	}
	defer f.Close()
	_ = f.Sync() // pages that are not on the disk cannot be dropped; on a read-only file system all is
	return unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
}

// listen reads what the program says: in its log are the changes that it makes.
func (p *process) listen(r io.Reader) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		p.last.add(lines.Text())
		if strings.Contains(lines.Text(), " lines are missing here: ") {
			p.gaps.Add(1)
			fmt.Println("   ", lines.Text())
		}
		if c, ok := parseLogged(lines.Text()); ok && p.table.path == "" {
			p.table.add(c)
		}
	}
}

// stop ends the program and all that it has started.
func (p *process) stop() {
	for _, pid := range p.tree() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
	p.logged.Wait()
}

// tree is the program's processes: its own and those it has started.
func (p *process) tree() (pids []int) {
	pids = []int{p.cmd.Process.Pid}
	for i := 0; i < len(pids); i++ {
		lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pids[i]))
		for _, list := range lists {
			text, _ := os.ReadFile(list) // gone: no children
			for word := range strings.FieldsSeq(string(text)) {
				if pid, err := strconv.Atoi(word); err == nil {
					pids = append(pids, pid)
				}
			}
		}
	}
	return pids
}

// cpu is the CPU time of the program's processes so far.
func (p *process) cpu() (used time.Duration) {
	for _, pid := range p.tree() {
		var t unix.Timespec
		// The CPU clock of another process, see clock_getcpuclockid(3).
		if err := unix.ClockGettime(int32(^pid<<3|2), &t); err == nil {
			used += time.Duration(t.Nano())
		}
	}
	return used
}

// pss is the program's memory in megabytes, its part of shared pages.
func (p *process) pss() (mb float64) {
	for _, pid := range p.tree() {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		_, rest, _ := bytes.Cut(text, []byte("\nPss:"))
		var kb float64
		if _, err := fmt.Sscan(string(rest), &kb); err == nil {
			mb += kb / 1024
		}
	}
	return mb
}

// sleeps is how often any thread of the program has gone to sleep so far: each
// time it has to be woken up again.
func (p *process) sleeps() (n int) {
	for _, pid := range p.tree() {
		threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
		for _, thread := range threads {
			text, _ := os.ReadFile(thread) // gone: no more sleep
			_, rest, _ := bytes.Cut(text, []byte("\nvoluntary_ctxt_switches:"))
			var times int
			if _, err := fmt.Sscan(string(rest), &times); err == nil {
				n += times
			}
		}
	}
	return n
}

// touch has the program read its configuration anew, which a comment changes.
func (p *process) touch() error {
	f, err := os.OpenFile(filepath.Join(p.cmd.Dir, "bench.cf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString("# anew\n")
	return errors.Join(err, f.Close(), p.cmd.Process.Signal(syscall.SIGHUP))
}

// monotonic is the clock that all of a machine's processes share.
func monotonic() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		panic(err) // there is no Linux without
	}
	return t.Nano()
}
