package replay

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The real servers of a stage. Each port of each address is a listener with a
// mode, a word for its behaviour.
type servers struct {
	t     *testing.T
	place *place

	mu        sync.Mutex
	listeners map[netip.AddrPort]net.Listener
	modes     map[netip.AddrPort]string // of these
	requests  []string                  // the requests
	mails     []string                  // the mails, line by line
	held      []net.Conn                // accepted and never answered
}

// modes is how a connection is served in each mode.
var modes = map[string]func(*servers, net.Conn, netip.AddrPort){
	"http":  func(s *servers, c net.Conn, at netip.AddrPort) { s.web(c, at, 0) },
	"500":   func(s *servers, c net.Conn, at netip.AddrPort) { s.web(c, at, 500) },
	"other": func(s *servers, c net.Conn, at netip.AddrPort) { s.page(c, at, "200 OK", "something else\n") },
	"close": func(_ *servers, c net.Conn, _ netip.AddrPort) { c.Close() },
	"down":  func(_ *servers, c net.Conn, _ netip.AddrPort) { c.Close() }, // came just before
	"silent": func(s *servers, c net.Conn, _ netip.AddrPort) {
		s.mu.Lock()
		s.held = append(s.held, c)
		s.mu.Unlock()
	},
	"smtp":   func(s *servers, c net.Conn, at netip.AddrPort) { smtp.talk(s, c, at) },
	"pop":    func(s *servers, c net.Conn, at netip.AddrPort) { pop.talk(s, c, at) },
	"imap":   func(s *servers, c net.Conn, at netip.AddrPort) { imap.talk(s, c, at) },
	"nntp":   func(s *servers, c net.Conn, at netip.AddrPort) { nntp.talk(s, c, at) },
	"echo":   func(s *servers, c net.Conn, at netip.AddrPort) { echo.talk(s, c, at) },
	"refuse": func(s *servers, c net.Conn, at netip.AddrPort) { refusing.talk(s, c, at) },
}

// ports is the mode of each port of each real server at the beginning. Nothing
// listens on others.
var ports = map[uint16]string{
	80: "http", 8080: "http", 3128: "http", 81: "500", 82: "other", 22: "close", 9: "silent",
	25: "smtp", 587: "smtp", 110: "pop", 143: "imap", 119: "nntp", 7: "echo",
}

func newServers(t *testing.T, p *place) *servers {
	s := &servers{t: t, place: p, listeners: map[netip.AddrPort]net.Listener{}, modes: map[netip.AddrPort]string{}}
	t.Cleanup(s.close)
	s.set(netip.AddrPortFrom(netip.MustParseAddr(mailAddr), 25), "smtp")
	for _, a := range reals() {
		for port, mode := range ports {
			s.set(netip.AddrPortFrom(a, port), mode)
		}
	}
	return s
}

// set makes a port behave in a mode; "down" is that nobody listens. A port that
// changes its mode goes on to listen: nobody is refused meanwhile.
func (s *servers) set(at netip.AddrPort, mode string) {
	if modes[mode] == nil {
		s.t.Errorf("there is no mode %q", mode)
		return
	}
	s.mu.Lock()
	s.modes[at] = mode
	old := s.listeners[at]
	if mode == "down" {
		delete(s.listeners, at)
	}
	s.mu.Unlock()
	switch {
	case mode == "down" && old != nil:
		old.Close()
		return
	case mode == "down" || old != nil:
		return
	}
	l, err := s.listen(at)
	if err != nil {
		s.t.Errorf("listening at %v: %v", at, err)
		return
	}
	s.mu.Lock()
	s.listeners[at] = l
	s.mu.Unlock()
	go func() {
		for {
			conn, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				go s.serve(conn, at)
			}
		}
	}()
}

// serve serves a connection in the mode that its port has now.
func (s *servers) serve(conn net.Conn, at netip.AddrPort) {
	s.mu.Lock()
	mode := s.modes[at]
	s.mu.Unlock()
	modes[mode](s, conn, at)
}

