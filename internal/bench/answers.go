package bench

import (
	"bytes"
	"syscall"
	"time"
)

// A Service is what the servers speak.
type Service string

// The services.
const (
	HTTP  Service = "http"  // one answer to any request
	HTTPS Service = "https" // the same under TLS
	SMTP  Service = "smtp"
	DNS   Service = "dns" // over udp: every name has the same address
)

// okAnswer is the answer of HTTP servers to any request.
const okAnswer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nOK\n"

// accept takes one connection, and answers it if the question is there already.
func (s *server) accept(t *target) {
	fd, _, err := syscall.Accept4(t.fd, syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC)
	if err != nil {
		return // it went away again
	}
	if t == s.all {
		if t = s.called(fd); t == nil {
			s.close(fd)
			return
		}
	}
	t.visited(time.Now())
	if t.fault == Silent {
		s.mute[int32(fd)] = t
	}
	if s.service == SMTP {
		_, _ = syscall.Write(fd, []byte("220 bench\r\n"))
	}
	if !s.answer(fd) && s.watch(fd) != nil {
		s.close(fd)
	}
}

// answer answers and closes, unless there is nothing to answer yet or more to
// come.
func (s *server) answer(fd int) (closed bool) {
	n, err := syscall.Read(fd, s.buffer[:])
	if err == syscall.EAGAIN || n > 0 && s.mute[int32(fd)] != nil {
		return false
	}
	if n > 0 {
		text, last := okAnswer, true
		if s.service == SMTP {
			text, last = smtpReply(s.buffer[:n])
		}
		_, _ = syscall.Write(fd, []byte(text)) // the client may have closed it already
		if !last {
			return false
		}
	}
	s.close(fd)
	return true
}

// smtpReply is the reply to one command, which comes in one piece, and whether
// it is the last.
func smtpReply(command []byte) (text string, last bool) {
	if bytes.HasPrefix(bytes.ToUpper(command), []byte("QUIT")) {
		return "221 bench\r\n", true
	}
	return "250 bench\r\n", false
}

func (s *server) close(fd int) {
	delete(s.mute, int32(fd))
	syscall.Close(fd)
}

// answerDNS answers all questions that are there.
func (s *server) answerDNS(t *target) {
	for {
		n, from, err := syscall.Recvfrom(t.fd, s.buffer[:], 0)
		if err != nil {
			return // no more
		}
		t.visited(time.Now())
		if answer, ok := dnsAnswer(s.buffer[:n]); ok {
			_ = syscall.Sendto(t.fd, answer, 0, from)
		}
	}
}

// dnsAnswer turns the query into an answer (RFC 1035, section 4.1): an address,
// 127.0.0.1, for the name in the query. Bytes behind the question are dropped.
func dnsAnswer(question []byte) (answer []byte, ok bool) {
	const header = 12
	if len(question) < header {
		return nil, false
	}
	// The name ends with a label of no length; type and class follow.
	end := bytes.IndexByte(question[header:], 0) + header + 1 + 4
	if end <= header+4 || end > len(question) {
		return nil, false
	}
	answer = append(answer, question[:2]...)
	answer = append(answer, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0) // recursion done, one question, one answer
	answer = append(answer, question[header:end]...)
	return append(answer, 0xc0, header, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1), true
}
