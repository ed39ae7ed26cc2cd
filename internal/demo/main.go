// Command demo shows ldirectord at work on one machine, without root and
// without IPVS: two real web servers and a fallback on loopback addresses, the
// real program with real checks, and a table in memory whose changes are shown
// as they happen. The servers are stopped and broken by keys or by curl.
//
// usage: demo PROGRAM
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: demo PROGRAM")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	keys, restore := readKeys(ctx, os.Stdin)
	err := run(ctx, os.Args[1], keys, newScreen(os.Stdout))
	restore()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// run starts the servers and the program and executes keys until q, the end of ctx
// or the program's. keys is nil without a keyboard.
func run(ctx context.Context, program string, keys <-chan byte, out *screen) error {
	c, err := newCast()
	if err != nil {
		return err
	}
	defer c.close()
	dir, err := os.MkdirTemp("", "ldirectord-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "ldirectord.cf")
	if err := os.WriteFile(file, []byte(c.config()), 0o600); err != nil {
		return err
	}
	control := &http.Server{Handler: c.handler(out), ReadHeaderTimeout: time.Second}
	go control.Serve(c.control) //nolint:errcheck // ends by Close
	defer control.Close()

	out.page(c.introduction(file, keys != nil))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- show(ctx, program, file, out) }()
	for {
		select {
		case key := <-keys:
			if key == 'q' {
				cancel()
				return farewell(<-ended, out)
			}
			out.note(c.press(key))
		case err := <-ended:
			return farewell(err, out)
		}
	}
}

func farewell(err error, out *screen) error {
	if err != nil {
		return err
	}
	out.page("\nThat was it. The table was in memory: there is nothing to clean up.\n")
	return nil
}

// show runs the program until ctx ends and prints its output. An error after that
// end is ignored.
func show(ctx context.Context, program, file string, out *screen) error {
	cmd := exec.CommandContext(ctx, program, "--dry-run", "--config", file, "start")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+filepath.Dir(file)) // for a user who has none
	// Control-C is for the demo, which then ends the program.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	runtime.LockOSThread() // the program would not outlive this thread
	defer runtime.UnlockOSThread()
	r, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, w
	shown := make(chan struct{})
	go func() {
		defer close(shown)
		out.follow(r)
	}()
	err := cmd.Run()
	w.Close()
	<-shown
	if ctx.Err() != nil {
		return nil // ctx has ended it
	}
	if err == nil {
		err = errors.New("has ended by itself")
	}
	return fmt.Errorf("%s: %w", program, err)
}
