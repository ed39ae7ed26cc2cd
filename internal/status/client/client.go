// Package client sends the requests of the command line to a daemon, over its socket.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"syscall"

	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/status/wire"
)

// answerSize bounds the answer to a request that failed.
const answerSize = 16 << 10

// A Client sends requests to a daemon at its socket, or over the network.
type Client struct {
	socket string
	remote *Remote // nil is the socket
	file   string  // the configuration file that requests are about, "" is that of the daemon
	http   *http.Client
}

// ErrNotRunning is the error of a socket without a daemon.
var ErrNotRunning = errors.New("no daemon listens there")

// Dial connects to the daemon with this socket, at the socket for readers beside it if the user
// may use only that one.
func Dial(ctx context.Context, socket string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if errors.Is(err, fs.ErrPermission) {
		if readers, failed := new(net.Dialer).DialContext(ctx, "unix", wire.ReadersSocket(socket)); failed == nil {
			return readers, nil
		}
	}
	return conn, err
}

// New returns a Client of the daemon with this socket. See Dial.
func New(socket string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return Dial(ctx, socket) }
	return &Client{socket: socket, http: &http.Client{Transport: &http.Transport{DialContext: dial, DisableCompression: true}}}
}

// Of makes c refuse the daemon of another configuration file: its error is ErrNotRunning
// then. "" is any file.
func (c *Client) Of(file string) *Client {
	c.file = file
	return c
}

// Close closes the idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Snapshot requests the real servers of these names; "" is all.
func (c *Client) Snapshot(ctx context.Context, virtual, real string) (*report.Snapshot, error) {
	var s report.Snapshot
	return &s, c.ask(ctx, "snapshot", query("virtual", virtual, "real", real), &s)
}

// SnapshotJSON is Snapshot in the form of the API.
func (c *Client) SnapshotJSON(ctx context.Context, virtual, real string) ([]byte, error) {
	var text json.RawMessage
	err := c.ask(ctx, "snapshot", query("virtual", virtual, "real", real), &text)
	return text, err
}

// History requests the notes that q selects.
func (c *Client) History(ctx context.Context, q report.HistoryQuery) ([]report.Note, error) {
	verdicts, limit, since := "", "", ""
	if q.Verdicts {
		verdicts = "1"
	}
	if q.Limit > 0 {
		limit = strconv.Itoa(q.Limit)
	}
	if q.After > 0 {
		since = strconv.FormatUint(q.After, 10)
	}
	var notes []report.Note
	err := c.ask(ctx, "history", query("virtual", q.Virtual, "real", q.Real, "verdicts", verdicts, "limit", limit, "since", since), &notes)
	return notes, err
}

// Why requests the reasons of the states of real servers.
func (c *Client) Why(ctx context.Context, real, virtual string) ([]report.Reason, error) {
	var reasons []report.Reason
	err := c.ask(ctx, "why", query("real", real, "virtual", virtual), &reasons)
	return reasons, err
}

// Plan requests what a reload would change in the kernel.
func (c *Client) Plan(ctx context.Context) (report.Plan, error) {
	var plan report.Plan
	err := c.ask(ctx, "plan/details", nil, &plan)
	return plan, err
}

// A Finding is one of the doctor's.
type Finding struct {
	Severity string `json:"severity"` // note, warning or error
	What     string `json:"what"`
	Why      string `json:"why"`
	Cure     string `json:"cure,omitempty"`
}

// Doctor requests what the doctor finds on the daemon's host.
func (c *Client) Doctor(ctx context.Context) ([]Finding, error) {
	var findings []Finding
	err := c.ask(ctx, "doctor", nil, &findings)
	return findings, err
}

// Served requests which virtual addresses are served.
func (c *Client) Served(ctx context.Context) ([]report.AddressState, error) {
	var states []report.AddressState
	err := c.ask(ctx, "served", nil, &states)
	return states, err
}

// Order gives an order. A daemon that works says what became of it within 4 s.
func (c *Client) Order(ctx context.Context, o report.Order) (wire.OrderAnswer, error) {
	var a wire.OrderAnswer
	err := c.send(ctx, "orders", wire.RequestOf(o), &a)
	if errors.Is(err, context.DeadlineExceeded) && c.remote == nil {
		err = &refusal{"the daemon does not answer in time: the order is withdrawn, unless it was in force before: ldirectord show", context.DeadlineExceeded}
	}
	return a, err
}

// Recheck has real servers checked now, and returns what becomes of that.
func (c *Client) Recheck(ctx context.Context, real, virtual string) (report.Recheck, error) {
	var a report.Recheck
	var req wire.RecheckRequest
	if real != "" {
		req.Real = &real
	}
	if virtual != "" {
		req.Virtual = &virtual
	}
	err := c.send(ctx, "recheck", req, &a)
	return a, err
}

