package checker

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/ldirectord/ldirectord/internal/safetext"
)

// maxHead limits the length of an answer's head, including the 1xx heads before it.
const maxHead = 64 << 10

// An httpDialogue is one request by HTTP/1.0 or 1.1 and its answer.
type httpDialogue struct {
	h     *HTTP
	next  func(d *httpDialogue, in []byte, eof bool) Step // reads the next part of the answer; nil before the request
	room  *[]byte                                         // the pooled buffer of the request, nil if it has none
	heads int32                                           // bytes of 1xx heads
	seen  int32                                           // bytes of in that were searched for the end of the head

	head   httpHead
	length int    // of the body, -1 means until the connection closes
	body   []byte // the part of the body received so far
	chunks chunks
}

// Next implements Dialogue.
func (d *httpDialogue) Next(in []byte, eof bool) Step {
	if d.next != nil {
		return d.next(d, in, eof)
	}
	if d.h.own != nil && d.h.own.tunnel != nil {
		d.next = (*httpDialogue).tunnelled
		return Step{Send: d.h.own.tunnel}
	}
	return d.send()
}

// send sends the request.
func (d *httpDialogue) send() Step {
	d.next = (*httpDialogue).sent
	if d.h.own == nil && d.h.after != nil {
		d.room = rooms.Get().(*[]byte)
		*d.room = d.h.request(*d.room)
		return Step{Send: *d.room}
	}
	return Step{Send: d.h.request(nil)}
}

// sent begins to read the answer.
func (d *httpDialogue) sent(in []byte, eof bool) Step {
	if d.room != nil {
		rooms.Put(d.room)
		d.room = nil
	}
	d.next = (*httpDialogue).headed
	return d.headed(in, eof)
}

// tunnelled reads a proxy's answer to CONNECT. The TLS handshake and the request
// follow.
func (d *httpDialogue) tunnelled(in []byte, eof bool) Step {
	head, err := d.readHead(in, eof)
	switch {
	case err != nil:
		return d.h.fail("", err)
	case head == nil:
		return Step{}
	}
	if answer := readAnswer(head); answer.status/100 != 2 {
		return d.h.fail(answer.line, fmt.Errorf("the proxy answers %s", answer.line))
	}
	if len(head) < len(in) {
		return d.h.fail("", fmt.Errorf("the proxy goes on talking: %s", safetext.Excerpt(in[len(head):])))
	}
	d.heads, d.seen = 0, 0
	d.next = func(d *httpDialogue, _ []byte, _ bool) Step { return d.send() }
	return Step{Consumed: len(in), StartTLS: d.h.own.tls}
}

// headed reads the head of the answer.
func (d *httpDialogue) headed(in []byte, eof bool) Step {
	consumed := 0
	for {
		head, err := d.readHead(in[consumed:], eof)
		switch {
		case err != nil:
			return d.h.fail("", err)
		case head == nil:
			return Step{Consumed: consumed}
		}
		consumed += len(head)
		// 100 Continue and the other 1xx precede the answer.
		if d.head = readAnswer(head); d.head.status/100 != 1 || d.head.status == 101 {
			return d.begun(head, in, consumed, eof)
		}
		d.heads += int32(len(head))
		d.seen = 0
	}
}

// begun decides by the head, or reads on. in holds all received bytes, of which the
// head is the first consumed.
func (d *httpDialogue) begun(head, in []byte, consumed int, eof bool) Step {
	fields := readFields(head)
	if d.head.isRedirect() {
		d.head.location = string(fields.location)
	}
	if step := d.h.verdictOfHead(d.head); step.Done || step.Follow != nil {
		return step
	}
	if !d.h.hasBody(d.head) {
		return d.h.verdictOfBody(d.head, nil)
	}
	d.length = fields.length
	d.next = (*httpDialogue).bodied
	if fields.chunked {
		d.next = (*httpDialogue).chunked
	}
	step := d.next(d, in[consumed:], eof)
	step.Consumed += consumed
	return step
}

// bodied reads a body of known length, or until the connection closes. A body that
// arrives in one piece is matched without a copy.
func (d *httpDialogue) bodied(in []byte, eof bool) Step {
	want := d.h.Limit
	if d.length >= 0 {
		want = min(d.length, d.h.Limit)
	}
	if len(d.body) == 0 && len(in) >= want {
		return d.h.verdictOfBody(d.head, in[:want])
	}
	d.body = append(d.body, in[:min(len(in), want-len(d.body))]...)
	switch {
	case len(d.body) == want, eof && d.length < 0:
		return d.h.verdictOfBody(d.head, d.body)
	case eof:
		return d.h.fail(d.head.line, fmt.Errorf("closed the connection after %d of %d bytes of the body", len(d.body), d.length))
	}
	return Step{Consumed: len(in)}
}

// chunked reads a body in chunks.
func (d *httpDialogue) chunked(in []byte, eof bool) Step {
	consumed, over, err := d.chunks.read(in, &d.body, d.h.Limit)
	switch {
	case err != nil:
		return d.h.fail(d.head.line, err)
	case over:
		return d.h.verdictOfBody(d.head, d.body)
	case eof:
		return d.h.fail(d.head.line, errors.New("closed the connection in the middle of a chunk"))
	}
	return Step{Consumed: consumed}
}

// readHead returns the head at the beginning of in, up to its empty line, nil if it
// is incomplete.
func (d *httpDialogue) readHead(in []byte, eof bool) ([]byte, error) {
	line, _, whole := bytes.Cut(in[:min(len(in), maxHead)], newline)
	if (whole || eof || len(in) >= maxHead) && !isStatusLine(line) {
		if len(in) == 0 {
			return nil, errors.New("closed the connection without an answer")
		}
		return nil, fmt.Errorf("no http answer: %s", safetext.Excerpt(line))
	}
	end := headEnd(in, int(d.seen))
	length := end
	if end == 0 {
		length = len(in)
	}
	switch {
	case int(d.heads)+length > maxHead:
		return nil, fmt.Errorf("the head of the answer is longer than %d KiB", maxHead>>10)
	case end > 0:
		return in[:end], nil
	case eof:
		return nil, errors.New("closed the connection in the head of the answer")
	}
	// The empty line may be received in part.
	d.seen = int32(max(0, len(in)-2))
	return nil, nil
}

var newline = []byte{'\n'}
