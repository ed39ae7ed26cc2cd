package checks

import (
	"cmp"
	"iter"
	"slices"
	"sync"
)

// An Inbox is what the checks have found out and the director has not read
// yet. Put never waits: a check must not be late because of
// what another one's result takes to be acted upon. It may hold several results of
// one check, if it was made again before the director read them.
type Inbox struct {
	Bell chan struct{} // rings when there is something

	mu    sync.Mutex
	List  []Result
	spare []Result // for use again

	arrivals []arrival // for use again; the director's goroutine alone knows it
}

// NewInbox returns an empty inbox.
func NewInbox() *Inbox { return &Inbox{Bell: make(chan struct{}, 1)} }

// Put puts a result in. The bell is left alone: results come in crowds.
func (b *Inbox) Put(res Result) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.List = append(b.List, res)
}

// ring rings the bell if there is something.
func (b *Inbox) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.List) == 0 {
		return
	}
	select {
	case b.Bell <- struct{}{}:
	default: // it rings already
	}
}

// take takes all results out. Its value is valid until the next call.
func (b *Inbox) take() []Result {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.spare)
	if cap(b.spare) > mostSpare {
		b.spare = nil
	}
	taken := b.List
	b.List, b.spare = b.spare[:0], taken
	return taken
}

// mostSpare bounds the memory kept for reuse after a mass failure.
const mostSpare = 1024

// InOrder takes all out, in the order of the file: each at the place of the first real
// server that it is for, and those of one check as they came. It is for the director's goroutine alone, and
// its values are valid until the next call.
func (b *Inbox) InOrder() iter.Seq[*Result] {
	return func(yield func(*Result) bool) {
		list := b.take()
		arrivals := b.arrivals[:0]
		for i := range list {
			arrivals = append(arrivals, arrival{list[i].Check.Place(), i})
		}
		slices.SortFunc(arrivals, func(a, b arrival) int {
			return cmp.Or(cmp.Compare(a.place, b.place), cmp.Compare(a.index, b.index))
		})
		b.arrivals = nil
		if cap(arrivals) <= mostSpare {
			b.arrivals = arrivals
		}
		for _, a := range arrivals {
			if !yield(&list[a.index]) {
				return
			}
		}
	}
}

// An arrival is the place and the index of a result.
type arrival struct {
	place uint64 // of its check, in the file
	index int
}
