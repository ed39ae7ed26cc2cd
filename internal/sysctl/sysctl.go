// Package sysctl writes settings of the kernel.
package sysctl

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Write gives the setting at name, a path below proc/sys ("net/ipv4/ip_forward"), a value. The
// error has the cure where /proc/sys is read-only, as in a container or a sandbox of systemd.
func Write(proc, name, value string) error {
	err := os.WriteFile(filepath.Join(proc, "sys", name), []byte(value+"\n"), 0)
	if err == nil {
		return nil
	}
	err = fmt.Errorf("writing %s: %w", value, err)
	if errors.Is(err, unix.EROFS) {
		if !strings.Contains(name, ".") { // as of a VLAN's device: sysctl(8) takes dots in it only between slashes
			name = strings.ReplaceAll(name, "/", ".")
		}
		err = fmt.Errorf("%w, as ProtectKernelTunables= of the unit or a container makes it: ReadWritePaths=-/proc/sys/net in the unit permits it, or before the start: sysctl -w %s=%s",
			err, name, value)
	}
	return err
}
