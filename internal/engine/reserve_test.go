package engine

import (
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/checker"
)

// Checks use up all descriptors that they may: the rest of the process can open
// files all the same, as a control socket and a reload have to.
func TestChecksLeaveDescriptors(t *testing.T) {
	e := newEngine(t, Options{})
	silent, err := net.Listen("tcp", "127.0.0.1:0") // it accepts nothing, which would take descriptors of this process
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	addr := silent.Addr().(*net.TCPAddr).AddrPort()
	free, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	lowest := free.Fd()
	free.Close()
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	few := syscall.Rlimit{Cur: uint64(lowest) + 200, Max: old.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &few); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
			t.Fatal(err)
		}
	}()
	var wait sync.WaitGroup
	var mu sync.Mutex
	local := 0
	refused := make(chan struct{})
	for range 300 {
		wait.Go(func() {
			r := e.Ask(t.Context(), checker.SimpleTCP{Addr: addr, Request: "x"}, 2*time.Second, 1)
			mu.Lock()
			defer mu.Unlock()
			if r.Local {
				if local++; local == 1 {
					close(refused)
				}
			}
		})
	}
	<-refused
	for i := range 16 {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Errorf("with all descriptors of checks in use, file %d: %v", i+1, err)
			break
		}
		defer f.Close()
	}
	wait.Wait()
}
