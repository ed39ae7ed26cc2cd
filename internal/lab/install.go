package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// Need makes sure that the named packages of the table are installed for a test
// without a kernel: root installs missing ones, otherwise the test is skipped with
// a line that names them. LDIRECTORD_LAB=off and -short skip it, too.
func Need(t testing.TB, names ...string) {
	t.Helper()
	if os.Getenv(environment) == "off" {
		t.Skipf("%s=off: left out, needs the packages %v", environment, names)
	}
	if testing.Short() {
		t.Skipf("-short: left out, needs the packages %v", names)
	}
	packages, err := named(names)
	if err != nil {
		t.Fatal(err)
	}
	absent := missing(packages)
	if len(absent) > 0 && os.Geteuid() != 0 {
		t.Skipf("not root: left out, needs the packages %v", absent)
	}
	if err := Install(context.Background(), t.Output(), packages...); err != nil {
		t.Fatal(err)
	}
}

// Install installs the missing ones of packages. It needs root. out receives the
// packages and their size before the installation begins, and any left-overs after
// it. Services in the packages are started neither now nor at the next boot.
//
// A signal (SIGINT, SIGTERM, SIGHUP) or ctx ends the download at once, and a
// running installation when dpkg is done; both revert the temporary changes. The
// next Install reverts those of a killed one. Several processes may call it at
// once.
func Install(ctx context.Context, out io.Writer, packages ...Package) error {
	if len(missing(packages)) == 0 && !interruptedBefore() {
		return nil
	}
	unlock, err := lock("install", 0)
	if err != nil {
		return err
	}
	defer unlock()
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := recoverInterrupted(ctx, out); err != nil {
		return err
	}
	absent := missing(packages) // another process may have been quicker
	if len(absent) == 0 {
		return nil
	}
	return install(ctx, out, absent)
}

// install installs the named packages.
func install(ctx context.Context, out io.Writer, names []string) error {
	fmt.Fprintf(out, "setup: the tests need these Debian packages, which are missing: %s\n", strings.Join(names, " "))
	if err := apt(ctx, nil, "update", "-qq"); err != nil {
		return err
	}
	if err := announce(ctx, out, names); err != nil {
		return err
	}
	flags := []string{"install", "-y", "-qq", "--no-install-recommends", "--no-remove"}
	if err := apt(ctx, nil, append(append(flags, "--download-only"), names...)...); err != nil {
		return err
	}
	before := atBoot()
	// dpkg is not interrupted: it would leave packages that are half there.
	whole := context.WithoutCancel(ctx)
	installErr := beginInstallation(before)
	if installErr == nil {
		installErr = apt(whole, nil, append(flags, names...)...)
	}
	disabled, err := endInstallation(whole, before)
	if err := errors.Join(installErr, err); err != nil {
		return err
	}
	if len(disabled) > 0 {
		fmt.Fprintf(out, "setup: not started, and disabled for the next boot: %s\n", strings.Join(disabled, " "))
	}
	fmt.Fprintf(out, "setup: the packages stay; this removes them: apt-get autoremove --purge %s\n", strings.Join(names, " "))
	return context.Cause(ctx)
}

// howMuch matches the lines in which apt-get prints the amount of its work.
var howMuch = regexp.MustCompile(`(?m)^(\d+ upgraded, .*|Need to get .*|After this operation, .*)$`)

// announce writes how much an installation of the named packages is.
func announce(ctx context.Context, out io.Writer, names []string) error {
	var text bytes.Buffer
	args := []string{"install", "--print-uris", "-y", "--no-install-recommends", "--no-remove"}
	if err := apt(ctx, &text, append(args, names...)...); err != nil {
		return err
	}
	fmt.Fprintln(out, "setup: with all that they depend on:", strings.Join(howMuch.FindAllString(text.String(), -1), " "))
	return nil
}

// apt runs apt-get and copies its standard output to out, unless out is nil. It is
// in a process group of its own: Control-C in a terminal reaches only this program,
// which ends apt-get when ctx ends.
func apt(ctx context.Context, out io.Writer, args ...string) error {
	args = append([]string{"-o", "DPkg::Lock::Timeout=300"}, args...)
	return run(ctx, out, "apt-get", args...)
}

func run(ctx context.Context, out io.Writer, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if out != nil {
		cmd.Stdout = io.MultiWriter(out, &output)
	}
	if err := cmd.Run(); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, output.Bytes())
	}
	return nil
}
