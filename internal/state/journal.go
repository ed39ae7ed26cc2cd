package state

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// A Journal is a file of lines behind a heading, which grows at its end. Every process that
// writes to it begins with Replace, so that it never opens a file of others. It is for one
// goroutine, and may wait for as long as a disk takes.
type Journal struct {
	Path    string
	Heading string // the first line, without line break: whose file it is

	file *os.File // written by this process, nil is none
	size int64
}

// longestJournal and mostLines bound what is read of a file, in bytes and lines: more than any
// daemon writes.
const (
	longestJournal = 64 << 20
	mostLines      = 1 << 19
)

// ErrForeign is the error of a file that is not the Journal.
var ErrForeign = errors.New("it was not written by the daemon of this configuration file")

// Read returns the lines of an earlier process behind the heading, without their line breaks.
// A missing file has none. A last line without line break, as a crash leaves it, is omitted. The
// error is ErrForeign for a file with another heading, and any other if it cannot be read.
func (j *Journal) Read() ([][]byte, error) {
	text, err := readRegular(j.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return j.Parse(text)
}

// Parse is Read for the text of a file.
func (j *Journal) Parse(text []byte) ([][]byte, error) {
	heading, rest, whole := bytes.Cut(text, []byte("\n"))
	if !whole || string(heading) != j.Heading {
		return nil, ErrForeign
	}
	if n := bytes.Count(rest, []byte("\n")); n > mostLines {
		return nil, fmt.Errorf("%s has %d lines", j.Path, n)
	}
	lines := bytes.Split(rest, []byte("\n"))
	return lines[:len(lines)-1], nil
}

// readRegular reads a file that is no symbolic link, device or FIFO, all of which could be
// another user's in the directory of a daemon that runs as that user.
func readRegular(path string) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, unix.ELOOP) {
		return nil, fmt.Errorf("%s is a symbolic link", path)
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no regular file", path)
	case info.Size() > longestJournal:
		return nil, fmt.Errorf("%s has %d MiB", path, info.Size()>>20)
	}
	return io.ReadAll(io.LimitReader(file, longestJournal))
}

// SetAside renames the file to PATH.bad, in the place of an earlier one.
func (j *Journal) SetAside() (kept string, err error) {
	kept = j.Path + ".bad"
	return kept, os.Rename(j.Path, kept)
}

// Replace makes lines the content of the file. After a crash of the process or of the machine
// it has the old content or the new one, and after an error either. Its mode is 0600; it belongs to the owner of the
// directory, as with Write.
func (j *Journal) Replace(lines []byte) error {
	dir := filepath.Dir(j.Path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	next := j.Path + ".new" // of a process that was killed
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(next, os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	giveTo(f, dir)
	size, err := f.Write(append([]byte(j.Heading+"\n"), lines...))
	if err = errors.Join(err, f.Sync()); err == nil {
		err = os.Rename(next, j.Path)
	}
	if err != nil {
		f.Close()
		_ = os.Remove(next)
		return err
	}
	j.Close()
	if err := syncDir(dir); err != nil {
		f.Close() // Append would add the lines once more
		return err
	}
	j.file, j.size = f, int64(size)
	return nil
}

// Append adds whole lines at the end. It reports false if the file is not there any more, or was
// never written by this process: Replace makes it. After an error the file ends as before.
func (j *Journal) Append(lines []byte) (bool, error) {
	if j.file == nil || !means(j.Path, j.file) {
		return false, nil
	}
	n, err := j.file.Write(lines)
	if err = errors.Join(err, j.file.Sync()); err == nil {
		j.size += int64(n)
		return true, nil
	}
	if j.file.Truncate(j.size) != nil {
		j.Close()
	}
	return false, err
}

// Size returns the size of the file in bytes.
func (j *Journal) Size() int64 { return j.size }

// Close closes the file. Replace opens it again.
func (j *Journal) Close() {
	if j.file != nil {
		j.file.Close()
		j.file = nil
	}
}
