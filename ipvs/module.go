package ipvs

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
)

const loadLimit = 10 * time.Second

// load verifies that IPVS is in the kernel, with one "modprobe ip_vs" if it is not.
// All failures of modprobe have the same cure, so they have the same error.
func load(ctx context.Context) error {
	if _, err := lookup(); !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, loadLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, modprobe(), "ip_vs")
	cmd.WaitDelay = time.Second
	_ = cmd.Run()
	_, err := lookup()
	return err
}

// modprobe is the path of modprobe, which may be outside a daemon's PATH.
func modprobe() string {
	if path, err := exec.LookPath("modprobe"); err == nil {
		return path
	}
	return "/sbin/modprobe"
}

// lookup returns the number of the generic netlink family of IPVS. It needs no
// rights.
func lookup() (uint16, error) {
	f, err := netlink.GenlFamilyGet("IPVS")
	switch {
	case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.EPROTONOSUPPORT):
		return 0, errNoIPVS
	case err != nil:
		return 0, fmt.Errorf("asking the kernel for IPVS: %w", err)
	}
	return f.ID, nil
}
