package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/ldirectord/ldirectord/internal/state"
)

// The doctor is asked over the network, too: one examination at a time, and its findings are
// given to all who ask within examinedFor.
const (
	examineTime = 20 * time.Second
	examinedFor = 5 * time.Second
)

// An examiner runs the doctor of an instance for others.
type examiner struct {
	run func(context.Context) ([]byte, error)

	mu       sync.Mutex
	findings json.RawMessage
	at       time.Time
}

// newExaminer is that of the instance of p: this program, with the command doctor.
func (p *process) newExaminer() *examiner {
	words := []string{"--rundir=" + p.Dirs.Run, "--statedir=" + p.Dirs.State, "--config=" + state.Canonical(p.Path), "doctor", "--json"}
	return &examiner{run: func(ctx context.Context) ([]byte, error) {
		path, err := executable()
		if err != nil {
			return nil, err
		}
		child := exec.CommandContext(ctx, path)
		child.Args = append([]string{processName(path)}, words...)
		child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		child.Cancel = func() error { return syscall.Kill(-child.Process.Pid, syscall.SIGKILL) }
		child.WaitDelay = time.Second
		return child.Output()
	}}
}

// examine returns the findings of the doctor on this host, as JSON.
func (e *examiner) examine(ctx context.Context) (json.RawMessage, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.findings != nil && time.Since(e.at) < examinedFor {
		return e.findings, nil
	}
	ctx, cancel := context.WithTimeout(ctx, examineTime)
	defer cancel()
	text, err := e.run(ctx)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if text = bytes.TrimSpace(text); bytes.HasPrefix(text, []byte("[")) && json.Valid(text) { // the exit status is that of the worst finding
		e.findings, e.at = text, time.Now()
		return e.findings, nil
	}
	var failed struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal(text, &failed) == nil && failed.Error.Message != "" {
		return nil, errors.New(failed.Error.Message)
	}
	return nil, fmt.Errorf("the doctor cannot be run: %w", err)
}