// Connections requests the kernel's connections. A limit of 0 is the daemon's own.
// An error is the last value.
func (c *Client) Connections(ctx context.Context, virtual, real string, persistence bool, limit int) iter.Seq2[wire.Connection, error] {
	q := query("virtual", virtual, "real", real)
	if persistence {
		q.Set("persistence", "1")
	}
	if limit > 0 {
		q.Set("limit", fmt.Sprint(limit))
	}
	return func(yield func(wire.Connection, error) bool) {
		body, err := c.do(ctx, http.MethodGet, "connections?"+q.Encode(), nil)
		if err != nil {
			yield(wire.Connection{}, err)
			return
		}
		defer body.Close()
		for d := json.NewDecoder(body); ; {
			var line struct {
				wire.Connection
				wire.Failure
			}
			err := d.Decode(&line)
			switch {
			case errors.Is(err, io.EOF):
				return
			case err == nil && line.Error != "":
				err = errors.New(line.Error)
			}
			if !yield(line.Connection, err) || err != nil {
				return
			}
		}
	}
}

// query makes parameters of names and values in turn. It omits empty values.
func query(words ...string) url.Values {
	q := url.Values{}
	for i := 0; i+1 < len(words); i += 2 {
		if words[i+1] != "" {
			q.Set(words[i], words[i+1])
		}
	}
	return q
}

func (c *Client) ask(ctx context.Context, what string, q url.Values, v any) error {
	body, err := c.do(ctx, http.MethodGet, what+"?"+q.Encode(), nil)
	if err != nil {
		return err
	}
	defer body.Close()
	return c.decode(body, v)
}

// decode reads an answer.
func (c *Client) decode(body io.Reader, v any) error {
	err := json.NewDecoder(body).Decode(v)
	if err != nil && c.remote != nil {
		return c.remote.unreadable(err)
	}
	return err
}

func (c *Client) send(ctx context.Context, what string, request, v any) error {
	text, err := json.Marshal(request)
	if err != nil {
		return err
	}
	body, err := c.do(ctx, http.MethodPost, what, text)
	if err != nil {
		return err
	}
	defer body.Close()
	return c.decode(body, v)
}

// do sends a request. If the daemon refuses it, the error is the daemon's.
func (c *Client) do(ctx context.Context, method, what string, text []byte) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base()+"/api/v1/"+what, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if c.file != "" {
		req.Header.Set(wire.ConfigurationHeader, url.PathEscape(c.file))
	}
	if c.remote != nil {
		c.remote.authorize(req)
	} else if who := os.Getenv("SUDO_USER"); who != "" {
		req.Header.Set(wire.SudoHeader, who)
	}
	resp, err := c.http.Do(req)
	if c.remote != nil {
		return c.remote.answer(resp, err)
	}
	if err != nil {
		return nil, c.explain(err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	var f wire.Failure
	if err := json.NewDecoder(io.LimitReader(resp.Body, answerSize)).Decode(&f); err != nil || f.Error == "" {
		return nil, fmt.Errorf("the daemon answers %s", resp.Status)
	}
	switch resp.StatusCode {
	case http.StatusMisdirectedRequest: // the daemon of another configuration file listens there
		return nil, &refusal{c.socket + ": " + f.Error, ErrNotRunning}
	case http.StatusNotFound:
		return nil, &refusal{f.Error, report.ErrNotConfigured}
	case http.StatusForbidden, http.StatusUnauthorized:
		return nil, &refusal{f.Error, fs.ErrPermission}
	}
	return nil, errors.New(f.Error)
}

// A refusal is the answer of a daemon to a request that it refuses, or why there is none.
type refusal struct {
	text string
	kind error // what callers decide by, as fs.ErrPermission
}

// Error implements error.
func (e *refusal) Error() string { return e.text }

// Unwrap returns the kind.
func (e *refusal) Unwrap() error { return e.kind }

// explain words the error of a request that did not reach a daemon.
func (c *Client) explain(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%s: %w", c.socket, ErrNotRunning)
	case errors.Is(err, fs.ErrPermission):
		return &refusal{c.socket + " is for root and the members of statusgroup, and to read for those of statusreadgroup", fs.ErrPermission}
	case errors.Is(err, context.DeadlineExceeded):
		return &refusal{"the daemon does not answer in time: ldirectord status", context.DeadlineExceeded}
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	return fmt.Errorf("asking the daemon: %w", err)
}
