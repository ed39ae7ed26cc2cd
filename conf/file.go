package conf

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// Search finds the configuration file of a name on the command line: below
// /etc/ha.d, below /etc/ha.d/conf, else name itself. The first regular file counts.
func Search(name string) (path string, err error) {
	return search("/etc/ha.d", name)
}

func search(dir, name string) (path string, err error) {
	for _, path := range []string{dir + "/" + name, dir + "/conf/" + name, name} {
		if fi, err := os.Stat(path); err == nil && fi.Mode().IsRegular() {
			return path, nil
		}
	}
	return "", &Problem{Path: name, Code: CodeFileNotFound, Text: "Config file " + name + " not found", err: os.ErrNotExist}
}

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
		err = &fs.PathError{Op: "read", Path: path, Err: errors.New("is not a regular file")}
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
