package lab

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

// installedKernel is where Debian's package has the kernel.
const installedKernel = "/usr/bin/linux.uml"

// When user-mode Linux returns to one of its processes, it passes 2696 bytes of
// extended registers to ptrace(PTRACE_SETREGSET, NT_X86_XSTATE). The machine's
// kernel accepts only a whole state (xstateregs_set), and on a CPU with AMX a whole
// one has 11008 bytes: Debian 12's linux.uml then dies with "ptrace set fp regs
// failed, errno = 14". A larger length is cut to the machine's, and of the bytes
// behind the 2696 none is read: according to the header no AMX register is in use.
// So the one instruction that sets the length is replaced in a copy.
var (
	storeLength = []byte{
		0x48, 0xc7, 0x45, 0xf8, 0x88, 0x0a, 0x00, 0x00, // movq $2696,-8(%rbp): iov.iov_len
		0xbf, 0x05, 0x42, 0x00, 0x00, // mov $PTRACE_SETREGSET,%edi
	}
	storeAll = []byte{
		0x48, 0xc7, 0x45, 0xf8, 0x00, 0x40, 0x00, 0x00, // movq $16384,-8(%rbp)
		0xbf, 0x05, 0x42, 0x00, 0x00,
	}
)

// kernel returns a user-mode Linux that starts on this machine's CPU: the
// installed one, or a corrected copy of it.
func kernel() (string, error) {
	installed, err := os.ReadFile(installedKernel)
	if err != nil {
		return "", err
	}
	if bytes.Count(installed, storeLength) != 1 {
		return installedKernel, nil // another release, to be taken as it is
	}
	dir, err := cacheDir()
	if err != nil {
		return "", err
	}
	unlock, err := lock("kernel", 0)
	if err != nil {
		return "", err
	}
	defer unlock()
	file := filepath.Join(dir, "linux.uml")
	if err := publish(bytes.Replace(installed, storeLength, storeAll, 1), file, 0o700); err != nil {
		return "", fmt.Errorf("correcting %s: %w", installedKernel, err)
	}
	return file, nil
}
