package checker

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/ldirectord/ldirectord/internal/safetext"
)

// maxChunkLine limits the length of the line before a chunk.
const maxChunkLine = 1024

// chunks reads an HTTP/1.1 body in chunks. It does not wait for trailers.
type chunks struct {
	left   int  // bytes of this chunk still to come
	behind bool // the line end behind a chunk is missing
}

// read takes all that it can from in and appends it to body until body has limit
// bytes. over means that the body is complete or has reached limit.
func (c *chunks) read(in []byte, body *[]byte, limit int) (consumed int, over bool, err error) {
	for {
		if c.left > 0 {
			n := min(c.left, len(in)-consumed, limit-len(*body))
			*body = append(*body, in[consumed:consumed+n]...)
			consumed += n
			c.left -= n
			if len(*body) == limit {
				return consumed, true, nil
			}
			if c.left > 0 {
				return consumed, false, nil
			}
			c.behind = true
		}
		line, _, whole := bytes.Cut(in[consumed:], newline)
		if len(line) > maxChunkLine {
			return consumed, false, fmt.Errorf("no chunk: %s", safetext.Excerpt(line))
		}
		if !whole {
			return consumed, false, nil
		}
		consumed += len(line) + 1
		last, err := c.begin(bytes.TrimRight(line, "\r"))
		if err != nil || last {
			return consumed, last, err
		}
	}
}

// begin reads the line behind a chunk or the one before it. The chunk of no
// bytes is the last.
func (c *chunks) begin(line []byte) (last bool, err error) {
	if c.behind {
		c.behind = false
		if len(line) > 0 {
			return false, fmt.Errorf("a chunk does not end where it should: %s", safetext.Excerpt(line))
		}
		return false, nil
	}
	size, _, _ := bytes.Cut(line, []byte(";"))
	n, err := strconv.ParseUint(string(bytes.TrimSpace(size)), 16, 62)
	if err != nil {
		return false, fmt.Errorf("no chunk: %s", safetext.Excerpt(line))
	}
	c.left = int(n)
	return n == 0, nil
}
