package daemon

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

func TestWatcher(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.cf")
	clock := time.Now().Add(-time.Hour)
	put := func(text string) { // at a time of its own
		write(t, path, text)
		clock = clock.Add(time.Second)
		if err := os.Chtimes(path, clock, clock); err != nil {
			t.Fatal(err)
		}
	}
	w := &watcher{path: path}
	put("one")
	w.stamp()
	steps := []struct {
		what string
		do   func()
		want sight
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
		{"changed and read", func() { put("four"); w.stamp() }, unchanged},
	}
	for _, step := range steps {
		step.do()
		if got := w.look(); got != step.want {
			t.Errorf("%s: saw %d, want %d", step.what, got, step.want)
		}
	}
}

func TestWatcherRuns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.cf")
	write(t, path, "one")
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		w := &watcher{path: path}
		w.stamp()
		interval := 10 * time.Second
		news := make(chan sight)
		began := time.Now()
		go w.run(ctx, func() time.Duration { return interval }, news)
		time.Sleep(15 * time.Second)
		os.Remove(path)
		if seen := <-news; seen != unreadable {
			t.Errorf("saw %d, want %d", seen, unreadable)
		}
		if after := time.Since(began); after != 20*time.Second {
			t.Errorf("it was noticed after %v, want 20s", after)
		}
		cancel()
	})
}
