package account

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
	"time"
)

// ErrUnknownGroup is the error of Group that no such group exists.
var ErrUnknownGroup = errors.New("there is no such group")

// groupTime limits a Group, for which a reload and the requests of clients wait.
const groupTime = time.Second

// Group returns the number of a group, by its name or number. A number need not be that of
// a known group. /etc/group counts; a name that is not in /etc/group is one of the C
// library's other sources, as getent prints it. Apart from ErrUnknownGroup the error is a
// failure of that search, which ends after 1 s.
func Group(name string) (uint32, error) {
	if name == "" || strings.Trim(name[:1], "+-") == "" || strings.ContainsAny(name, ":/ \t\n") {
		return 0, ErrUnknownGroup
	}
	if isNumber(name) {
		return groupNumber(name)
	}
	ctx, cancel := context.WithTimeout(context.Background(), groupTime)
	defer cancel()
	g, err := user.LookupGroup(name)
	_, unknown := errors.AsType[user.UnknownGroupError](err)
	switch {
	case err == nil:
		return groupNumber(g.Gid)
	case !unknown && !errors.Is(err, fs.ErrNotExist): // no /etc/group
		return 0, err
	}
	line, err := run(ctx, "getent", "group", name)
	ended, isExit := errors.AsType[*exec.ExitError](err)
	switch {
	case errors.Is(err, exec.ErrNotFound), isExit && ended.ExitCode() == notFound:
		return 0, ErrUnknownGroup
	case err != nil:
		return 0, err
	}
	fields := strings.Split(strings.TrimSuffix(line, "\n"), ":")
	if len(fields) != 4 {
		return 0, fmt.Errorf("getent group printed %q", line)
	}
	return groupNumber(fields[2])
}

func groupNumber(text string) (uint32, error) {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n == math.MaxUint32 { // which is "leave it" for chown(2)
		return 0, fmt.Errorf("the kernel has no group %s", text)
	}
	return uint32(n), nil
}
