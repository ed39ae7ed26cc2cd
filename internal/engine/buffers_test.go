package engine

import (
	"bytes"
	"testing"
)

// fill puts text into b as reads of at most step bytes would.
func fill(t *testing.T, b *inbox, text []byte, step int) {
	t.Helper()
	for len(text) > 0 {
		room := b.room()
		if len(room) == 0 {
			t.Fatalf("no room after %d bytes", len(b.data))
		}
		n := copy(room[:min(step, len(room))], text)
		if got := b.add(n); !bytes.Equal(got, text[:n]) {
			t.Fatalf("add returned %q, want %q", got, text[:n])
		}
		text = text[n:]
	}
}

func TestInbox(t *testing.T) {
	b := inbox{pool: &streamBuffers}
	all := make([]byte, mostUnread)
	for i := range all {
		all[i] = byte(i * i >> 8)
	}
	for _, step := range []int{1, 1000, usual, mostUnread} {
		text := all
		if step == 1 {
			text = all[:3*usual]
		}
		fill(t, &b, text, step)
		b.consume(usual)
		if !bytes.Equal(b.data, text[usual:]) {
			t.Fatalf("reads of %d: what is left after consuming differs from what was received", step)
		}
		b.consume(0)
		b.consume(len(text) - usual)
		if b.data != nil || b.buffer != nil {
			t.Errorf("reads of %d: keeps a buffer with nothing in it", step)
		}
	}
	fill(t, &b, all, usual)
	if n := len(b.room()); n != 0 {
		t.Errorf("room for %d more bytes, want it to be full at %d", n, mostUnread)
	}
	b.release()
	b.room()
	if b.add(0); b.buffer != nil {
		t.Error("keeps a buffer after a read of nothing")
	}
}

func TestExcerpt(t *testing.T) {
	var e excerpt
	if got := e.take(); got != nil {
		t.Errorf("of nothing: %q, want nil", got)
	}
	text := bytes.Repeat([]byte("0123456789"), 100)
	for _, chunk := range [][]byte{nil, text[:7], text[7:500], text[500:]} {
		e.add(chunk)
	}
	got := e.take()
	if !bytes.Equal(got, text[:excerptSize]) {
		t.Errorf("kept %q, want the first %d bytes", got, excerptSize)
	}
	e.release()
	e.add([]byte("other"))
	if !bytes.Equal(got, text[:excerptSize]) {
		t.Error("what was taken changed when the buffer was used again")
	}
	e.release()
}
