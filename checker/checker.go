// Package checker checks one real server once. Each service has its own file with
// one struct: the real server, the request, and the expected answer.
//
// There are two kinds of check. A Talker describes a Dialogue, a protocol without
// I/O: it takes received bytes and returns bytes to send or a verdict; its runner
// owns the socket and the deadline. A Caller wraps a library that does its own I/O
// and ends by its context's deadline.
//
// The package knows neither the configuration file nor the kernel nor the log.
package checker

import (
	"context"
	"crypto/tls"
	"net/netip"
	"time"

	"github.com/ldirectord/ldirectord/internal/origin"
)

// A Checker is one check of one real server: a Talker or a Caller. It does not
// change after its construction and may run any number of times, also concurrently.
type Checker interface {
	// String describes the check in one line without secrets. Logs print it in
	// front of the result: "http GET http://10.1.0.3:80/lvs.html".
	String() string
}

// A Talker is a check whose connection belongs to its runner.
type Talker interface {
	Checker
	Target() Target
	// Dialogue begins a new conversation. It is nil for a Target that needs only a
	// connection or a TLS handshake: its success is the verdict up.
	Dialogue() Dialogue
}

// A Caller is a check that does its own I/O. It returns by ctx's deadline, whatever
// the server does, and leaves no goroutine, process or descriptor behind.
type Caller interface {
	Checker
	// Check returns nil if the real server is up, with a detail for the monitor
	// file or "". The error describes the answer or its absence.
	Check(ctx context.Context) (detail string, err error)
}

// A Target is the endpoint that a Talker needs a connection to.
type Target struct {
	Network string         // "tcp" or "udp"
	Addr    netip.AddrPort // the address, or only its port if Host is set
	Host    string         // a name to resolve first, "" if Addr is whole
	From    *origin.Origin // nil is the kernel's choice
	TLS     *tls.Config    // nil is plain text; else TLS from the first byte
	Resend  time.Duration  // udp: the last datagram is sent again after this time, 0 is never
	// HalfOpen ends the connection before the server's process sees it. It is valid
	// for a tcp Target without TLS and without a Dialogue.
	HalfOpen bool
	Slow     bool // the Dialogue may take long over an answer: a pattern that backtracks
}

// A Dialogue is the client's side of one conversation, without I/O.
type Dialogue interface {
	// Next is called once when the connection is open, with nothing received, and
	// again after each arrival of data. It has to consume as much as it can. in holds
	// all received bytes that are not consumed yet (udp: one datagram) and is valid
	// only during the call. eof means that the peer has closed its side; a Dialogue
	// that is not Done then ends as "closed the connection".
	Next(in []byte, eof bool) Step
}

// A Located is a Dialogue that needs the local address of its connection. The
// runner calls At once, before Next.
type Located interface {
	Dialogue
	At(local netip.AddrPort)
}

// A Step is the next action of a Dialogue. The zero Step waits for more data.
type Step struct {
	Consumed   int         // bytes of in that Next does not need again
	Send       []byte      // is sent before the next read, and also with Done; it stays unchanged until the next call of Next
	CloseWrite bool        // after Send: close the sending side of the connection
	StartTLS   *tls.Config // after Send: a TLS handshake, then Next with no input
	Follow     Talker      // the conversation goes on elsewhere (an HTTP redirect) under the same deadline

	Done   bool   // the conversation is over: up if Err is nil
	Detail string // with Done: a line about the answer, as in Caller
	Err    error  // with Done: the reason for down
}
