package state

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/ipvs"
)

// TestMain lets this binary be a daemon: CLAIM is its record, CLAIM_DIR the
// directory. It prints a line and beats until its standard input ends.
func TestMain(m *testing.M) {
	text := os.Getenv("CLAIM")
	if text == "" {
		os.Exit(m.Run())
	}
	var r Record
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		panic(err)
	}
	c, err := Dir(os.Getenv("CLAIM_DIR")).Claim(r, nil)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("claimed")
	go func() {
		for range time.Tick(50 * time.Millisecond) {
			if err := c.Beat(); err != nil {
				fmt.Println(err)
			}
		}
	}()
	_, _ = os.Stdin.Read(make([]byte, 1))
	c.Release()
}

// A peer is a daemon in another process.
type peer struct {
	*exec.Cmd
	said string
	end  func() // lets it release its claim
}

// begin starts a daemon with a record, and returns at its first output.
func begin(t *testing.T, dir Dir, r Record) *peer {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{Cmd: exec.Command(os.Args[0])}
	p.Env = append(os.Environ(), "CLAIM="+string(text), "CLAIM_DIR="+string(dir))
	stdin, err1 := p.StdinPipe()
	stdout, err2 := p.StdoutPipe()
	if err := errors.Join(err1, err2, p.Start()); err != nil {
		t.Fatal(err)
	}
	p.end = func() { stdin.Close(); p.Wait() }
	t.Cleanup(func() { p.Process.Kill(); p.Wait() })
	lines := bufio.NewScanner(stdout)
	lines.Scan()
	p.said = lines.Text()
	return p
}

// service is a TCP service.
func service(addr string) Service {
	return Service{Key: ipvs.AddrKey(ipvs.TCP, netip.MustParseAddrPort(addr)), ID: "tcp:" + addr, CleanStop: true}
}

