package director

import "sync"

// An inbox is what the checks have found out and the director has not heard
// yet. Who puts something in never waits: a check must not be late because of
// what another one's result takes to be acted upon. It holds one result of each
// check at most, for a check is asked again when its last asking is over.
type inbox struct {
	bell chan struct{} // rings when there is something

	mu    sync.Mutex
	list  []result
	spare []result // for use again
}

func newInbox() *inbox { return &inbox{bell: make(chan struct{}, 1)} }

// put puts a result in. The bell is left alone: results come in crowds.
func (b *inbox) put(res result) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.list = append(b.list, res)
}

// ring rings the bell if there is something.
func (b *inbox) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.list) == 0 {
		return
	}
	select {
	case b.bell <- struct{}{}:
	default: // it rings already
	}
}

// take takes all out. What it returns is good until it is called again.
func (b *inbox) take() []result {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.spare)
	if cap(b.spare) > mostSpare {
		b.spare = nil
	}
	taken := b.list
	b.list, b.spare = b.spare[:0], taken
	return taken
}

// mostSpare bounds what is kept of the memory that a mass failure took.
const mostSpare = 4096
