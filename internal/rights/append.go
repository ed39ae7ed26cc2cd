package rights

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// ErrLink means that another user may have put the symbolic link there to make this
// program write to a file that only root may change.
var ErrLink = errors.New("is a symbolic link in a directory that others may write to")

// mostLinks is the kernel's limit for symbolic links in one path.
const mostLinks = 40

// Append opens a log file for appending, and creates it with mode 0644. It follows
// the symbolic links of the administrator, but none in a directory that belongs to
// other users or that they may write to. It does not wait for the reader of a FIFO:
// without one it fails.
func Append(path string) (*os.File, error) {
	return open(path, unix.O_CREAT)
}

// CanAppend returns the error that Append would return. It creates no file.
func CanAppend(path string) error {
	f, err := open(path, 0)
	if errors.Is(err, errMissing) {
		return nil
	}
	if err == nil {
		f.Close()
	}
	return err
}

// errMissing means that only the file itself is missing, and could be created.
var errMissing = errors.New("could be made")

func open(path string, create int) (*os.File, error) {
	if path == "" {
		return nil, &fs.PathError{Op: "open", Err: unix.ENOENT}
	}
	w := walk{rest: split(path)}
	if !filepath.IsAbs(path) {
		here, err := os.Getwd()
		if err != nil {
			return nil, err
		}
		w.rest = append(split(here), w.rest...)
	}
	if err := w.root(); err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer func() { unix.Close(w.dir) }()
	fd, err := w.open(create)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(fd), path), nil
}

// A walk follows a path name by name, and examines each name before it follows it.
type walk struct {
	dir   int      // the current directory
	rest  []string // names still to follow
	links int      // symbolic links followed so far
}

func split(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

// root begins at the root directory.
func (w *walk) root() (err error) {
	if w.dir > 0 {
		unix.Close(w.dir)
	}
	w.dir, err = unix.Open("/", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	return err
}

// open follows the path to the last name and opens it.
func (w *walk) open(create int) (int, error) {
	for len(w.rest) > 0 {
		name := w.rest[0]
		w.rest = w.rest[1:]
		if name == "." {
			continue
		}
		if len(w.rest) == 0 && name != ".." {
			fd, err := w.last(name, create)
			if !errors.Is(err, unix.ELOOP) {
				return fd, err
			}
		}
		if err := w.step(name); err != nil {
			return -1, err
		}
	}
	return -1, unix.EISDIR
}

// last opens the file itself. ELOOP means that it is a symbolic link.
func (w *walk) last(name string, create int) (int, error) {
	flags := unix.O_APPEND | unix.O_WRONLY | unix.O_NONBLOCK | unix.O_CLOEXEC | unix.O_NOCTTY | create
	if !w.inProc() { // /proc has only links of the kernel: /dev/stdout leads there
		flags |= unix.O_NOFOLLOW
	}
	fd, err := unix.Openat(w.dir, name, flags, 0o644)
	if create == 0 && errors.Is(err, unix.ENOENT) {
		if err := unix.Faccessat(w.dir, ".", unix.W_OK|unix.X_OK, 0); err != nil {
			return -1, err
		}
		return -1, errMissing
	}
	if errors.Is(err, unix.ENXIO) {
		return -1, errors.New("is a FIFO that no process reads")
	}
	if err != nil {
		return -1, err
	}
	var dir, file unix.Stat_t
	if err := errors.Join(unix.Fstat(w.dir, &dir), unix.Fstat(fd, &file)); err != nil {
		unix.Close(fd)
		return -1, err
	}
	if file.Mode&unix.S_IFMT == unix.S_IFREG && file.Nlink > 1 && othersWrite(&dir) {
		unix.Close(fd)
		return -1, errors.New("has another name as well, and is in a directory that others may write to")
	}
	return fd, nil
}

// step enters a directory, or the target of a symbolic link.
func (w *walk) step(name string) error {
	fd, err := unix.Openat(w.dir, name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	var dir, stat unix.Stat_t
	if err := errors.Join(unix.Fstat(w.dir, &dir), unix.Fstat(fd, &stat)); err != nil {
		unix.Close(fd)
		return err
	}
	if stat.Mode&unix.S_IFMT != unix.S_IFLNK {
		unix.Close(w.dir)
		w.dir = fd
		return nil
	}
	defer unix.Close(fd)
	if w.links++; w.links > mostLinks {
		return unix.ELOOP
	}
	if othersWrite(&dir) && !w.inProc() && !isOurs(&dir, &stat) {
		return fmt.Errorf("%s %w", name, ErrLink)
	}
	target := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(fd, "", target)
	if err != nil {
		return err
	}
	w.rest = append(split(string(target[:n])), w.rest...)
	if n > 0 && target[0] == '/' {
		return w.root()
	}
	return nil
}

// othersWrite reports whether users other than root and us may create names in a
// directory. Only root's group is trusted: a member of another group could put a
// link in the place of a log.
func othersWrite(dir *unix.Stat_t) bool {
	owner := dir.Uid != 0 && int(dir.Uid) != os.Geteuid()
	group := dir.Mode&0o020 != 0 && dir.Gid != 0 && int(dir.Gid) != os.Getegid()
	return owner || group || dir.Mode&0o002 != 0
}

// isOurs reports whether root or this user owns both the link and its directory,
// and at most a group may write to the directory, as to /var/log on some systems.
func isOurs(dir, link *unix.Stat_t) bool {
	belongs := func(s *unix.Stat_t) bool { return s.Uid == 0 || int(s.Uid) == os.Geteuid() }
	return dir.Mode&0o002 == 0 && belongs(dir) && belongs(link)
}

// inProc reports whether the walk is in /proc, where other users cannot create
// links.
func (w *walk) inProc() bool {
	var fs unix.Statfs_t
	return unix.Fstatfs(w.dir, &fs) == nil && fs.Type == unix.PROC_SUPER_MAGIC
}
