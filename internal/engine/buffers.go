package engine

import (
	"slices"
	"sync"
)

const (
	// usual is the size of a buffer that nearly every answer fits in.
	usual = 4 << 10
	// mostUnread is how much may be received that the Dialogue leaves
	// unconsumed: a body of 1 MiB and its headers.
	mostUnread = 1<<20 + 64<<10
	// datagram is the longest that UDP can carry.
	datagram = 64 << 10
)

var (
	streamBuffers   = sync.Pool{New: func() any { return newBuffer(usual) }}
	datagramBuffers = sync.Pool{New: func() any { return newBuffer(datagram) }}
)

func newBuffer(size int) *[]byte {
	b := make([]byte, size)
	return &b
}

// An inbox holds received bytes that are not consumed yet. It has a buffer only
// while it is in use, so that waiting for a silent server needs none.
type inbox struct {
	pool   *sync.Pool // of *[]byte
	buffer *[]byte    // of the pool, nil when data has an array of its own or none
	data   []byte     // the unread bytes, from the beginning of its array
}

// room returns the space for the next read. It is empty when the inbox is full.
func (b *inbox) room() []byte {
	switch {
	case b.data == nil:
		b.buffer = b.pool.Get().(*[]byte)
		b.data = (*b.buffer)[:0]
	case len(b.data) == cap(b.data):
		bigger := make([]byte, len(b.data), min(2*cap(b.data), mostUnread))
		copy(bigger, b.data)
		b.release()
		b.data = bigger
	}
	return b.data[len(b.data):cap(b.data)]
}

// add notes that n bytes were put into room, and returns them.
func (b *inbox) add(n int) []byte {
	before := len(b.data)
	b.data = b.data[:before+n]
	if len(b.data) == 0 {
		b.release()
		return nil
	}
	return b.data[before:]
}

// consume forgets the first n bytes.
func (b *inbox) consume(n int) {
	b.data = b.data[:copy(b.data, b.data[n:])]
	if len(b.data) == 0 {
		b.release()
	}
}

// release forgets everything and gives the buffer back.
func (b *inbox) release() {
	if b.buffer != nil {
		b.pool.Put(b.buffer)
	}
	b.buffer, b.data = nil, nil
}

// An outbox holds bytes that could not be sent yet.
type outbox struct {
	data []byte // never written to: it is the Dialogue's
	end  bool   // after data close the sending side
}

// add appends data, and the end of the sending side if end is true.
func (b *outbox) add(data []byte, end bool) {
	if len(b.data) > 0 {
		data = slices.Concat(b.data, data)
	}
	b.data, b.end = data, b.end || end
}
