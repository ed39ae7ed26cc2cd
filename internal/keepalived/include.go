package keepalived

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// How deep files may include each other, how many bytes they may have together, and how many patterns one
// with braces may stand for.
const (
	maxIncluding    = 16
	maxIncluded     = 16 << 20
	maxAlternatives = 256
)

// include reads the files of an include line, as keepalived does: those that a pattern matches in their
// order, relative to the file that includes them, and no executable ones.
func (s *scanner) include(pattern string) {
	if s.dir == "" {
		s.note(lost(s.at, "include %s is not read: that needs the name of the file, in place of standard input", pattern))
		return
	}
	if s.files == maxIncluding {
		s.note(lost(s.at, "include %s is not read: files include each other more than %d times", pattern, maxIncluding))
		return
	}
	paths := included(s.dir, pattern)
	if len(paths) == 0 {
		if strings.ContainsAny(pattern, "*?[{") {
			s.note(leftOut(s.at, "include %s matches no file", pattern))
		} else {
			s.note(lost(s.at, "include %s: there is no such file", pattern))
		}
	}
	for _, path := range paths {
		text, err := s.text(path)
		if err != nil {
			s.note(lost(s.at, "%s is not read: %v", path, err))
			continue
		}
		at, dir := s.at, s.dir
		s.dir = filepath.Dir(path)
		s.files++
		s.file(Position{File: path}, text)
		s.files--
		s.at, s.dir = at, dir
	}
}

// text is the text of a file that is included.
func (s *scanner) text(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o111 != 0 {
		return "", fmt.Errorf("keepalived leaves out what is no regular file or may be executed (%v)", info.Mode())
	}
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, int64(maxIncluded-s.included+1)))
	if s.included += len(text); err == nil && s.included > maxIncluded {
		err = fmt.Errorf("the files together have more than %d MiB", maxIncluded>>20)
	}
	if err != nil {
		return "", err
	}
	return string(text), nil
}

// included are the files that a pattern of a shell matches.
func included(dir, pattern string) (paths []string) {
	for _, one := range alternatives(pattern, nil) {
		if !strings.ContainsAny(one, `*?[\`) {
			if !filepath.IsAbs(one) {
				one = filepath.Join(dir, one)
			}
			if _, err := os.Stat(one); err == nil {
				paths = append(paths, one)
			}
			continue
		}
		if !filepath.IsAbs(one) {
			one = filepath.Join(literally.Replace(dir), one)
		}
		one = strings.ReplaceAll(one, "[!", "[^")
		found, _ := filepath.Glob(one) // a wrong pattern matches nothing there, too
		for _, path := range found {
			if !hidden(path, one) {
				paths = append(paths, path)
			}
		}
	}
	return paths
}

var literally = strings.NewReplacer("*", `\*`, "?", `\?`, "[", `\[`, `\`, `\\`)

// hidden reports whether a path has a name with a dot in front where the pattern has none.
func hidden(path, pattern string) bool {
	names, patterns := strings.Split(path, "/"), strings.Split(pattern, "/")
	for i, name := range names {
		if strings.HasPrefix(name, ".") && i < len(patterns) && !strings.HasPrefix(patterns[i], ".") {
			return true
		}
	}
	return false
}

// alternatives appends the patterns that one with braces, as in "{a,b{c,d}}.conf", stands for. More than
// maxAlternatives of them are left as they are.
func alternatives(pattern string, list []string) []string {
	begin, end, ends := braces(pattern)
	if end < 0 || len(list) >= maxAlternatives {
		return append(list, pattern)
	}
	from := begin + 1
	for _, to := range ends {
		list = alternatives(pattern[:begin]+pattern[from:to]+pattern[end+1:], list)
		from = to + 1
	}
	return list
}

// braces finds the first pair of braces, and where its alternatives end. end is -1 if there is none.
func braces(pattern string) (begin, end int, ends []int) {
	depth := 0
	begin = strings.IndexByte(pattern, '{')
	for i := max(0, begin); begin >= 0 && i < len(pattern); i++ {
		switch pattern[i] {
		case '{':
			depth++
		case ',':
			if depth == 1 {
				ends = append(ends, i)
			}
		case '}':
			if depth--; depth == 0 {
				return begin, i, append(ends, i)
			}
		}
	}
	return begin, -1, nil
}
