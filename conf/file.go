package conf

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Search finds the configuration file of a name on the command line: below
// /etc/ha.d, below /etc/ha.d/conf, else name itself. The first regular file counts.
func Search(name string) (path string, err error) {
	return search(directory, name)
}

// Places are the paths at which Search looks for the file of a name, in their order.
func Places(name string) []string { return places(directory, name) }

// directory is where the configuration files of the original are.
const directory = "/etc/ha.d"

func places(dir, name string) []string {
	return []string{dir + "/" + name, dir + "/conf/" + name, name}
}

func search(dir, name string) (path string, err error) {
	missing := &Problem{Path: name, Code: CodeFileNotFound, Text: "Config file " + name + " not found", err: os.ErrNotExist}
	if !filepath.IsAbs(name) {
		missing.Hint = "it is neither in " + dir + " nor in " + dir + "/conf nor in the working directory"
	}
	for _, path := range places(dir, name) {
		fi, err := os.Stat(path)
		switch {
		case err == nil && fi.Mode().IsRegular():
			return path, nil
		case missing.Code != CodeFileNotFound: // the first reason counts
		case err == nil:
			missing = unusable(path, "is not a regular file", errNotRegular)
		case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR):
			missing = unusable(path, "cannot be read: "+errors.Unwrap(err).Error(), err)
		}
	}
	return "", missing
}

// unusable is the problem of what is in the place of a configuration file.
func unusable(path, why string, err error) *Problem {
	return &Problem{Path: path, Code: CodeFileUnreadable, Text: "Config file " + path + " " + why, err: err}
}

var errNotRegular = errors.New("is not a regular file")

// Load reads the file at path. Its errors are those of Parse, and a *Problem
// without a line for a file that cannot be read.
func Load(path string, o Options) (*Config, error) {
	s, err := Read(path)
	if err != nil {
		return nil, err
	}
	return s.Parse(o)
}

// Open opens a configuration file for reading. A FIFO or a device in its place is
// an error: it might never end.
func Open(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "read", Path: path, Err: errNotRegular}
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// Parse reads the text of the file at path, with the files that it includes, and
// stops at its first mistake, as the original does at its start. The error is of
// type Problems: the warnings before and, last, the mistake; errors.As finds the
// mistake as a *Problem.
func Parse(path string, text []byte, o Options) (*Config, error) {
	return parse(newParser(path, o), text)
}

func parse(p *parser, text []byte) (*Config, error) {
	p.parse(text)
	if p.problems.Err() != nil {
		return nil, p.problems
	}
	return p.config, nil
}

// CheckFile reads the text of the file at path, with the files that it includes, and
// returns all mistakes and all warnings, in the order of Sort. The Config is nil
// if there are mistakes.
func CheckFile(path string, text []byte, o Options) (*Config, Problems) {
	return check(newParser(path, o), text)
}

func check(p *parser, text []byte) (*Config, Problems) {
	path := p.path
	p.all = true
	p.parse(text)
	p.problems.Sort(path)
	if p.problems.Err() != nil {
		return nil, p.problems
	}
	return p.config, p.problems
}
