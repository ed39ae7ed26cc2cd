package daemon

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/logfile"
	"github.com/ldirectord/ldirectord/ipvs"
)

// TestMain lets this binary crash on demand, see TestKeepCrashes, or write a history, see
// TestHistoryOfAKilledDaemon.
func TestMain(m *testing.M) {
	if dir := os.Getenv("WRITE_HISTORY_IN"); dir != "" {
		writeHistory(dir)
	}
	if file := os.Getenv("CRASH_INTO"); file != "" {
		if err := keepCrashes(file); err != nil {
			fmt.Println(err)
		}
		panic("boom")
	}
	goleak.VerifyTestMain(m)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// starting is the daemon of a configuration file, before its start, with all its
// directories in dir. Its log is for the caller to close.
func starting(t *testing.T, dir, file string) *process {
	t.Helper()
	dirs := Directories{PIDs: dir, Run: dir, State: dir, usualPIDs: dir, usualRun: dir}
	sources, err := conf.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := sources.Parse(dirs.ConfigOptions())
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Base(file)
	return &process{Options: Options{
		Instance: Instance{Name: name, Path: file, Found: true, Dirs: dirs},
		Config:   cfg, Sources: sources,
		Log: logfile.New(logfile.Options{Name: name, Stdout: io.Discard, Stderr: io.Discard}, cfg),
	}}
}

func TestKeepCrashes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "CRASH_INTO="+file)
	if err := cmd.Run(); err == nil {
		t.Error("it did not crash")
	}
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), "panic: boom") {
		t.Errorf("the log has %q, %v, want the panic", text, err)
	}
	if err := keepCrashes("local0"); err != nil {
		t.Errorf("with a syslog facility: %v", err)
	}
	if err := keepCrashes("/nonexistent/log"); !os.IsNotExist(err) {
		t.Errorf("without a directory: %v", err)
	}
}

// listenAsSystemd listens where systemd would, and returns the next state it is told.
func listenAsSystemd(t *testing.T) (next func() string) {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	t.Setenv("NOTIFY_SOCKET", socket)
	return func() string {
		t.Helper()
		if err := conn.SetReadDeadline(time.Now().Add(eventually.Limit)); err != nil {
			t.Fatal(err)
		}
		buffer := make([]byte, 256)
		n, err := conn.Read(buffer)
		if err != nil {
			t.Fatalf("systemd was told nothing: %v", err)
		}
		word, _, _ := strings.Cut(string(buffer[:n]), "\n")
		return word
	}
}

// A stubborn table does its changes only when it is let go.
type stubborn struct {
	ipvs.Table
	gate chan struct{}
}

func (s stubborn) Apply(c ipvs.Change) error {
	<-s.gate
	return s.Table.Apply(c)
}

// TestServe runs a daemon in this process, as systemd does, and tells it to
// stop twice while it is busy stopping.
func TestServe(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "t.cf")
	write(t, file, "logfile=\""+dir+"/log\"\nmonitorlog=none\nvirtual=10.0.0.1:80\n    real=10.1.0.1:80 masq\n    checktype=on\n")
	told := listenAsSystemd(t)
	t.Setenv("WATCHDOG_USEC", "20000")

	signals := make(chan os.Signal)
	gate := make(chan struct{})
	p := starting(t, dir, file)
	p.Signals = func() (<-chan os.Signal, func()) { return signals, func() {} }
	p.OpenTable = func(context.Context) (ipvs.Table, error) { return stubborn{ipvs.NewMemory(), gate}, nil }
	ended := make(chan error, 1)
	go func() {
		ended <- Serve(p.Options, func() {})
		p.Log.Close()
		close(ended)
	}()
	wait := func(want string) {
		t.Helper()
		for word := told(); word != want; word = told() {
			if word != "WATCHDOG=1" {
				t.Fatalf("systemd was told %s, want %s", word, want)
			}
		}
	}
	letThrough := func(n int) {
		for range n {
			gate <- struct{}{}
		}
	}
	letThrough(2) // the service and its real server
	wait("READY=1")
	wait("WATCHDOG=1")
	signals <- unix.SIGHUP
	wait("RELOADING=1")
	wait("READY=1")
	signals <- unix.SIGTERM
	wait("STOPPING=1")
	signals <- unix.SIGTERM // the table hangs, but not the daemon
	signals <- unix.SIGHUP
	letThrough(1)
	if err := <-ended; err != nil {
		t.Errorf("the daemon ended with %v", err)
	}
	<-ended // the log is closed
	log, err := os.ReadFile(dir + "/log")
	if err != nil || strings.Count(string(log), "terminated on signal: TERM") != 1 {
		t.Errorf("the log has %q, %v, want one end on TERM", log, err)
	}
	if _, err := os.Stat(dir + "/ldirectord.t.cf.pid"); !os.IsNotExist(err) {
		t.Errorf("the pid file is still there: %v", err)
	}
}

// TestReadyBeforeALargeTable has a table that takes its time: whoever started
// the daemon does not wait for it.
func TestReadyBeforeALargeTable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "t.cf")
	write(t, file, "monitorlog=none\nsupervised=yes\nvirtual=10.0.0.1:80\n    real=10.1.0.1:80 masq\n    checktype=on\n")
	dir := t.TempDir()
	p := starting(t, dir, file)
	defer p.Log.Close()
	gate := make(chan struct{})
	d := p.newDaemon(stubborn{ipvs.NewMemory(), gate}, nil, nil)
	d.patience = time.Millisecond
	signals, ready, ended := make(chan os.Signal), make(chan struct{}, 2), make(chan error)
	go func() {
		name, err := d.run(signals, func() { ready <- struct{}{} })
		if name != "TERM" {
			err = fmt.Errorf("ended by %q, %w", name, err)
		}
		ended <- err
	}()
	<-ready
	close(gate)
	<-ready
	signals <- unix.SIGTERM
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
