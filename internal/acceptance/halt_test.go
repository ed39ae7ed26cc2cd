package acceptance

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"testing"
)

// halt has all threads of a process wait for a tracer that never lets them go on:
// unlike a process that is stopped it does not obey after SIGCONT. SIGKILL ends it.
func halt(t testing.TB, pid int) {
	t.Helper()
	halted := make(chan error)
	go func() {
		runtime.LockOSThread() // the tracer is a thread; it ends with this function
		ids, err := attach(pid)
		halted <- err
		for _, id := range ids { // its end is the tracer's to see, before its parent's
			for {
				var status syscall.WaitStatus
				if _, err := syscall.Wait4(id, &status, allKinds, nil); err != nil || status.Exited() || status.Signaled() {
					break
				}
			}
		}
	}()
	if err := <-halted; err != nil {
		t.Fatalf("halting process %d: %v", pid, err)
	}
}

// allKinds has wait4(2) look at threads, too: __WALL.
const allKinds = 0x40000000

// attach makes this thread the tracer of all threads of a process, and returns them, the
// first one last.
func attach(pid int) (ids []int, err error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	if err != nil {
		return nil, err
	}
	for _, task := range tasks {
		id, err := strconv.Atoi(filepath.Base(task))
		if err != nil {
			return ids, err
		}
		if err := syscall.PtraceAttach(id); err != nil {
			return ids, os.NewSyscallError("ptrace", err)
		}
		if _, err := syscall.Wait4(id, nil, allKinds, nil); err != nil {
			return ids, os.NewSyscallError("wait4", err)
		}
		ids = append(ids, id)
	}
	slices.Sort(ids)
	slices.Reverse(ids)
	return ids, nil
}
