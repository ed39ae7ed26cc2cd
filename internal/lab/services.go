package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// policy is the file by which Debian's packages learn whether they may start
// their services (invoke-rc.d(8)).
const policy = "/usr/sbin/policy-rc.d"

// policyText is the policy during an installation. Its first lines mark it as
// ours.
const policyText = "#!/bin/sh\n# Of ldirectord's test set-up, for the time of an installation; \"make setup\" removes it.\nexit 101\n"

// journal has the links that started services at boot before an installation,
// one in a line. It is there as long as the installation is not over: one that
// was killed is undone by it.
const journal = "/var/cache/ldirectord-test/installing"

// beginInstallation writes the journal and keeps packages from starting their
// services. A policy that the machine has already stays as it is.
func beginInstallation(before []string) error {
	if err := os.MkdirAll(filepath.Dir(journal), 0o755); err != nil {
		return err
	}
	// Both are there whole or not at all: by half a journal the next set-up would disable
	// services that were enabled before this one.
	if err := publish([]byte(strings.Join(before, "\n")+"\n"), journal, 0o644); err != nil {
		return err
	}
	if _, err := os.Lstat(policy); err == nil {
		return nil
	}
	return publish([]byte(policyText), policy, 0o755)
}

// endInstallation disables the services that were enabled since before was read,
// and returns them, removes a policy of ours and ends the journal.
func endInstallation(ctx context.Context, before []string) (disabled []string, err error) {
	disabled, err = disable(ctx, before)
	if text, _ := os.ReadFile(policy); string(text) == policyText {
		err = errors.Join(err, os.Remove(policy))
	}
	if err == nil {
		err = os.Remove(journal)
	}
	return disabled, err
}

// interruptedBefore reports whether an earlier installation did not end, or another
// process is installing now.
func interruptedBefore() bool {
	_, err := os.Stat(journal)
	return err == nil
}

// recoverInterrupted finishes an installation that was killed: it waits for an apt-get
// that still runs, dpkg configures the unpacked packages, and the installation ends. The
// caller holds the lock.
func recoverInterrupted(ctx context.Context, out io.Writer) error {
	text, err := os.ReadFile(journal)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "setup: an earlier installation was interrupted: finishing it and undoing what it changed for its time")
	if err := awaitDpkg(ctx, out); err != nil {
		return err
	}
	if err := run(context.WithoutCancel(ctx), nil, "dpkg", "--force-confold", "--configure", "-a"); err != nil {
		return err
	}
	_, err = endInstallation(context.WithoutCancel(ctx), strings.Fields(string(text)))
	return err
}

// awaitDpkg waits until no other process works on dpkg's database, as shown by the lock
// of lock-frontend: apt-get goes on when the set-up that started it is killed.
func awaitDpkg(ctx context.Context, out io.Writer) error {
	admin := cmp.Or(os.Getenv("DPKG_ADMINDIR"), "/var/lib/dpkg")
	f, err := os.OpenFile(filepath.Join(admin, "lock-frontend"), os.O_CREATE|os.O_RDWR, 0o640)
	if err != nil {
		return err
	}
	defer f.Close()
	for waits := false; ; waits = true {
		held := unix.Flock_t{Type: unix.F_WRLCK}
		if err := unix.FcntlFlock(f.Fd(), unix.F_GETLK, &held); err != nil || held.Type == unix.F_UNLCK {
			return err
		}
		if !waits {
			fmt.Fprintf(out, "setup: waiting for process %d, which works on dpkg's database\n", held.Pid)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// bootLinks are the patterns of the links by which systemd and SysV init start
// services at boot.
var bootLinks = []string{
	"/etc/systemd/system/*.wants/*",
	"/etc/systemd/system/*.requires/*",
	"/etc/rc[2345S].d/S*",
}

// atBoot returns the links that start services at boot.
func atBoot() (links []string) {
	for _, pattern := range bootLinks {
		found, _ := filepath.Glob(pattern)
		links = append(links, found...)
	}
	return links
}

// scriptLink is the name of a link that starts an init script.
var scriptLink = regexp.MustCompile(`^S\d\d(.+)$`)

// disable undoes what an installation has enabled since before was read, and
// returns what that was. It keeps the records of Debian's tools right, so that
// an upgrade of the package does not enable the service again; systemd need
// not be there. (deb-systemd-helper wants to be called by a maintainer script.)
func disable(ctx context.Context, before []string) (disabled []string, err error) {
	for _, link := range atBoot() {
		if slices.Contains(before, link) {
			continue
		}
		if _, err := os.Lstat(link); err != nil {
			continue // gone with another link of the same service
		}
		name := filepath.Base(link)
		if script := scriptLink.FindStringSubmatch(name); script != nil && strings.HasPrefix(link, "/etc/rc") {
			name = script[1]
			err = run(ctx, nil, "update-rc.d", name, "disable")
		} else if err = run(ctx, nil, "env", "DPKG_MAINTSCRIPT_PACKAGE=none", "deb-systemd-helper", "disable", name); err == nil {
			err = os.Remove(link) // of a unit that the helper did not enable
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return disabled, fmt.Errorf("disabling %s: %w", name, err)
		}
		if !slices.Contains(disabled, name) {
			disabled = append(disabled, name)
		}
	}
	return disabled, nil
}
