package engine

import (
	"bytes"
	"sync"
)

// excerptSize is how much of each direction of a conversation is kept.
const excerptSize = 512

var excerptBuffers = sync.Pool{New: func() any { return new([excerptSize]byte) }}

// An excerpt keeps the first bytes that pass in one direction: whether they
// will be of interest is only known at the end.
type excerpt struct {
	buffer *[excerptSize]byte
	n      int
}

// add appends as much of b as fits.
func (e *excerpt) add(b []byte) {
	if len(b) == 0 || e.n == excerptSize {
		return
	}
	if e.buffer == nil {
		e.buffer = excerptBuffers.Get().(*[excerptSize]byte)
	}
	e.n += copy(e.buffer[e.n:], b)
}

// take returns a copy of the contents.
func (e *excerpt) take() []byte {
	if e.buffer == nil {
		return nil
	}
	return bytes.Clone(e.buffer[:e.n])
}

// release forgets everything and gives the buffer back.
func (e *excerpt) release() {
	if e.buffer != nil {
		excerptBuffers.Put(e.buffer)
	}
	*e = excerpt{}
}
