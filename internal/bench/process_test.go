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
	})
	return proc
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

// pss is the program's memory in megabytes, its share of what is shared.
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

// monotonic is the clock that all of a machine's processes share.
func monotonic() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		panic(err) // there is no Linux without
	}
	return t.Nano()
}

// A change is one of the table: a real server is in it or not.
type change struct {
	at   int64 // of the monotonic clock
	real string
	up   bool
}

// parseLogged reads the line by which ldirectord says what it changes in a
// table in memory: "… ipvsadm -a -t VIRTUAL -r REAL -m -w WEIGHT".
func parseLogged(line string) (c change, ok bool) {
	_, words, ok := strings.Cut(line, " ipvsadm -")
	if !ok {
		return change{}, false
	}
	_, rest, ok := strings.Cut(words, " -r ")
	c = change{at: monotonic(), up: words[0] != 'd' && !strings.HasSuffix(rest, " -w 0")}
	c.real, _, _ = strings.Cut(rest, " ")
	return c, ok
}

// A table is who is up, as the program's changes say.
type table struct {
	path string // where a stand-in notes the changes
	read int64

	mu  sync.Mutex
	new []change
	up  map[string]bool
}

func (t *table) add(c change) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.new = append(t.new, c)
	if c.up {
		t.up[c.real] = true
	} else {
		delete(t.up, c.real)
	}
}

// fetch returns what has changed since it was called last.
func (t *table) fetch() []change {
	if t.path != "" {
		t.readNotes()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	changes := t.new
	t.new = nil
	return changes
}

// readNotes reads whole lines of what the stand-ins noted.
func (t *table) readNotes() {
	f, err := os.Open(t.path)
	if err != nil {
		return // nothing yet
	}
	defer f.Close()
	text, err := io.ReadAll(io.NewSectionReader(f, t.read, 1<<40))
	text = text[:bytes.LastIndexByte(text, '\n')+1]
	t.read += int64(len(text))
	for line := range strings.Lines(string(text)) {
		var c change
		var weight int
		if _, scanErr := fmt.Sscan(line, &c.at, &c.real, &weight); errors.Join(err, scanErr) == nil {
			c.up = weight > 0
			t.add(c)
		}
	}
}

// assume takes it that all of these are up.
func (t *table) assume(reals []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, real := range reals {
		t.up[real] = true
	}
}

// size is how many are up.
func (t *table) size() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.up)
}

// A tail is the last lines that a program said.
type tail struct {
	mu    sync.Mutex
	lines []string
}

func (t *tail) add(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines = append(t.lines, line)
	t.lines = t.lines[max(0, len(t.lines)-20):]
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(t.lines, "\n")
}
