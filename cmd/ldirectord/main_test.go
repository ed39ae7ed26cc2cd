package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/internal/cli"
	"github.com/ldirectord/ldirectord/internal/daemon"
	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/ipvs"
)

// TestMain makes this test's binary be ldirectord, too, as the scripts run it:
// with pid files in the script's directory, and a table in memory that the
// daemon loses when it ends.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"ldirectord": func() {
		os.Exit(cli.Main(cli.Env{
			Args: os.Args, Version: "1.2.3", Stdout: os.Stdout, Stderr: os.Stderr, Signals: catchSignals,
			RunDir: os.Getenv("WORK"), StateDir: os.Getenv("WORK") + "/state", OpenTable: openMemory, ChangeDir: os.Chdir,
		}))
	}})
}

func openMemory(context.Context) (ipvs.Table, error) {
	if text := os.Getenv("NO_TABLE"); text != "" {
		return nil, errors.New(text)
	}
	return wedged{ipvs.NewMemory(), os.Getenv("WEDGE")}, nil
}

// A wedged table deletes nothing, for ever, once a file is there.
type wedged struct {
	ipvs.Table
	file string
}

// Apply implements ipvs.Table.
func (w wedged) Apply(c ipvs.Change) error {
	if _, err := os.Stat(w.file); err == nil && c.Op == ipvs.DeleteService {
		select {}
	}
	return w.Table.Apply(c)
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("GORACE", "atexit_sleep_ms=0") // else each command of a -race run takes a second
			e.Setenv("USER", "root")
			e.Setenv("ME", me())
			e.Setenv("HOSTNAME", "director")
			e.Defer(func() { killAll(e.WorkDir) })
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond != "root" {
				return false, fmt.Errorf("there is no condition %q", cond)
			}
			return os.Geteuid() == 0, nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"config": writeConfig, "until": until, "exits": exits, "tell": tell, "masked": masked, "agree": agree, "hook": hook,
		},
	})
}

// me is how the daemon names the user of this process: the number where no entry of
// passwd gives it a name, as in many containers.
func me() string {
	uid := strconv.Itoa(os.Geteuid())
	if u, err := user.LookupId(uid); err == nil {
		return u.Username
	}
	return uid
}

// killAll ends what a failed script has left.
func killAll(dir string) {
	for _, pattern := range []string{"/*.pid", "/*/*.pid"} { // with --rundir one deeper
		files, _ := filepath.Glob(dir + pattern)
		for _, file := range files {
			if pid := readPID(file); pid > 0 {
				unix.Kill(pid, unix.SIGKILL)
			}
		}
	}
}

func readPID(file string) int {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return pid
}

// writeConfig (config FILE [LINE...]) writes a configuration file with the
// lines, behind those that keep a test within its directory.
func writeConfig(ts *testscript.TestScript, _ bool, args []string) {
	lines := append([]string{
		`logfile="` + ts.MkAbs("log") + `"`,
		"monitorlog=" + ts.MkAbs("monitor"),
		"checkinterval=1",
	}, args[1:]...)
	err := os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Join(lines, "\n")+"\n"), 0o644)
	ts.Check(err)
}

// hook (hook FILE) appends the bodies that are posted to $HOOK to the file.
func hook(ts *testscript.TestScript, _ bool, args []string) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return
		}
		defer f.Close()
		_, _ = io.Copy(f, r.Body)
	}))
	ts.Defer(server.Close)
	ts.Setenv("HOOK", server.URL)
}

// until (until FILE REGEXP) waits for a line.
func until(ts *testscript.TestScript, _ bool, args []string) {
	pattern := regexp.MustCompile("(?m)" + args[1])
	var text []byte
	if !eventually.Holds(func() bool {
		text, _ = os.ReadFile(ts.MkAbs(args[0]))
		return pattern.Match(text)
	}) {
		ts.Fatalf("no %q in %s:\n%s", args[1], args[0], text)
	}
}

// exits (exits STATUS COMMAND [ARG...]) runs a command that ends with STATUS.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	status := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		status = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if want, _ := strconv.Atoi(args[0]); status != want {
		ts.Fatalf("exit status %d, want %d", status, want)
	}
}

// tell (tell NAME SIGNAL) sends a signal to the daemon of that name. One that
// is killed has ended then.
func tell(ts *testscript.TestScript, _ bool, args []string) {
	pid := readPID(ts.MkAbs("ldirectord." + args[0] + ".pid"))
	if pid == 0 {
		ts.Fatalf("no daemon %s", args[0])
	}
	sig := unix.SignalNum("SIG" + args[1])
	if args[1] == "RTMIN+5" {
		sig = daemon.LeaveSignal
	}
	ts.Check(unix.Kill(pid, sig))
	if args[1] != "KILL" {
		return
	}
	// A dead process that its parent has not waited for has no command line.
	if !eventually.Holds(func() bool {
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		return err != nil || len(line) == 0
	}) {
		ts.Fatalf("process %d is still there after SIGKILL", pid)
	}
}

var masks = map[*regexp.Regexp]string{
	regexp.MustCompile(`\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}`): "TIME",
	regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`):      "TIME",
	regexp.MustCompile(`(\||pid: |(?:Error|Warning) \[|\] \[)\d+`): "${1}PID",
	regexp.MustCompile(`down [\d.]+m?s\)`):                         "down DURATION)",
}

// masked (masked FILE) rewrites a file without what differs from run to run.
func masked(ts *testscript.TestScript, _ bool, args []string) {
	text := strings.ReplaceAll(ts.ReadFile(args[0]), ts.Getenv("WORK"), "$WORK")
	for pattern, mask := range masks {
		text = pattern.ReplaceAllString(text, mask)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o644))
}
