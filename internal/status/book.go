package status

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/state"
)

// A book is the file of the overrides, which outlive the daemon. It is replaced as a whole:
// if the daemon is killed, the file is the old one or the new one.
type book struct {
	path    string                   // "" keeps nothing
	inForce func() []report.Override // at the moment

	turn chan struct{} // has one entry while the file is written, or an order is given whose result will be

	mu      sync.Mutex
	unsaved error // why the last write failed; nil if it did not
}

func newBook(path string, inForce func() []report.Override) *book {
	return &book{path: path, inForce: inForce, turn: make(chan struct{}, 1)}
}

// A CopyError is the error of an unreadable file whose copy counts.
type CopyError struct {
	Copy string // its path
	Err  error  // of the file
}

func (e *CopyError) Error() string { return fmt.Sprintf("%v: its copy %s counts", e.Err, e.Copy) }

// Unwrap returns the error of the file.
func (e *CopyError) Unwrap() error { return e.Err }

// ReadOverrides returns the overrides of a file, none if there is no file. It omits those
// that this program cannot have written; bad has the reasons, first a *CopyError if there
// is one. It fails if neither the file nor its copy can be read: the orders in force are
// then unknown.
func ReadOverrides(path string) (list []report.Override, bad []error, err error) {
	list, bad, err = state.Entries(path, report.Override.Check)
	if err != nil {
		if _, missing := os.Stat(state.CopyOf(path)); missing != nil {
			return nil, nil, err
		}
		unread := &CopyError{Copy: state.CopyOf(path), Err: err}
		var copyErr error
		if list, bad, copyErr = state.Entries(state.CopyOf(path), report.Override.Check); copyErr != nil {
			return nil, nil, errors.Join(err, copyErr)
		}
		bad, err = append([]error{unread}, bad...), nil
	}
	seen := map[[2]string]bool{}
	for i := 0; i < len(list); i++ {
		key := [2]string{list[i].Virtual, list[i].Real}
		if seen[key] {
			bad = append(bad, errors.New(key[1]+" of "+key[0]+" has several entries: the first counts"))
			list = append(list[:i], list[i+1:]...)
			i--
		}
		seen[key] = true
	}
	return list, bad, err
}

// errWriting is why it is not known whether a book could be written.
var errWriting = errors.New("the file system does not answer; the daemon goes on trying")

// writeTime is how long the answer to an order waits for the file.
const writeTime = time.Second

// write obeys and writes down the overrides then in force, whatever becomes of ctx meanwhile.
// unsaved is why it is not written, or not yet after writeTime. obey is not called if
// ctx is done before its turn comes.
func (b *book) write(ctx context.Context, obey func() error) (unsaved, err error) {
	select {
	case b.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := obey(); err != nil || b.path == "" {
		<-b.turn
		return nil, err
	}
	written := make(chan error, 1)
	go func() {
		written <- b.replace()
		<-b.turn
	}()
	select {
	case unsaved = <-written:
		return unsaved, nil
	case <-time.After(writeTime):
		return errWriting, nil
	}
}

// replace writes the file. It is called by one goroutine at a time.
func (b *book) replace() error {
	text, err := json.MarshalIndent(b.inForce(), "", "  ")
	if err == nil {
		err = state.WriteTwice(b.path, append(text, '\n'))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.unsaved = err
	return err
}

// save writes down the overrides in force now.
func (b *book) save() (unsaved error) {
	unsaved, _ = b.write(context.Background(), func() error { return nil })
	return unsaved
}

// fault is the fault of the file, after it was tried again.
func (b *book) fault() []report.Fault {
	b.mu.Lock()
	unsaved := b.unsaved
	b.mu.Unlock()
	if unsaved == nil {
		return nil
	}
	if unsaved = b.save(); unsaved == nil {
		return nil
	}
	return []report.Fault{{What: "the orders in force cannot be kept for a restart", Error: unsaved.Error()}}
}

// saveTime bounds the wait for the file at the end of a daemon.
const saveTime = 2 * time.Second

// A saver writes the book in a goroutine of its own.
type saver struct {
	wanted chan struct{}
	done   chan struct{}
	end    sync.Once
}

func newSaver(b *book) *saver {
	s := &saver{wanted: make(chan struct{}, 1), done: make(chan struct{})}
	go func() {
		defer close(s.done)
		for range s.wanted {
			_ = b.save() // the book keeps the error, and Mend tries again
		}
	}()
	return s
}

// want requests a write; it does not block.
func (s *saver) want() {
	select {
	case s.wanted <- struct{}{}:
	default:
	}
}

// close waits for a requested write, up to saveTime. No want may follow.
func (s *saver) close() {
	s.end.Do(func() { close(s.wanted) })
	select {
	case <-s.done:
	case <-time.After(saveTime):
	}
}
