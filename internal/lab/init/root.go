package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// modules is where Debian has the modules of user-mode Linux.
const modules = "/usr/lib/uml/modules"

// enterOverlay makes a copy-on-write view of the machine's files the root.
func enterOverlay() error {
	if err := unix.Mount("tmpfs", "/run", "tmpfs", 0, ""); err != nil {
		return fmt.Errorf("mounting /run: %w", err)
	}
	for _, dir := range []string{"upper", "work", "root"} {
		if err := os.Mkdir("/run/"+dir, 0o755); err != nil {
			return err
		}
	}
	if err := loadOverlay(); err != nil {
		return fmt.Errorf("loading the module overlay: %w", err)
	}
	if err := unix.Mount("overlay", "/run/root", "overlay", 0,
		"lowerdir=/,upperdir=/run/upper,workdir=/run/work"); err != nil {
		return fmt.Errorf("mounting the overlay: %w", err)
	}
	if err := os.Chdir("/run/root"); err != nil {
		return err
	}
	if err := os.Mkdir(".host", 0o755); err != nil {
		return err
	}
	// Unlike chroot this also moves the kernel's own threads, which run
	// /sbin/modprobe.
	if err := unix.PivotRoot(".", ".host"); err != nil {
		return fmt.Errorf("changing the root: %w", err)
	}
	return os.Chdir("/")
}

func loadOverlay() error {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return err
	}
	release := unix.ByteSliceToString(name.Release[:])
	f, err := os.Open(filepath.Join(modules, release, "kernel/fs/overlayfs/overlay.ko"))
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.FinitModule(int(f.Fd()), "", 0)
}

// A mount is one line of the table below.
type mount struct {
	kind, source, target string
	flags                uintptr
	options              string
}

// prepare mounts the file systems that programs expect in the new root. state is
// the one directory whose changes reach the machine.
func prepare(state string) error {
	for _, m := range []mount{
		{"proc", "proc", "/proc", 0, ""},
		{"sysfs", "sysfs", "/sys", 0, ""},
		{"devtmpfs", "dev", "/dev", 0, ""},
		{"devpts", "devpts", "/dev/pts", 0, "ptmxmode=666"},
		{"tmpfs", "tmpfs", "/dev/shm", 0, ""},
		{"tmpfs", "tmpfs", "/run", 0, ""},
		{"", modules, "/lib/modules", unix.MS_BIND, ""},
		{"hostfs", "hostfs", state, 0, state},
	} {
		if err := os.MkdirAll(m.target, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(m.source, m.target, m.kind, m.flags, m.options); err != nil {
			return fmt.Errorf("mounting %s: %w", m.target, err)
		}
	}
	if err := unix.Unmount("/.host", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("leaving the machine's root: %w", err)
	}
	if err := os.Remove("/.host"); err != nil {
		return err
	}
	if err := os.MkdirAll("/run/lock", 0o755); err != nil {
		return err
	}
	if err := links(); err != nil {
		return err
	}
	return loopbackUp()
}

// links makes the symbolic links of a running Debian. For iptables they select the
// legacy version: the kernel has no nftables, the default of Debian's iptables.
func links() error {
	for link, target := range map[string]string{
		"/dev/fd":                     "/proc/self/fd",
		"/dev/stdin":                  "fd/0",
		"/dev/stdout":                 "fd/1",
		"/dev/stderr":                 "fd/2",
		"/etc/alternatives/iptables":  "/usr/sbin/iptables-legacy",
		"/etc/alternatives/ip6tables": "/usr/sbin/ip6tables-legacy",
	} {
		if err := os.Remove(link); err != nil && !os.IsNotExist(err) {
			return err
		}
		if err := os.Symlink(target, link); err != nil && !strings.HasPrefix(link, "/etc/") {
			return err
		}
	}
	return nil
}

func loopbackUp() error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, lo)
}
