package main

import (
	"context"
	"os"

	"golang.org/x/sys/unix"
)

// readKeys returns the keys typed on a terminal, one by one and without echo, and a
// function that restores the terminal. Control-C and control-Z work as usual. The
// channel is nil if f is no terminal.
func readKeys(ctx context.Context, f *os.File) (keys <-chan byte, restore func()) {
	before, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		return nil, func() {}
	}
	mode := *before
	mode.Lflag &^= unix.ICANON | unix.ECHO
	mode.Cc[unix.VMIN], mode.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(int(f.Fd()), unix.TCSETS, &mode); err != nil {
		return nil, func() {}
	}
	typed := make(chan byte)
	go func() {
		var b [1]byte
		for {
			if _, err := f.Read(b[:]); err != nil {
				return
			}
			select {
			case typed <- b[0]:
			case <-ctx.Done():
				return
			}
		}
	}()
	return typed, func() {
		unix.IoctlSetTermios(int(f.Fd()), unix.TCSETS, before) //nolint:errcheck // the terminal may be gone
	}
}
