package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// A Package is a Debian package and a file of it; the package is needed where
// the file is missing.
type Package struct {
	Name string
	File string
}

// Packages is what the kernel tests need.
var Packages = []Package{
	{"user-mode-linux", installedKernel},
	{"kmod", "/usr/bin/kmod"},
	{"procps", "/usr/sbin/sysctl"},
	{"iproute2", "/usr/bin/ip"},
	{"iptables", "/usr/sbin/iptables-legacy"},
	{"ipvsadm", "/usr/sbin/ipvsadm"},
	{"conntrack", "/usr/sbin/conntrack"},
	{"tcpdump", "/usr/bin/tcpdump"},
	{"curl", "/usr/bin/curl"},
	{"nginx-light", "/usr/sbin/nginx"},
	{"perl", "/usr/bin/perl"},
}

// Need makes sure that packages are there for a test that is not one of the
// kernel: as root missing ones are installed, else the test is left out with a
// line that says so. LDIRECTORD_LAB=off leaves it out, too.
func Need(t testing.TB, packages ...Package) {
	t.Helper()
	if os.Getenv(environment) == "off" {
		t.Skipf("%s=off: left out, needs the packages %v", environment, names(packages))
	}
	absent := missing(packages)
	if len(absent) > 0 && os.Geteuid() != 0 {
		t.Skipf("not root: left out, needs the packages %v", absent)
	}
	if err := Install(context.Background(), packages...); err != nil {
		t.Fatal(err)
	}
}

// Install installs those of packages that are missing, and nothing when none
// is. It needs root. Services that come with the packages are started neither
// now nor at the next boot. Several processes may call it at once.
func Install(ctx context.Context, packages ...Package) error {
	if len(missing(packages)) == 0 {
		return nil
	}
	unlock, err := lock("install", 0)
	if err != nil {
		return err
	}
	defer unlock()
	absent := missing(packages) // another process may have been quicker
	if len(absent) == 0 {
		return nil
	}
	allow, err := forbidServices()
	if err != nil {
		return err
	}
	defer allow()
	before := enabledServices()
	if err := apt(ctx, "update", "-qq"); err != nil {
		return err
	}
	install := []string{"install", "-y", "-qq", "--no-install-recommends", "--no-remove"}
	if err := apt(ctx, append(install, absent...)...); err != nil {
		return err
	}
	return disable(ctx, before)
}

func names(packages []Package) []string {
	names := make([]string, len(packages))
	for i, p := range packages {
		names[i] = p.Name
	}
	return names
}

// missing returns the names of those packages whose file is not there.
func missing(packages []Package) []string {
	var names []string
	for _, p := range packages {
		if _, err := os.Stat(p.File); err != nil {
			names = append(names, p.Name)
		}
	}
	return names
}

func apt(ctx context.Context, args ...string) error {
	args = append([]string{"-o", "DPkg::Lock::Timeout=300"}, args...)
	cmd := exec.CommandContext(ctx, "apt-get", args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("apt-get %v: %w\n%s", args, err, out)
	}
	return nil
}

// forbidServices keeps packages from starting their services while they are
// installed. A policy that the machine has already stays as it is.
func forbidServices() (allow func(), err error) {
	const policy = "/usr/sbin/policy-rc.d"
	f, err := os.OpenFile(policy, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if errors.Is(err, fs.ErrExist) {
		return func() {}, nil
	}
	if err != nil {
		return nil, err
	}
	_, err = f.WriteString("#!/bin/sh\nexit 101\n")
	return func() { os.Remove(policy) }, errors.Join(err, f.Close())
}

// enabledServices are the links by which systemd starts services at boot.
func enabledServices() []string {
	links, _ := filepath.Glob("/etc/systemd/system/*.wants/*.service")
	return links
}

// disable undoes what an installation has enabled since before was read.
func disable(ctx context.Context, before []string) error {
	for _, link := range enabledServices() {
		if slices.Contains(before, link) {
			continue
		}
		if err := exec.CommandContext(ctx, "systemctl", "-q", "disable", filepath.Base(link)).Run(); err != nil {
			return fmt.Errorf("disabling %s: %w", filepath.Base(link), err)
		}
	}
	return nil
}
