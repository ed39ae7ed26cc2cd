package conf

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Sources are the text of a configuration as it was read at one moment: the file
// that a command names, and those that include lines name. They are not changed.
type Sources struct {
	Files    []Source  // in the order of reading, each once; the first is the named one
	Patterns []Pattern // of include lines, each once

	index map[string]int // into Files, by path
	found map[Pattern]found
}

// A Source is one file of a configuration.
type Source struct {
	Path string
	Text []byte
	Info fs.FileInfo // from before Text was read; nil if there is no such file
	Err  error       // why Text could not be read, nil if it was
}

// A Pattern is the value of an include line with wildcards.
type Pattern struct {
	Dir  string // of the including file, to which Text is relative
	Text string
}

// String is p as it is looked up.
func (p Pattern) String() string {
	if filepath.IsAbs(p.Text) {
		return p.Text
	}
	return filepath.Join(p.Dir, p.Text)
}

// Root is the directory below which the files of p are: its part before the first wildcard.
func (p Pattern) Root() string {
	root := p.String()
	for isPattern(root) && root != filepath.Dir(root) {
		root = filepath.Dir(root)
	}
	return root
}

type found struct {
	paths []string
	err   error
}

// Matches are the files that fit p now, sorted by name. Names that begin with a dot
// fit only a pattern with a dot there, and directories do not fit. A directory that
// is missing has no files; one that cannot be read is an error.
func (p Pattern) Matches() ([]string, error) { return match(p.Dir, p.Text) }

// Found is what the Matches of p were when s was read.
func (s *Sources) Found(p Pattern) ([]string, error) { return s.match(p) }

// Read reads the configuration file at path and the files that it includes. The
// error is a *Problem, in the original's words, for the file at path alone: that an
// included one cannot be read is found by Parse and Check.
func Read(path string) (*Sources, error) {
	s := collect(disk{}, path)
	if err := s.Files[0].Err; err != nil {
		return nil, &Problem{Path: path, Code: CodeFileUnreadable, Text: "can not open file " + path, Hint: err.Error(), err: err}
	}
	return s, nil
}

// Parse is the function Parse for s.
func (s *Sources) Parse(o Options) (*Config, error) {
	return parse(newParser(s.Files[0].Path, o).from(s), s.Files[0].Text)
}

// In returns s as seen from any directory: relative names are those in dir.
func (s *Sources) In(dir string) *Sources {
	place := func(path string) string {
		if filepath.IsAbs(path) {
			return filepath.Clean(path)
		}
		return filepath.Join(dir, path)
	}
	in := &Sources{index: make(map[string]int), found: make(map[Pattern]found)}
	for i, f := range s.Files {
		f.Path = place(f.Path)
		in.Files = append(in.Files, f)
		in.index[f.Path] = i
	}
	for _, p := range s.Patterns {
		f := s.found[p]
		f.paths = slices.Clone(f.paths)
		for i := range f.paths {
			f.paths[i] = place(f.paths[i])
		}
		p.Dir = place(p.Dir)
		in.Patterns = append(in.Patterns, p)
		in.found[p] = f
	}
	return in
}

// Sum tells contents apart: of all files, and which files there are.
func (s *Sources) Sum() [sha256.Size]byte {
	all := sha256.New()
	for _, f := range s.Files {
		fmt.Fprintf(all, "%q %v %x\n", f.Path, f.Err, sha256.Sum256(f.Text))
	}
	return [sha256.Size]byte(all.Sum(nil))
}

// File returns the file at path, of the zero Source if it is none of s.
func (s *Sources) File(path string) (f Source, ok bool) {
	i, ok := s.index[path]
	if ok {
		f = s.Files[i]
	}
	return f, ok
}

// read implements files: it has the files as read before.
func (s *Sources) read(path string) Source {
	f, ok := s.File(path)
	if !ok {
		return Source{Path: path, Err: fs.ErrNotExist}
	}
	return f
}

// match implements files.
func (s *Sources) match(p Pattern) ([]string, error) {
	f, ok := s.found[p]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return f.paths, f.err
}

// files is where a parser reads included files.
type files interface {
	read(path string) Source
	match(p Pattern) ([]string, error)
}

// disk is the file system.
type disk struct{}

func (disk) read(path string) Source {
	s := Source{Path: path}
	var file *os.File
	if file, s.Err = Open(path); s.Err != nil {
		s.Info, _ = os.Stat(path)
		return s
	}
	defer file.Close()
	if s.Info, s.Err = file.Stat(); s.Err == nil {
		s.Text, s.Err = io.ReadAll(file)
	}
	return s
}

func (disk) match(p Pattern) ([]string, error) { return p.Matches() }

// collect reads the file at path, and those that it includes, as far as a parser
// without mistakes would go.
func collect(from files, path string) *Sources {
	s := &Sources{index: make(map[string]int), found: make(map[Pattern]found)}
	s.add(from, path)
	return s
}

func (s *Sources) add(from files, path string) {
	if _, ok := s.index[path]; ok || len(s.Files) > maxIncluded {
		return
	}
	f := from.read(path)
	s.index[path] = len(s.Files)
	s.Files = append(s.Files, f)
	for value := range includeLines(f.Text) {
		in := inclusionOf(path, value)
		if in.plain {
			s.add(from, in.path)
			continue
		}
		if _, ok := s.found[in.pattern]; !ok {
			paths, err := from.match(in.pattern)
			s.found[in.pattern] = found{paths, err}
			s.Patterns = append(s.Patterns, in.pattern)
		}
		for _, one := range s.found[in.pattern].paths {
			s.add(from, one)
		}
	}
}

// match returns the files below dir that fit a pattern.
func match(dir, pattern string) ([]string, error) {
	if filepath.IsAbs(pattern) {
		dir = "/"
	}
	paths := []string{dir}
	elements := strings.FieldsFunc(pattern, func(r rune) bool { return r == '/' })
	for i, element := range elements {
		var next []string
		for _, at := range paths {
			names, err := matchElement(at, element, i == len(elements)-1)
			if err != nil {
				return nil, err
			}
			for _, name := range names {
				next = append(next, filepath.Join(at, name))
			}
		}
		paths = next
	}
	return paths, nil
}

// matchElement returns the names in dir that fit one element of a pattern, sorted.
// The last element is that of a file.
func matchElement(dir, element string, last bool) (names []string, err error) {
	if !last && !isPattern(element) {
		return []string{element}, nil
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		fits, err := path.Match(element, e.Name())
		if err != nil {
			return nil, err
		}
		hidden := strings.HasPrefix(e.Name(), ".") && !strings.HasPrefix(element, ".")
		if fits && !hidden && (!last || !leadsToDir(dir, e)) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// leadsToDir says whether an entry of dir is a directory, or a link to one.
func leadsToDir(dir string, e fs.DirEntry) bool {
	if e.Type()&fs.ModeSymlink == 0 {
		return e.IsDir()
	}
	info, err := os.Stat(filepath.Join(dir, e.Name()))
	return err == nil && info.IsDir()
}

// isPattern says whether the name of a file is a pattern.
func isPattern(name string) bool { return strings.ContainsAny(name, `*?[\`) }

// LineIn is a line of a file for people who look at another file: "line 3" of here,
// else "line 3 of FILE".
func LineIn(here, file string, line int) string {
	text := "line " + strconv.Itoa(line)
	if file != here {
		text += " of " + file
	}
	return text
}
