package checker

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
	"github.com/ldirectord/ldirectord/internal/ping"
)

func TestIsLocal(t *testing.T) {
	connect := func(errno syscall.Errno) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", errno)}
	}
	tests := []struct {
		err  error
		want bool
	}{
		{nil, false},
		{io.EOF, false},
		{errors.New("exit status 1"), false},
		{connect(syscall.ECONNREFUSED), false},
		{connect(syscall.ECONNRESET), false},
		{connect(syscall.ETIMEDOUT), false},
		{connect(syscall.EHOSTUNREACH), false},
		{connect(syscall.EMFILE), true},
		{connect(syscall.ENETUNREACH), true},
		{connect(syscall.EADDRNOTAVAIL), true},
		{connect(syscall.EACCES), true},
		{LocalError{io.EOF}, true},
		{fmt.Errorf("asking: %w", LocalError{errors.New("no rights")}), true},
	}
	for _, tt := range tests {
		if got := IsLocal(tt.err); got != tt.want {
			t.Errorf("IsLocal(%v) = %v, want %v", tt.err, got, tt.want)
		}
	}
}

func TestLocalError(t *testing.T) {
	err := LocalError{syscall.EMFILE}
	if got, want := err.Error(), "not checked: too many open files"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	if !errors.Is(err, syscall.EMFILE) {
		t.Error("does not unwrap")
	}
}

// TestNoDescriptors runs checks while this process may open no more files.
func TestNoDescriptors(t *testing.T) {
	checks := libraryCheckers(lab.HoldPort(t))
	checks["external"] = External{Command: "/bin/true"}
	checks["external-perl"] = ExternalPerl{Command: "/nowhere"}
	// The socket of a Pinger that has pinged is open already.
	local := func() Ping {
		pinger := new(ping.Pinger)
		t.Cleanup(func() { pinger.Close() })
		return Ping{Addr: netip.MustParseAddr("127.0.0.1"), Pinger: pinger}
	}
	if _, err := local().Check(t.Context()); IsLocal(err) { // the kernel looks at the rights first
		t.Log("left out is ping:", err)
	} else {
		checks["ping"] = local()
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	none := limit
	none.Cur = 0
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	errs := map[string]error{}
	for name, check := range checks {
		_, errs[name] = check.Check(t.Context())
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	for name, err := range errs {
		if !IsLocal(err) || !strings.Contains(errText(err), "too many open files") {
			t.Errorf("%s: error %v (local: %v), want too many open files", name, err, IsLocal(err))
		}
	}
}
