package host

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/internal/command"
	"github.com/ldirectord/ldirectord/internal/neighbours"
)

// A machine is what steps work on beside netlink.
type machine struct {
	ctx  context.Context // of the work in progress: ends the programs that it runs
	proc string          // where the proc file system is
	sys  string          // and sysfs
	run  runner

	addresses map[netip.Addr][]string // the devices of each address before the work in progress; nil is to be read

	neighbours neighbours.Socket // for announcements of addresses, closed at the end of the work

	owners func() map[netip.Addr]string // the addresses of other programs of this host
	others func(byDev map[string][]netip.Addr, claim bool) (found map[netip.Addr][]string, asked map[netip.Addr]bool)
}

// A runner runs a program without a shell and returns its output. The error
// contains the program's message.
type runner func(ctx context.Context, stdin, name string, args ...string) (string, error)

// programLimit bounds one run of iptables, nft or modprobe.
const programLimit = 20 * time.Second

// errProgram is a program that ran and did not succeed.
var errProgram = errors.New("failed")

func runProgram(ctx context.Context, stdin, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, programLimit)
	defer cancel()
	result, err := command.Run(ctx, command.Command{Path: find(name), Args: args, Stdin: []byte(stdin), Keep: 1 << 20})
	if err != nil {
		return "", err
	}
	out := strings.TrimSpace(string(result.Output))
	if err := result.Err(); err != nil {
		return out, fmt.Errorf("%s %w: %s", name, errProgram, strings.Join(strings.Fields(out), " "))
	}
	return out, nil
}

// find is the path of a program of the system's, which a daemon's PATH need not
// have.
func find(name string) string {
	for _, dir := range []string{"/usr/sbin", "/sbin", "/usr/bin", "/bin"} {
		if path := filepath.Join(dir, name); exists(path) {
			return path
		}
	}
	return name
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// context is that of the work in progress.
func (m *machine) context() context.Context {
	if m.ctx == nil {
		return context.Background()
	}
	return m.ctx
}
