// Command init is the first process in the lab's kernel. The kernel's root is
// the machine's, read-only. This puts an overlay in memory on top, makes that
// the root, runs the command that it finds in the directory named by the
// kernel's parameter lab, leaves its exit status there and turns the kernel
// off.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

func main() {
	if err := run(os.Getenv("lab")); err != nil {
		fmt.Println("lab:", err) // on the console, which is shown when there is no status
	}
	unix.Sync()
	err := unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	fmt.Println("lab: turning off:", err)
}

func run(state string) error {
	if err := enterOverlay(); err != nil {
		return err
	}
	if err := prepare(state); err != nil {
		return err
	}
	tty, err := openRaw("/dev/tty1")
	if err != nil {
		return err
	}
	status, err := runCommand(filepath.Join(state, "command"), tty)
	if err != nil {
		return err
	}
	// Waits until all output has gone, as tcdrain does.
	if err := unix.IoctlSetInt(int(tty.Fd()), unix.TCSBRK, 1); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(state, "status"), []byte(strconv.Itoa(status)+"\n"), 0o600)
}

// runCommand runs the command described in file, with its output on tty, and
// returns its exit status. As the first process it also buries all orphans.
func runCommand(file string, tty *os.File) (status int, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	var cmd struct {
		Args, Env []string
		Dir       string
	}
	if err := json.Unmarshal(text, &cmd); err != nil {
		return 0, err
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return 0, err
	}
	pid, err := syscall.ForkExec(cmd.Args[0], cmd.Args, &syscall.ProcAttr{
		Dir:   cmd.Dir,
		Env:   append(cmd.Env, "PATH="+os.Getenv("PATH")+":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
		Files: []uintptr{null.Fd(), tty.Fd(), tty.Fd()},
	})
	if err != nil {
		return 0, fmt.Errorf("starting %s: %w", cmd.Args[0], err)
	}
	for {
		var ended unix.WaitStatus
		dead, err := unix.Wait4(-1, &ended, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return 0, err
		case dead == pid && ended.Signaled():
			return 128 + int(ended.Signal()), nil
		case dead == pid:
			return ended.ExitStatus(), nil
		}
	}
}

// openRaw opens a terminal that passes on bytes as they are.
func openRaw(name string) (*os.File, error) {
	tty, err := os.OpenFile(name, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	mode, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
	if err != nil {
		return nil, err
	}
	mode.Oflag &^= unix.OPOST
	return tty, unix.IoctlSetTermios(int(tty.Fd()), unix.TCSETS, mode)
}
