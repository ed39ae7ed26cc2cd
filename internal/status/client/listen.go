package client

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// silence is how long a stream may be silent: the daemon sends a comment every 15 s.
const silence = 45 * time.Second

// Listen calls heard when the daemon begins to report its events, and at each of them, until
// the daemon ends, is silent for 45 s or ctx is done. History has the events. The error is
// never nil.
func (c *Client) Listen(ctx context.Context, heard func()) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	body, err := c.do(ctx, http.MethodGet, "events", nil)
	if err != nil {
		return err
	}
	defer body.Close()
	return listen(body, cancel, heard)
}

// listen reads a stream of server-sent events. It calls end, which makes reading fail, when
// the stream is silent.
func listen(stream io.Reader, end, heard func()) error {
	watch := time.AfterFunc(silence, end)
	defer watch.Stop()
	heard()
	for lines := bufio.NewReader(stream); ; {
		line, err := lines.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
		watch.Reset(silence)
		if bytes.HasPrefix(line, []byte("event:")) {
			heard()
		}
	}
}
