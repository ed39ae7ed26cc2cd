package engine

import (
	"bytes"
	"sync"
)

// excerptSize is how much is kept of each direction.
const excerptSize = 512

var excerptBuffers = sync.Pool{New: func() any { return new([excerptSize]byte) }}

// excerpts are the first bytes of both directions of an attempt: whether they are
// needed is only known at its end.
type excerpts struct{ sent, received excerpt }

// take returns copies of the contents.
func (e *excerpts) take() (sent, received []byte) { return e.sent.take(), e.received.take() }

// release drops the contents and returns the buffers.
func (e *excerpts) release() {
	e.sent.release()
	e.received.release()
}

// An excerpt keeps the first bytes of one direction.
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

// release drops the contents and returns the buffer.
func (e *excerpt) release() {
	if e.buffer != nil {
		excerptBuffers.Put(e.buffer)
	}
	*e = excerpt{}
}
