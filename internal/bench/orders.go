package bench

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"
)

// Visits is the number of checks of some servers since the last reset.
type Visits struct {
	Fewest, Total int           // of one server, of all
	Mean, Worst   time.Duration // between two visits of the same server
}

// visits are those of one server.
type visits struct {
	n     int
	last  time.Time
	gaps  time.Duration
	worst time.Duration
}

func (v *visits) visited(now time.Time) {
	if v.n++; v.n > 1 {
		gap := now.Sub(v.last)
		v.gaps += gap
		v.worst = max(v.worst, gap)
	}
	v.last = now
}

// obey carries out the orders that in has, until its end. Each is a line
// "WORD FROM TO" about the servers FROM to TO-1, where WORD is "forget" or
// "visits", or a fault that they have from now on: "none", "refused" or
// "silent". The answer is one line that begins with the word, or "error".
func (s *server) obey(in io.Reader, out io.Writer) {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		fmt.Fprintln(out, s.order(lines.Text()))
	}
}

// order carries out one order.
func (s *server) order(line string) (answer string) {
	var word string
	var from, to int
	if _, err := fmt.Sscan(line, &word, &from, &to); err != nil {
		return fmt.Sprintf("error: %q: %v", line, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if from < 0 || to < from || to > len(s.targets) {
		return fmt.Sprintf("error: %q: there are %d servers", line, len(s.targets))
	}
	targets := s.targets[from:to]
	switch fault := Fault(word); {
	case word == "visits":
		v := count(targets)
		return fmt.Sprintf("visits %d %d %d %d", v.Fewest, v.Total, v.Mean, v.Worst)
	case word == "forget":
		for i := range targets {
			targets[i].visits = visits{}
		}
	case fault == None || fault == Refused || fault == Silent:
		for i := range targets {
			if err := s.change(&targets[i], fault); err != nil {
				return fmt.Sprintf("error: %s: %v", targets[i].addr, err)
			}
		}
	default:
		return fmt.Sprintf("error: %q: no such order", line)
	}
	return word
}

// change gives t another fault. A silent server closes its waiting connections: it
// works again after a restart.
func (s *server) change(t *target, fault Fault) error {
	if s.all != nil {
		return errors.New("one socket listens for all")
	}
	t.fault = fault
	for fd, of := range s.mute {
		if of == t && fault != Silent {
			s.close(int(fd))
		}
	}
	switch {
	case fault == Refused && t.fd > 0:
		delete(s.listeners, int32(t.fd))
		err := syscall.Close(t.fd)
		t.fd = 0
		return err
	case t.fd == 0:
		return s.open(t)
	}
	return nil
}

// count sums up.
func count(targets []target) (v Visits) {
	var gaps time.Duration
	n := 0
	for i, t := range targets {
		v.Total += t.n
		if i == 0 || t.n < v.Fewest {
			v.Fewest = t.n
		}
		v.Worst = max(v.Worst, t.worst)
		gaps += t.gaps
		n += max(t.n-1, 0)
	}
	if n > 0 {
		v.Mean = gaps / time.Duration(n)
	}
	return v
}
