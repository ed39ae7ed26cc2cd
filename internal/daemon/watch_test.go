package daemon

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ldirectord/ldirectord/conf"
)

// settle lets a watcher look at the file until it has decided about it.
func (w *watcher) settle() sight {
	for range 100 {
		if s := w.look(); s.kind != restless {
			return s
		}
		time.Sleep(restInterval)
	}
	return sight{kind: restless}
}

// reads has w take the file as it is.
func (w *watcher) reads(t *testing.T) {
	t.Helper()
	sources, err := conf.Read(w.path)
	if err != nil {
		t.Fatal(err)
	}
	w.took(sources)
}

func TestWatcher(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.cf")
	put := func(text string) { write(t, path, text) }
	synctest.Test(t, func(t *testing.T) {
		w := &watcher{path: path}
		put("one")
		w.reads(t)
		steps := []struct {
			what string
			do   func()
			want sightKind
		}{
			{"nothing", func() {}, unchanged},
			{"written with the same content", func() { put("one") }, unchanged},
			{"changed", func() { put("two") }, changed},
			{"looked at again", func() {}, unchanged},
			{"removed", func() { os.Remove(path) }, unreadable},
			{"still away", func() {}, unchanged},
			{"there again as it was", func() { put("two") }, unchanged},
			{"removed again", func() { os.Remove(path) }, unreadable},
			{"there again and changed", func() { put("three") }, changed},
			{"changed and read", func() { put("four"); w.reads(t) }, unchanged},
			{"read before it changed", func() { put("four"); w.reads(t); put("five") }, changed},
			{"empty", func() { put("") }, restless},
			{"blank", func() { put(" \n\n") }, restless},
			{"as it was", func() { put("five") }, unchanged},
			{"only a comment", func() { put("# nothing\n") }, changed},
		}
		for _, step := range steps {
			step.do()
			if got := w.settle(); got.kind != step.want {
				t.Errorf("%s: saw %d, want %d", step.what, got.kind, step.want)
			}
		}
	})
}

func TestWatcherRuns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.cf")
	write(t, path, "one")
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		w := &watcher{path: path}
		w.reads(t)
		interval := 10 * time.Second
		news := make(chan sight)
		began := time.Now()
		go w.run(ctx, func() time.Duration { return interval }, news)
		await := func(when string, kind sightKind, at time.Duration) {
			t.Helper()
			if seen := <-news; seen.kind != kind {
				t.Errorf("%s: saw %d, want %d", when, seen.kind, kind)
			}
			if after := time.Since(began); after != at {
				t.Errorf("%s: it was noticed after %v, want %v", when, after, at)
			}
		}
		time.Sleep(15 * time.Second)
		os.Remove(path)
		await("removed", unreadable, 20*time.Second)
		write(t, path, "two")
		await("back and changed", changed, 32*time.Second) // at rest for 2 s since it was seen
		time.Sleep(15 * time.Second)
		write(t, path, "")
		time.Sleep(5 * time.Minute) // it is looked at in the usual rhythm by then
		write(t, path, "three")
		seen := <-news
		if late := time.Since(began) - (347 * time.Second); seen.kind != changed || late > 2*interval+restTime {
			t.Errorf("after an empty file: saw %d after %v", seen.kind, late)
		}
		cancel()
	})
}

// TestWatcherWithoutLeases has a file system that cannot tell who writes: the file has
// to be at rest for longer.
func TestWatcherWithoutLeases(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.cf")
	synctest.Test(t, func(t *testing.T) {
		w := &watcher{path: path, lease: func(*os.File) (func(), error) { return func() {}, os.ErrInvalid }}
		write(t, path, "")
		w.reads(t)
		write(t, path, "one")
		began := time.Now()
		if seen := w.settle(); seen.kind != changed || time.Since(began) != slowRestTime {
			t.Errorf("saw %d after %v, want %d after %v", seen.kind, time.Since(began), changed, slowRestTime)
		}
	})
}

// textOf is the content of a file as it was seen.
func textOf(seen sight, path string) string {
	if seen.sources == nil {
		return ""
	}
	f, _ := seen.sources.File(path)
	return string(f.Text)
}

