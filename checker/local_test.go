package checker

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
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
	if got, want := err.Error(), "could not ask: too many open files"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	if !errors.Is(err, syscall.EMFILE) {
		t.Error("does not unwrap")
	}
}
