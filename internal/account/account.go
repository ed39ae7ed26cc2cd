// Package account finds the users under which commands run.
package account

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// An Account is a user with the rights that a command gets. It is comparable. The zero
// Account is the user of this process.
type Account struct {
	Name     string // for LOGNAME and USER
	UID, GID uint32
	Groups   string // the numbers of the supplementary groups, separated by blanks
	Home     string // for HOME
}

// IsZero reports whether a is the user of this process.
func (a Account) IsZero() bool { return a == Account{} }

// String is the name.
func (a Account) String() string { return a.Name }

// Credential is what a process needs to become a. It is nil if this process is that user
// already, and keeps its groups.
func (a Account) Credential() *syscall.Credential {
	if a.IsZero() || int64(a.UID) == int64(os.Geteuid()) {
		return nil
	}
	return &syscall.Credential{Uid: a.UID, Gid: a.GID, Groups: a.groups()}
}

func (a Account) groups() []uint32 {
	var list []uint32
	for word := range strings.FieldsSeq(a.Groups) {
		if n, err := strconv.ParseUint(word, 10, 32); err == nil {
			list = append(list, uint32(n))
		}
	}
	return list
}

// Environment is env with the variables that describe the user. The zero Account changes
// nothing.
func (a Account) Environment(env []string) []string {
	if a.IsZero() {
		return env
	}
	env = slices.DeleteFunc(slices.Clone(env), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains([]string{"HOME", "LOGNAME", "USER", "XDG_RUNTIME_DIR"}, name)
	})
	return append(env, "HOME="+cmp.Or(a.Home, "/"), "LOGNAME="+a.Name, "USER="+a.Name)
}

// ErrUnknown is the error of Lookup that no such user exists.
var ErrUnknown = errors.New("there is no such user")

// lookupTime limits a Lookup, so that a directory server that does not answer delays a
// start or a reload but does not block it.
const lookupTime = 5 * time.Second

// Lookup returns the account of a user, by its name or number. /etc/passwd and /etc/group
// count; a user that is not in /etc/passwd is one of the C library's other sources (LDAP,
// systemd), as getent and id print it. Apart from ErrUnknown the error is a failure of
// that search, which ends after 5 s.
func Lookup(name string) (Account, error) {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTime)
	defer cancel()
	return lookup(ctx, name)
}

func lookup(ctx context.Context, name string) (Account, error) {
	if name == "" || strings.Trim(name[:1], "+-") == "" || strings.ContainsAny(name, ":/ \t\n") {
		return Account{}, ErrUnknown
	}
	if _, err := strconv.ParseUint(name, 10, 32); err != nil && isNumber(name) {
		return Account{}, ErrUnknown // for getent 4294967296 is 0, which is root
	}
	type answer struct {
		account Account
		err     error
	}
	answers := make(chan answer, 1)
	go func() { // built with cgo it is the C library that looks, for as long as it likes
		a, err := local(name)
		answers <- answer{a, err}
	}()
	select {
	case found := <-answers:
		if errors.Is(found.err, ErrUnknown) {
			return elsewhere(ctx, name)
		}
		return found.account, found.err
	case <-ctx.Done():
		return Account{}, ctx.Err()
	}
}

// local looks in /etc/passwd and /etc/group.
func local(name string) (Account, error) {
	u, err := user.Lookup(name)
	if _, unknown := errors.AsType[user.UnknownUserError](err); unknown && isNumber(name) {
		u, err = user.LookupId(name)
	}
	if _, unknown := errors.AsType[user.UnknownUserError](err); unknown {
		return Account{}, ErrUnknown
	}
	if _, unknown := errors.AsType[user.UnknownUserIdError](err); unknown {
		return Account{}, ErrUnknown
	}
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) { // no /etc/passwd
			return Account{}, ErrUnknown
		}
		return Account{}, err
	}
	groups, err := u.GroupIds()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Account{}, err
	}
	return account(u.Username, u.Uid, u.Gid, u.HomeDir, groups)
}

// notFound is the exit status of getent for a key that is in no source.
const notFound = 2

// elsewhere has the C library look.
func elsewhere(ctx context.Context, name string) (Account, error) {
	line, err := run(ctx, "getent", "passwd", name)
	ended, isExit := errors.AsType[*exec.ExitError](err)
	switch {
	case errors.Is(err, exec.ErrNotFound), isExit && ended.ExitCode() == notFound:
		return Account{}, ErrUnknown
	case err != nil:
		return Account{}, err
	}
	fields := strings.Split(strings.TrimSuffix(line, "\n"), ":")
	if len(fields) != 7 {
		return Account{}, fmt.Errorf("getent passwd printed %q", line)
	}
	groups, err := run(ctx, "id", "-G", fields[0])
	if err != nil {
		return Account{}, err
	}
	return account(fields[0], fields[2], fields[3], fields[5], strings.Fields(groups))
}

// run returns the standard output of a program. Its error has ctx's where that ended it.
func run(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return unix.Kill(-cmd.Process.Pid, unix.SIGKILL) }
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	switch {
	case ctx.Err() != nil:
		return "", fmt.Errorf("%s did not answer: %w", name, ctx.Err())
	case err != nil:
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return string(out), nil
}

func account(name, uid, gid, home string, groups []string) (Account, error) {
	u, err := strconv.ParseUint(uid, 10, 32)
	g, wrong := strconv.ParseUint(gid, 10, 32)
	if err = errors.Join(err, wrong); err != nil {
		return Account{}, err
	}
	if u == math.MaxUint32 || g == math.MaxUint32 {
		return Account{}, errors.New("the kernel has no user or group 4294967295")
	}
	return Account{Name: name, UID: uint32(u), GID: uint32(g), Groups: strings.Join(groups, " "), Home: home}, nil
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// Right is a right to a file or a directory.
type Right uint32

// The rights, as the kernel has them.
const (
	Execute Right = unix.S_IXOTH // or to enter a directory
	Read    Right = unix.S_IROTH
)

// Refused returns the file or directory on the path that the mode bits do not let a use:
// path itself, for want of right, or a directory above. It is "" if they let it, if an
// access list may say otherwise, or if path cannot be examined.
func (a Account) Refused(path string, right Right) string {
	if a.UID == 0 {
		return ""
	}
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return ""
	}
	for at := path; ; at, right = filepath.Dir(at), Execute {
		if a.lacks(at, right) {
			return at
		}
		if at == filepath.Dir(at) {
			return ""
		}
	}
}

func (a Account) lacks(path string, right Right) bool {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return false
	}
	if n, err := unix.Getxattr(path, "system.posix_acl_access", nil); err == nil && n > 0 {
		return false
	}
	shift := 0
	switch {
	case st.Uid == a.UID:
		shift = 6
	case st.Gid == a.GID || slices.Contains(a.groups(), st.Gid):
		shift = 3
	}
	return st.Mode>>shift&uint32(right) == 0
}