// writers write a file as programs do. Each is called with what it is to write, and
// pauses as long as it likes.
var writers = map[string]func(t *testing.T, path, text string, pause func(time.Duration)){
	"truncates and writes later": func(t *testing.T, path, text string, pause func(time.Duration)) {
		write(t, path, "")
		pause(time.Minute)
		write(t, path, text)
	},
	"writes line by line": func(t *testing.T, path, text string, pause func(time.Duration)) {
		f := create(t, path)
		defer f.Close()
		for i := 0; i < len(text); i += 7 {
			f.WriteString(text[i:min(i+7, len(text))])
			pause(300 * time.Millisecond)
		}
	},
	"stalls in the middle": func(t *testing.T, path, text string, pause func(time.Duration)) {
		f := create(t, path)
		defer f.Close()
		f.WriteString(text[:len(text)/2])
		pause(10 * time.Minute)
		f.WriteString(text[len(text)/2:])
	},
	"stalls before the first byte": func(t *testing.T, path, text string, pause func(time.Duration)) {
		f := create(t, path)
		defer f.Close()
		pause(10 * time.Minute)
		f.WriteString(text)
	},
	"appends, and closes each time": func(t *testing.T, path, text string, pause func(time.Duration)) {
		write(t, path, "")
		for i := 0; i < len(text); i += 7 {
			f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			f.WriteString(text[i:min(i+7, len(text))])
			f.Close()
			pause(1500 * time.Millisecond)
		}
	},
	"renames": func(t *testing.T, path, text string, pause func(time.Duration)) {
		write(t, path+".new", text[:len(text)/2])
		pause(time.Minute)
		write(t, path+".new", text)
		rename(t, path+".new", path)
	},
	"moves away first": func(t *testing.T, path, text string, pause func(time.Duration)) {
		rename(t, path, path+"~")
		pause(time.Minute)
		write(t, path, text)
	},
	"swaps a symbolic link": func(t *testing.T, path, text string, pause func(time.Duration)) {
		rename(t, path, path+".1")
		symlink(t, path+".1", path)
		pause(time.Minute)
		write(t, path+".2", text)
		symlink(t, path+".2", path+".link")
		rename(t, path+".link", path)
	},
	"writes in place": func(t *testing.T, path, text string, pause func(time.Duration)) {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for i := 0; i < len(text); i += 7 {
			f.WriteAt([]byte(text[i:min(i+7, len(text))]), int64(i))
			pause(5 * time.Second)
		}
		f.Truncate(int64(len(text)))
	},
}

func create(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func symlink(t *testing.T, to, path string) {
	t.Helper()
	if err := os.Symlink(to, path); err != nil {
		t.Fatal(err)
	}
}

// TestHalfWritten has a file written in each of the ways that programs write files, the
// configuration itself or one that it includes: the only content that is ever taken is
// the whole one.
func TestHalfWritten(t *testing.T) {
	for name, writer := range writers {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "t.cf")
			halfWritten(t, path, path, writer)
		})
		t.Run(name+", an included file", func(t *testing.T) {
			dir := t.TempDir()
			path, part := filepath.Join(dir, "t.cf"), filepath.Join(dir, "part.cf")
			write(t, path, "include = part.cf\n")
			halfWritten(t, path, part, writer)
		})
	}
}

func halfWritten(t *testing.T, path, part string, writer func(*testing.T, string, string, func(time.Duration))) {
	const before, after = "checkinterval=1\nautoreload=yes\nvirtual=10.0.0.1:80\n    real=10.1.0.1:80 masq\n",
		"checkinterval=1\nautoreload=yes\nvirtual=10.0.0.1:80\n    real=10.1.0.1:80 masq\n    real=10.1.0.2:80 masq\n"
	write(t, part, before)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		w := &watcher{path: path}
		w.reads(t)
		news := make(chan sight)
		go w.run(ctx, func() time.Duration { return time.Second }, news)
		go func() { writer(t, part, after, time.Sleep) }()
		seen := <-news
		if seen.kind == unreadable {
			if !slices.Equal(seen.files, []string{part}) {
				t.Errorf("%q is unreadable, want %s", seen.files, part)
			}
			seen = <-news
		}
		if got := textOf(seen, part); seen.kind != changed || got != after || !slices.Equal(seen.files, []string{part}) {
			t.Errorf("saw %d of %q with the content %q", seen.kind, seen.files, got)
		}
		select {
		case seen := <-news:
			t.Errorf("saw %d once more, with the content %q", seen.kind, textOf(seen, part))
		case <-time.After(time.Minute):
		}
		cancel()
	})
}
