package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ldirectord/ldirectord/internal/eventually"
)

// agree (agree STATUS FILE) has check, a dry run and start take a file: all end
// with STATUS, or for 0 run until they are ended.
func agree(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	file := args[1]
	if status := statusOf(ts, "ldirectord", file, "check"); status != want {
		ts.Fatalf("check %s: exit status %d, want %d", file, status, want)
	}
	if status := statusOfDryRun(ts, file); status != want {
		ts.Fatalf("dry run of %s: exit status %d, want %d", file, status, want)
	}
	status := statusOf(ts, "ldirectord", file, "start")
	if status == 0 {
		if ended := statusOf(ts, "ldirectord", file, "stop"); ended != 0 {
			ts.Fatalf("stop of %s: exit status %d", file, ended)
		}
	}
	if status != want {
		ts.Fatalf("start of %s: exit status %d, want %d", file, status, want)
	}
}

func statusOf(ts *testscript.TestScript, command ...string) int {
	err := ts.Exec(command[0], command[1:]...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	ts.Check(err)
	return 0
}

// statusOfDryRun starts a dry run. 0 is that it runs: it is ended then.
func statusOfDryRun(ts *testscript.TestScript, file string) int {
	var output bytes.Buffer
	program, err := os.Executable() // which is ldirectord by that name, see TestMain
	ts.Check(err)
	cmd := exec.Command(program, "--dry-run", file, "start")
	cmd.Args[0] = "ldirectord"
	cmd.Dir = ts.Getenv("WORK")
	cmd.Env = append(os.Environ(), "WORK="+ts.Getenv("WORK"), "HOSTNAME=director", "PATH="+ts.Getenv("PATH"),
		"XDG_RUNTIME_DIR="+ts.Getenv("WORK")) // where a normal user's dry run listens
	cmd.Stdout, cmd.Stderr = &output, &output
	ts.Check(cmd.Start())
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // ProcessState has it
		close(ended)
	}()
	runs := false
	if !eventually.Holds(func() bool {
		select {
		case <-ended:
			return true
		default:
			_, err := os.Stat(filepath.Join(ts.Getenv("WORK"), "ldirectord", filepath.Base(file)+".dry-run"))
			runs = err == nil
			return runs
		}
	}) {
		_ = cmd.Process.Kill()
		<-ended
		ts.Fatalf("the dry run of %s neither runs nor ends:\n%s", file, output.String())
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	<-ended
	if !runs {
		ts.Logf("%s", output.String())
	}
	return cmd.ProcessState.ExitCode()
}
