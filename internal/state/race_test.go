package state

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestTakeLock has many contenders for a lock, of which each lets go at once: no two
// hold it at the same time.
func TestTakeLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	var inside, both atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 2000 {
				file, err := takeLock(path)
				if errors.Is(err, errLocked) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				if inside.Add(1) > 1 {
					both.Add(1)
				}
				runtime.Gosched()
				inside.Add(-1)
				file.Close()
			}
		})
	}
	all.Wait()
	if n := both.Load(); n > 0 {
		t.Errorf("%d times two held the lock", n)
	}
}

// TestBeatBesideExtend has a reload and a beat at the same time, after the lock was
// removed: neither waits for the other.
func TestBeatBesideExtend(t *testing.T) {
	dir := Dir(t.TempDir())
	c, err := dir.Claim(Record{File: filepath.Join(t.TempDir(), "t.cf")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Release()
	for range 100 {
		if err := os.Remove(c.path(lockEnding)); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		var both sync.WaitGroup
		both.Go(func() {
			if err := c.Beat(); err != nil {
				t.Errorf("Beat: %v", err)
			}
		})
		both.Go(func() {
			if _, err := c.Extend(nil, nil); err != nil {
				t.Errorf("Extend: %v", err)
			}
		})
		both.Wait()
		if took := time.Since(began); took >= startsPatience || t.Failed() {
			t.Fatalf("a beat beside a reload took %v", took)
		}
	}
}

// TestStaleRecord has a record that cannot be written at a reload: the beats write it
// as soon as possible.
func TestStaleRecord(t *testing.T) {
	dir := Dir(t.TempDir())
	c, err := dir.Claim(Record{File: filepath.Join(t.TempDir(), "t.cf")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Release()
	record, aside := c.path(recordEnding), filepath.Join(string(dir), "aside")
	if err := errors.Join(os.Rename(record, aside), os.Mkdir(record, 0o700)); err != nil {
		t.Fatal(err)
	}
	if err := c.Publish([]Service{service("10.0.0.1:80")}); err == nil {
		t.Fatal("a record was written in the place of a directory")
	}
	if err := errors.Join(os.Remove(record), os.Rename(aside, record)); err != nil {
		t.Fatal(err)
	}
	if err := c.Beat(); err != nil {
		t.Fatal(err)
	}
	if living := dir.Living(); len(living) != 1 || len(living[0].Services) != 1 {
		t.Errorf("other daemons read %+v", living)
	}
}
