// Package checker asks one real server, once, whether it works. Every service
// has a file of its own with one struct: what is asked, of whom, and what
// answer is expected.
//
// A check comes in one of two kinds. A Talker describes a Dialogue, a protocol
// without I/O: it is handed what was received and answers with what to send,
// "up", or why not; whoever runs it owns the socket and the deadline. A Caller
// wraps a library that does its own I/O and ends by its context's deadline.
//
// The package knows neither the configuration file nor the kernel nor the log.
package checker

import (
	"context"
	"crypto/tls"
	"net/netip"
	"time"
)

// A Checker is one question to one real server: a Talker or a Caller. It is
// never written to while it is used and may be asked any number of times, also
// at once.
type Checker interface {
	// String says what is asked, in one line without secrets, as it stands
	// before the answer in logs: "http GET http://10.1.0.3:80/lvs.html".
	String() string
}

// A Talker is asked by talking over a connection that somebody else owns.
type Talker interface {
	Checker
	Target() Target
	// Dialogue begins a new conversation. For a Target that asks for nothing
	// but a connection, or a TLS handshake, it is nil: that alone is up.
	Dialogue() Dialogue
}

// A Caller is asked by calling it. It returns by ctx's deadline, whatever the
// server does, and leaves no goroutine, process or descriptor behind.
type Caller interface {
	Checker
	// Check returns nil if the real server is up, with a detail worth a line
	// in the monitor file or "". The error says what came back.
	Check(ctx context.Context) (detail string, err error)
}

// A Target is where a Talker wants to be connected.
type Target struct {
	Network string         // "tcp" or "udp"
	Addr    netip.AddrPort // the address, or only its port if Host is set
	Host    string         // a name to resolve first, "" if Addr is whole
	TLS     *tls.Config    // nil is plain; else TLS is spoken from the start
	Resend  time.Duration  // udp: repeat the last datagram this often, 0 is never
	// HalfOpen is for a tcp Target without TLS and Dialogue: the connection is to
	// end before the server's process sees it.
	HalfOpen bool
	Slow     bool // the Dialogue may take long to judge an answer: a pattern that backtracks
}

// A Dialogue is the client's side of one conversation, without I/O.
type Dialogue interface {
	// Next is called when the connection stands, with nothing received, and
	// then each time more has arrived, so it has to take all that it can. in is
	// all that was received and not consumed yet (udp: one datagram); it is
	// only valid during the call. eof says that the peer will send no more; a
	// Dialogue that is not Done then ends as "closed the connection".
	Next(in []byte, eof bool) Step
}

// A Located is a Dialogue that names its own end of the connection. At is called
// once, before Next.
type Located interface {
	Dialogue
	At(local netip.AddrPort)
}

// A Step is what a Dialogue wants to happen next. The zero Step waits for more.
type Step struct {
	Consumed   int         // bytes of in that need not be handed in again
	Send       []byte      // is sent before anything more is read, and with Done, too; it is not changed before Next is called again
	CloseWrite bool        // after Send: tell the peer that no more will come
	StartTLS   *tls.Config // after Send: a TLS handshake, then Next with no input
	Follow     Talker      // the conversation goes on elsewhere (an HTTP redirect) under the same deadline

	Done   bool   // the conversation is over: up if Err is nil
	Detail string // with Done: a line about the answer, as for Caller
	Err    error  // with Done: why the real server is down
}
