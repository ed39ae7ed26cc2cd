package chaos

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/internal/state"
)

// A file is one of the maintenance directory, as far as it is known.
type file struct {
	text    string
	unknown bool // nothing is known of its text
	written time.Time
	before  *file // what counts of a half-written one until it has rested, nil is nothing
}

// counts is what counts of a file: one whose first line has no end counts when it has rested for a second.
func (f *file) counts() *file {
	if f.unknown || strings.Contains(f.text, "\n") || time.Since(f.written) >= time.Second {
		return f
	}
	return f.before
}

// means is what the director does for a file: it takes out, it orders, or nothing.
func (f *file) means() (out bool, o ordering) {
	first, _, _ := strings.Cut(f.text, "\n")
	words := strings.Fields(first)
	var n int
	var sign string
	switch {
	case f.unknown || len(words) == 0:
		return true, o
	case first == "drain":
		return false, ordering{order: "drain"}
	case words[0] == "until":
		until, err := time.Parse(time.RFC3339, words[1])
		switch {
		case err != nil || !until.After(f.written):
			return true, o
		case !until.After(time.Now()):
			return false, o
		}
		return false, ordering{order: "disable"}
	case words[0] == "weight":
		_, _ = fmt.Sscanf(words[1], "%d%s", &n, &sign)
		switch {
		case n == 0:
			return false, ordering{order: "drain"}
		case sign != "":
			return false, ordering{order: "weight", percent: n}
		}
		return false, ordering{order: "weight", weigh: n}
	}
	return true, o
}

// fileNames are the names of files for a real server, the most exact first.
func (s *service) fileNames(p *pair) []string {
	names := []string{p.name(), p.at.Addr().String()}
	if s.isNamed(p) {
		names = append(names, s.hostName(p)+":8080", s.hostName(p))
	}
	return names
}

// byFiles are the addresses that files take out, and those with orders of files.
func (w *world) byFiles() (out map[string]bool, orders map[string]ordering) {
	out, orders = map[string]bool{}, map[string]ordering{}
	for _, s := range w.services[1:] {
		for _, p := range s.pairs[1:] {
			if !s.configured || !p.configured {
				continue
			}
			for _, name := range s.fileNames(p) {
				f := w.seen[name]
				if f != nil {
					if f = f.counts(); !w.orders && f == nil {
						f = &file{}
					}
				}
				if f == nil {
					continue
				}
				isOut, o := f.means()
				if !w.orders {
					isOut, o = true, ordering{}
				}
				if isOut {
					out[p.name()] = true
					break
				}
				if o.order != "" {
					orders[p.name()] = o
					break
				}
			}
		}
	}
	return out, orders
}

// takeOrders has the orders of files be in force as a load finds them.
func (w *world) takeOrders() {
	_, orders := w.byFiles()
	for _, s := range w.services[1:] {
		for _, p := range s.pairs[1:] {
			p.ofFile = orders[p.name()]
			p.inForce()
		}
	}
}

// inForce puts the order of a file in force, if the operator has given none.
func (p *pair) inForce() { p.ordering = cmp.Or(p.own, p.ofFile) }

// tellOrders has the orders of files be in force that have changed.
func (w *world) tellOrders(orders map[string]ordering) {
	for _, s := range w.services[1:] {
		for _, p := range s.pairs[1:] {
			before := p.ofFile
			if p.ofFile = orders[p.name()]; p.own.order != "" || before == p.ofFile {
				continue
			}
			p.inForce()
			if !s.configured || !p.configured {
				continue
			}
			p.ordered()
			p.hand, p.absent = -1, false
			w.keep(s)
		}
	}
}

// maintain adds, changes or removes a maintenance file.
func (s *stage) maintain() {
	var text string
	var until time.Time
	s.with(func() {
		v, p := s.anyPair()
		names := s.services[p.service].fileNames(p)
		name := names[1]
		if s.random.IntN(2) == 0 {
			name = names[s.random.IntN(len(names))]
		}
		if s.dirError != nil {
			return
		}
		_, there := s.files[name]
		remove := there && s.random.IntN(3) > 0
		text = []string{"", "drain\n", "weight 4\n", "weight 50%\nhalf of it\n", "weight 0\n", "weight 0%\n", "drain it\n", "weight 7", "drain"}[s.random.IntN(9)]
		if s.random.IntN(4) == 0 {
			until = time.Now().Truncate(time.Second).Add(time.Duration([]int{-1, 5, 7, 9}[s.random.IntN(4)]) * time.Second)
			text = "until " + until.UTC().Format(time.RFC3339) + "\n"
		}
		if !s.orders && !there {
			remove, text = false, ""
		}
		s.note("maintenance file %s of %s: removed %v, %q", name, virtualName(v.number(s.world)), remove, text)
		s.write(name, text, remove)
	})
	s.sleep(2 * time.Second)
	if s.orders && time.Until(until) > 0 {
		s.passUntil(until)
	}
}

// passUntil lets the time of an until pass: it ends within a second.
func (s *stage) passUntil(until time.Time) {
	var meant []*pair
	s.with(func() {
		for _, v := range s.services[1:] {
			for _, p := range v.pairs[1:] {
				if p.ofFile.order == "disable" {
					meant = append(meant, p)
				}
			}
		}
	})
	s.doubting(time.Until(until)-100*time.Millisecond, meant)
	s.with(s.tell)
}

// write changes a file of the directory.
func (s *stage) write(name, text string, remove bool) {
	path := filepath.Join(s.dir, name)
	before := s.files[name]
	delete(s.files, name)
	var err error
	if remove {
		err = os.Remove(path)
	} else {
		if before != nil {
			before = before.counts()
		}
		s.files[name] = &file{text: text, written: time.Now(), before: before}
		if err = os.WriteFile(path+".new", []byte(text), 0o600); err == nil {
			err = cmp.Or(os.Chtimes(path+".new", time.Now(), time.Now()), os.Rename(path+".new", path))
		}
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// clearFiles removes all files of the directory.
func (s *stage) clearFiles() {
	for name := range maps.Clone(s.files) {
		s.write(name, "", true)
	}
}

// keptFiles are the files that the last process has kept.
func keptFiles(k state.Maintenance) map[string]*file {
	files := map[string]*file{}
	for _, name := range k.Files {
		f := &file{unknown: true}
		if t, ok := k.Texts[name]; ok {
			f = &file{text: t.Text + "\n", written: t.Written}
		}
		files[name] = f
	}
	return files
}

func (s *service) number(w *world) int { return slices.Index(w.services[:], s) }
