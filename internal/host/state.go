package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// A state is the steps made on this host and not yet reverted, in their order.
type state struct {
	Done []*done `json:"done"`

	byText map[string]*done // Done by the text of its step, when it has as many
}

// A done is a step that was done, or was about to be when something interrupted.
type done struct {
	Step Step
	Was  string   // the state before the first owner's step
	For  []string // owners; the last one to leave takes it back
}

// find returns the record of a step, nil if it was not made here.
func (s *state) find(step Step) *done {
	if len(s.byText) != len(s.Done) {
		s.byText = make(map[string]*done, len(s.Done))
		for _, d := range s.Done {
			s.byText[d.Step.String()] = d
		}
	}
	return s.byText[step.String()]
}

// note records that a step will be made for owner, and reports whether that changes the state.
// What exists without us is not recorded.
func (s *state) note(owner string, step Step, found sight) bool {
	d := s.find(step)
	if _, ok := step.(unowned); ok || found.done && d == nil {
		return false
	}
	if d == nil {
		d = s.add(step, found.was)
	}
	return d.want(owner)
}

func (s *state) add(step Step, was string) *done {
	d := &done{Step: step, Was: was}
	s.Done = append(s.Done, d)
	if s.byText != nil {
		s.byText[step.String()] = d
	}
	return d
}

// want adds an owner, and reports whether it is a new one.
func (d *done) want(owner string) bool {
	if slices.Contains(d.For, owner) {
		return false
	}
	d.For = append(d.For, owner)
	return true
}

// leave takes an owner from a step, and the step away with its last one.
func (s *state) leave(d *done, owner string) {
	d.For = slices.DeleteFunc(d.For, func(o string) bool { return o == owner })
	if len(d.For) == 0 {
		s.Done = slices.DeleteFunc(s.Done, func(other *done) bool { return other == d })
		delete(s.byText, d.Step.String())
	}
}

func (s *state) owners() []string {
	var all []string
	for _, d := range s.Done {
		all = append(all, d.For...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// stateFile is where the state of this network namespace is. That of the first
// process is the usual one, and has the plain name.
func stateFile(dir string) string {
	name := "host.json"
	var own, first unix.Stat_t
	if unix.Stat("/proc/thread-self/ns/net", &own) == nil && unix.Stat("/proc/1/ns/net", &first) == nil && own.Ino != first.Ino {
		name = fmt.Sprintf("host-%d.json", own.Ino)
	}
	return filepath.Join(dir, name)
}

func readState(file string) (*state, error) {
	s := &state{}
	text, err := readOwn(file)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, s); err != nil {
		return nil, fmt.Errorf("%s, which says what was set up, cannot be understood: %w", file, err)
	}
	return s, nil
}

// readOwn reads a file that belongs to root or to this user. The directory may be
// that of a daemon that runs as a normal user, and root executes the file's
// contents.
func readOwn(file string) ([]byte, error) {
	f, err := os.OpenFile(file, os.O_RDONLY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var stat unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &stat); err != nil {
		return nil, err
	}
	if stat.Uid != 0 && int(stat.Uid) != os.Geteuid() {
		return nil, fmt.Errorf("%s, which says what was set up, belongs to user %d and is not trusted: take back by hand what it names, and remove it", file, stat.Uid)
	}
	return io.ReadAll(f)
}

// write replaces the file in one step, so that it is always complete. An empty
// state removes the file.
func (s *state) write(file string) error {
	if len(s.Done) == 0 {
		if err := os.Remove(file); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	text, err := json.MarshalIndent(s, "", "\t")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*") // follows no link
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// lockPatience is between two tries to get the lock.
const lockPatience = 50 * time.Millisecond

// lockState waits until no other process works on the host.
func lockState(ctx context.Context, file string) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(file+".lock", os.O_CREATE|os.O_RDWR|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			f.Close()
			return nil, fmt.Errorf("locking %s: %w", f.Name(), err)
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, fmt.Errorf("another process is working on this host: %w", ctx.Err())
		case <-time.After(lockPatience):
		}
	}
}