// listen listens, with some patience: a starting process holds the
// last listener for a moment more.
func (s *servers) listen(at netip.AddrPort) (l net.Listener, err error) {
	end := time.Now().Add(patience)
	for {
		err = s.place.do(func() (err error) { l, err = net.Listen("tcp", at.String()); return err })
		if !errors.Is(err, unix.EADDRINUSE) || time.Now().After(end) {
			return l, err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (s *servers) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.listeners {
		l.Close()
	}
	for _, c := range s.held {
		c.Close()
	}
}

// asked records a request.
func (s *servers) asked(at netip.AddrPort, what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, at.String()+" "+what)
}

// allAsked are the different requests since it was called last.
func (s *servers) allAsked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Compact(slices.Sorted(slices.Values(s.requests)))
}

// allMailed returns the mails, in lines.
func (s *servers) allMailed() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails)
}

// A dialogue is a server that answers lines.
type dialogue struct {
	greeting string
	answers  map[string]string // by the first word, in capitals; "" is all others
	tagged   bool              // the words come after a tag, which the answer repeats (IMAP)
	last     string            // the word after which the server closes
	noted    bool              // lines are requests
}

var (
	smtp = dialogue{greeting: "220 mail.example.com ESMTP", last: "QUIT", answers: map[string]string{
		"": "250 ok", "DATA": "354 go on", "QUIT": "221 bye",
	}}
	pop = dialogue{greeting: "+OK ready", last: "QUIT", noted: true, answers: map[string]string{
		"": "-ERR what", "CAPA": "+OK\r\nUSER\r\n.", "USER": "+OK", "PASS pw": "+OK", "PASS": "-ERR no", "STAT": "+OK 0 0", "QUIT": "+OK bye",
	}}
	imap = dialogue{greeting: "* OK ready", last: "LOGOUT", tagged: true, noted: true, answers: map[string]string{
		"": "OK done", `LOGIN u "pw"`: "OK in", "LOGIN": "NO no", "LOGOUT": "OK bye",
	}}
	nntp     = dialogue{greeting: "200 news ready", last: "QUIT", answers: map[string]string{"": "500 what", "QUIT": "205 bye"}}
	echo     = dialogue{noted: true, answers: map[string]string{"": "you said %s", "MANY": "one\r\ntwo\r\nthree"}}
	refusing = dialogue{greeting: "554 go away", last: "QUIT", answers: map[string]string{"": "503 no", "QUIT": "221 bye"}}
)

// talk speaks with one client until it has gone.
func (d dialogue) talk(s *servers, conn net.Conn, at netip.AddrPort) {
	defer conn.Close()
	if d.greeting != "" {
		fmt.Fprintf(conn, "%s\r\n", d.greeting)
	}
	lines := newLines(conn)
	for {
		line, ok := lines()
		if !ok {
			return
		}
		tag, words := "", line
		if d.tagged {
			tag, words, _ = strings.Cut(line, " ")
			tag += " "
		}
		if d.noted {
			s.asked(at, words)
		}
		answer := d.answer(words)
		if strings.Contains(answer, "%s") {
			answer = fmt.Sprintf(answer, words)
		}
		fmt.Fprintf(conn, "%s%s\r\n", tag, answer)
		switch first, _, _ := strings.Cut(strings.ToUpper(words), " "); {
		case first == "DATA":
			s.take(lines)
			fmt.Fprint(conn, "250 queued\r\n")
		case first == d.last && d.last != "":
			return
		case first == "RCPT" || first == "MAIL":
			s.mail("SMTP " + words)
		}
	}
}

// answer is what a line is answered: by all of it, else by its first word.
func (d dialogue) answer(line string) string {
	first, _, _ := strings.Cut(strings.ToUpper(line), " ")
	for _, key := range []string{line, first} {
		if a, ok := d.answers[key]; ok {
			return a
		}
	}
	return d.answers[""]
}

// take takes a mail.
func (s *servers) take(lines func() (string, bool)) {
	for {
		line, ok := lines()
		if !ok || line == "." {
			return
		}
		s.mail(line)
	}
}

func (s *servers) mail(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails = append(s.mails, line)
}