// TestSpellings claims one file by several names: it is one daemon.
func TestSpellings(t *testing.T) {
	dir, home := Dir(t.TempDir()), t.TempDir()
	file := filepath.Join(home, "a.cf")
	if err := errors.Join(os.WriteFile(file, nil, 0o644), os.Mkdir(home+"/sub", 0o755),
		os.Symlink(home, home+"/link"), os.Symlink(file, home+"/b.cf"), os.Link(file, home+"/c.cf")); err != nil {
		t.Fatal(err)
	}
	t.Chdir(home)
	p := begin(t, dir, Record{File: Canonical(file)})
	if p.said != "claimed" {
		t.Fatal(p.said)
	}
	for _, name := range []string{file, "a.cf", "./a.cf", "sub/../a.cf", home + "//a.cf", "link/a.cf", home + "/link/a.cf", "b.cf", "c.cf"} {
		_, err := dir.Claim(Record{File: Canonical(name)}, nil)
		if other, ok := errors.AsType[*RunningError](err); !ok || other.PID != p.Process.Pid {
			t.Errorf("claiming %s: %v, want that process %d runs", name, err, p.Process.Pid)
		}
		if d, ok := dir.find(name); !ok || d.PID != p.Process.Pid {
			t.Errorf("finding %s: %v, %t, want process %d", name, d.PID, ok, p.Process.Pid)
		}
	}
	d, _ := dir.find(file)
	if !d.Lives() || !d.Beats() {
		t.Errorf("lives %t, beats %t, want both", d.Lives(), d.Beats())
	}
	p.Process.Kill()
	if _, ok := dir.find(file); ok {
		t.Error("found after SIGKILL")
	}
	c, err := dir.Claim(Record{File: Canonical("b.cf")}, nil)
	if err != nil {
		t.Fatalf("claiming it after that: %v", err)
	}
	if p.Wait(); d.Lives() {
		t.Error("it lives after its end")
	}
	c.Release()
	if left, _ := filepath.Glob(string(dir) + "/*b.cf*"); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

// TestFilesAreRestored removes what a daemon has below /run: it stays the only one.
func TestFilesAreRestored(t *testing.T) {
	dir := Dir(t.TempDir())
	pidFile := filepath.Join(t.TempDir(), "ldirectord.a.cf.pid")
	p := begin(t, dir, Record{File: "/a.cf", PIDFile: pidFile})
	want := fmt.Sprintln(p.Process.Pid)
	os.Remove(pidFile)
	eventually.True(t, "the pid file", func() bool { text, _ := os.ReadFile(pidFile); return string(text) == want })
	files, _ := filepath.Glob(string(dir) + "/*")
	for _, f := range files {
		os.Remove(f)
	}
	eventually.True(t, "the record and the lock", func() bool { d, ok := dir.find("/a.cf"); return ok && d.PID == p.Process.Pid })
	if _, err := dir.Claim(Record{File: "/a.cf"}, nil); err == nil {
		t.Error("it can be claimed once more")
	}
	p.end()
	if left, _ := filepath.Glob(string(dir) + "/*a.cf*"); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
	if _, err := os.Stat(pidFile); err == nil {
		t.Error("the pid file is left")
	}
}

// TestContests has two daemons want one virtual service.
func TestContests(t *testing.T) {
	dir := Dir(t.TempDir())
	one, two, three := service("10.0.0.1:80"), service("10.0.0.2:80"), service("10.0.0.3:80")
	p := begin(t, dir, Record{File: "/a.cf", Services: []Service{one, two}})
	_, err := dir.Claim(Record{File: "/b.cf", Services: []Service{two, three}}, nil)
	want := fmt.Sprintf("virtual service tcp:10.0.0.2:80 is steered by process %d for /a.cf", p.Process.Pid)
	if err == nil || err.Error() != want {
		t.Fatalf("claiming: %v, want %s", err, want)
	}
	c, err := dir.Claim(Record{File: "/b.cf", Services: []Service{three}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Release()
	contests, err := c.Extend([]Service{two, three}, nil)
	if err != nil || len(contests) != 1 || contests[0].Service != two {
		t.Errorf("contests: %v, %v, want %v", contests, err, two)
	}
	p.end()
	if contests, err = c.Extend([]Service{two, three}, nil); err != nil || len(contests) != 0 {
		t.Errorf("contests after the other's end: %v, %v", contests, err)
	}
	d, _ := dir.find("/b.cf")
	if diff := cmp.Diff([]Service{three, two}, d.Services, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Errorf("recorded (-want +got):\n%s", diff)
	}
	other := Daemon{Record: Record{PID: 1, File: "/p.cf", Namespace: Namespace(), Services: []Service{one}}}
	if got := c.Contested([]Service{one}, []Daemon{other}); len(got) != 1 {
		t.Errorf("beside the original: %v, want one", got)
	}
	other.Namespace++
	if got := c.Contested([]Service{one}, []Daemon{other}); len(got) != 0 {
		t.Errorf("beside a daemon in another network namespace: %v, want none", got)
	}
}

// TestOnePIDFile starts daemons of two files that would have one pid file.
func TestOnePIDFile(t *testing.T) {
	dir, pidFile := Dir(t.TempDir()), filepath.Join(t.TempDir(), "ldirectord.a.cf.pid")
	begin(t, dir, Record{File: "/x/a.cf", PIDFile: pidFile})
	if _, err := dir.Claim(Record{File: "/y/a.cf", PIDFile: pidFile}, nil); err == nil || !strings.Contains(err.Error(), "give one of the two") {
		t.Errorf("claiming: %v", err)
	}
}

// TestAReaderDoesNotStandInTheWay locks a daemon's file as any user can.
func TestAReaderDoesNotStandInTheWay(t *testing.T) {
	dir := Dir(t.TempDir())
	path := filepath.Join(string(dir), fileName("/a.cf")+lockEnding)
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	reader, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	lock := syscall.Flock_t{Type: syscall.F_RDLCK}
	if err := syscall.FcntlFlock(reader.Fd(), 37 /* F_OFD_SETLK */, &lock); err != nil {
		t.Fatal(err)
	}
	c, err := dir.Claim(Record{File: "/a.cf"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Release()
}

// TestOriginal finds daemons without a lock by their pid files, and nothing that only
// has the name among its words.
func TestOriginal(t *testing.T) {
	dir := t.TempDir()
	for name, test := range map[string]struct {
		words []string // the process's; the first is its name
		want  Original
		no    bool
	}{
		"the original":        {words: []string{"/usr/bin/perl", "-w", "/usr/sbin/ldirectord", "a.cf", "start"}, want: Original{Config: "a.cf"}},
		"restarted":           {words: []string{"/usr/bin/perl", "-w", "/usr/sbin/ldirectord", "restart"}},
		"with --config":       {words: []string{"/usr/sbin/ldirectord", "--config=stop", "start"}, want: Original{Config: "stop"}},
		"with --config apart": {words: []string{"/usr/sbin/ldirectord", "--config", "b.cf", "start"}, want: Original{Config: "b.cf"}},
		"a log's reader":      {words: []string{"tail", "-f", "/tmp/ldirectord.log"}, no: true},
		"an editor":           {words: []string{"vi", "/etc/ha.d/ldirectord.cf"}, no: true},
		"an init script":      {words: []string{"/bin/sh", "/etc/init.d/ldirectord", "start"}, no: true},
		"another command":     {words: []string{"ldirectord", "a.cf", "status"}, no: true},
		"perl for another":    {words: []string{"perl", "/opt/tool", "ldirectord", "start"}, no: true},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(dir, "ldirectord."+strings.ReplaceAll(name, " ", "")+".pid")
			pid := sleeper(t, test.words)
			if err := os.WriteFile(file, fmt.Appendln(nil, pid), 0o644); err != nil {
				t.Fatal(err)
			}
			got, ok := originalOf(file)
			if ok == test.no {
				t.Fatalf("found %t, want %t", ok, !test.no)
			}
			want := test.want
			if ok {
				want.PID, want.PIDFile = pid, file
			}
			if got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
	for name, text := range map[string]string{"nobody": "999999999", "empty": "", "rubbish": "x", "ourselves": fmt.Sprint(os.Getpid()), "negative": "-1"} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if o, ok := originalOf(file); ok {
			t.Errorf("%s: found %+v", name, o)
		}
	}
}

// sleeper starts a process with these words and waits until the kernel shows them.
func sleeper(t *testing.T, words []string) int {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", "read forever") // reads from a pipe that stays open
	cmd.Path, cmd.Args = os.Args[0], words
	cmd.Env = append(os.Environ(), `CLAIM={"File":"/sleeper"}`, "CLAIM_DIR="+t.TempDir())
	_, noEnd := cmd.StdinPipe()
	said, err := cmd.StdoutPipe()
	if err := errors.Join(noEnd, err, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	if _, err := said.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	return cmd.Process.Pid
}

// TestMemory remembers services for every name of a file, and forgets those of
// another boot.
func TestMemory(t *testing.T) {
	m, home := Memory(filepath.Join(t.TempDir(), "state")), t.TempDir()
	a, b := filepath.Join(home, "a.cf"), filepath.Join(home, "b.cf")
	if err := errors.Join(os.WriteFile(a, nil, 0o644), os.Symlink(a, b)); err != nil {
		t.Fatal(err)
	}
	recall := func(file string, want ...Service) {
		t.Helper()
		got, err := m.Recall(file)
		if err != nil || !cmp.Equal(got, want, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })) {
			t.Errorf("recalled for %s: %v, %v, want %v", filepath.Base(file), got, err, want)
		}
	}
	remember := func(file string, services ...Service) {
		t.Helper()
		if err := m.Remember(file, services); err != nil {
			t.Fatal(err)
		}
	}
	recall(a)
	one, mark := service("10.0.0.1:80"), Service{Key: ipvs.MarkKey(7, true), ID: "fwm6:7"}
	remember(a, one, mark)
	recall(a, one, mark)
	recall(b, one, mark)
	recall("/other.cf")
	remember(b, mark)
	recall(a, mark)
	text, _ := os.ReadFile(m.path(b))
	if err := os.WriteFile(m.path(b), []byte(strings.Replace(string(text), boot(), "another", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	recall(a)
	if err := os.WriteFile(m.path(a), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Recall(a); err == nil {
		t.Error("a broken file is no error")
	}
	remember(a)
	recall(a)
}
