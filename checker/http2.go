package checker

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/ldirectord/ldirectord/internal/safetext"
)

const (
	// http2Window is the receive window: larger than any answer that a check reads,
	// so that it never needs an update.
	http2Window = 1 << 30
	// maxHTTP2Extra limits the bytes that a server may send besides the body.
	maxHTTP2Extra = 256 << 10
	// http2Head is the length of a frame's header, and maxFrame the largest payload
	// unless the settings allow more.
	http2Head = 9
	maxFrame  = 16 << 10
	// http2Stream is the one request on the connection.
	http2Stream = 1
)

// http2Request is the client's side of a connection with one request on it: the
// preface, the settings, the fields and the body, which may be nil.
func http2Request(fields [][2]string, body []byte) []byte {
	var out, block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, field := range fields {
		// Writing to a Buffer does not fail, here and below.
		_ = encoder.WriteField(hpack.HeaderField{Name: strings.ToLower(field[0]), Value: field[1]})
	}
	out.WriteString(http2.ClientPreface)
	framer := http2.NewFramer(&out, nil)
	_ = framer.WriteSettings(
		http2.Setting{ID: http2.SettingEnablePush, Val: 0},
		http2.Setting{ID: http2.SettingInitialWindowSize, Val: http2Window})
	_ = framer.WriteWindowUpdate(0, http2Window)
	fragment := block.Next(maxFrame)
	_ = framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: http2Stream, BlockFragment: fragment, EndHeaders: block.Len() == 0, EndStream: body == nil,
	})
	for block.Len() > 0 {
		fragment := block.Next(maxFrame)
		_ = framer.WriteContinuation(http2Stream, block.Len() == 0, fragment)
	}
	if body != nil {
		_ = framer.WriteData(http2Stream, true, body)
	}
	return out.Bytes()
}

// An http2Answer parses an HTTP/2 connection with one request on it, frame by
// frame, without I/O.
type http2Answer struct {
	limit int // of the body

	fields map[string]string // of the answer and its trailers, ":status" too
	body   []byte
	over   bool // the answer is complete, or cut at the limit

	reply  bytes.Buffer // bytes to be sent
	frame  bytes.Reader // the input of framer
	framer *http2.Framer
	hpack  *hpack.Decoder
	seen   int  // bytes of all frames
	ended  bool // no body follows the fields being read
}

func newHTTP2Answer(limit int) *http2Answer {
	a := &http2Answer{limit: limit, fields: map[string]string{}}
	a.framer = http2.NewFramer(&a.reply, &a.frame)
	a.framer.SetMaxReadFrameSize(maxFrame)
	a.hpack = hpack.NewDecoder(4096, func(f hpack.HeaderField) { a.fields[f.Name] = f.Value })
	a.hpack.SetMaxStringLength(maxHead)
	return a
}

// read takes the whole frames from in. The Step has their length and the reply to
// send.
func (a *http2Answer) read(in []byte, eof bool) (Step, error) {
	consumed := 0
	for !a.over {
		rest := in[consumed:]
		if len(rest) < http2Head {
			break
		}
		if a.seen == 0 && rest[3] != byte(http2.FrameSettings) {
			return Step{}, fmt.Errorf("no http/2: %s", safetext.Excerpt(rest[:http2Head]))
		}
		size := http2Head + int(rest[0])<<16 + int(rest[1])<<8 + int(rest[2])
		if size > http2Head+maxFrame {
			return Step{}, fmt.Errorf("a frame of %d bytes", size-http2Head)
		}
		if len(rest) < size {
			break
		}
		if err := a.readFrame(rest[:size]); err != nil {
			return Step{}, err
		}
		consumed += size
	}
	step := Step{Consumed: consumed, Send: bytes.Clone(a.reply.Bytes())}
	a.reply.Reset()
	if eof && !a.over {
		return step, errors.New("closed the connection before the end of the answer")
	}
	return step, nil
}

// readFrame reads one whole frame.
func (a *http2Answer) readFrame(whole []byte) error {
	if a.seen += len(whole); a.seen > a.limit+maxHTTP2Extra {
		return errors.New("too much besides the body")
	}
	a.frame.Reset(whole)
	frame, err := a.framer.ReadFrame()
	if err != nil {
		return fmt.Errorf("no http/2: %w", err)
	}
	if stream := frame.Header().StreamID; stream != 0 && stream != http2Stream {
		return fmt.Errorf("a frame for request %d, which was not made", stream)
	}
	switch f := frame.(type) {
	case *http2.SettingsFrame:
		if !f.IsAck() {
			return a.framer.WriteSettingsAck()
		}
	case *http2.PingFrame:
		if !f.IsAck() {
			return a.framer.WritePing(true, f.Data)
		}
	case *http2.HeadersFrame:
		a.ended = f.StreamEnded()
		return a.readBlock(f.HeaderBlockFragment(), f.HeadersEnded())
	case *http2.ContinuationFrame:
		return a.readBlock(f.HeaderBlockFragment(), f.HeadersEnded())
	case *http2.DataFrame:
		data := f.Data()
		a.body = append(a.body, data[:min(len(data), a.limit-len(a.body))]...)
		a.over = f.StreamEnded() || len(a.body) == a.limit
	case *http2.RSTStreamFrame:
		return fmt.Errorf("the request was refused: %v", f.ErrCode)
	case *http2.GoAwayFrame:
		// GOAWAY without an error may still answer our request, if its last stream
		// id includes it.
		if f.ErrCode != http2.ErrCodeNo || f.LastStreamID < http2Stream {
			return fmt.Errorf("the connection was refused: %v", f.ErrCode)
		}
	}
	return nil
}

// readBlock reads the fields of the answer, or the trailers.
func (a *http2Answer) readBlock(fragment []byte, whole bool) error {
	if _, err := a.hpack.Write(fragment); err != nil {
		return fmt.Errorf("no http/2: %w", err)
	}
	if !whole {
		return nil
	}
	if err := a.hpack.Close(); err != nil {
		return fmt.Errorf("no http/2: %w", err)
	}
	switch status := a.status(); {
	case status == 0:
		return errors.New("no http/2: an answer without a status")
	case status/100 == 1: // 100 Continue and the other 1xx precede the answer
		clear(a.fields)
	default:
		a.over = a.ended
	}
	return nil
}

// status is the status of the answer, 0 before its head.
func (a *http2Answer) status() int {
	status, err := strconv.ParseUint(a.fields[":status"], 10, 10)
	if err != nil {
		return 0
	}
	return int(status)
}

// head is the answer in the form that an HTTP check judges. The status line has a
// reason, which HTTP/2 does not send.
func (a *http2Answer) head() httpHead {
	status := a.status()
	line := strconv.Itoa(status)
	if reason := http.StatusText(status); reason != "" {
		line += " " + reason
	}
	return httpHead{status: status, line: line, location: a.fields["location"]}
}
