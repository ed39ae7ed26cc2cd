package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
)

// The virtual service is never reached: no packet is forwarded by a table in
// memory.
const virtual = "10.0.0.80:80"

// A cast is who plays: the real servers, the fallback, and the port from which
// they are directed.
type cast struct {
	reals    [2]*server
	fallback *server
	control  net.Listener
}

func newCast() (c *cast, err error) {
	c = &cast{}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	for i := range c.reals {
		name := fmt.Sprintf("real server %d", i+1)
		if c.reals[i], err = newServer(name, fmt.Sprintf("127.0.0.1%d", i+1)); err != nil {
			return nil, err
		}
	}
	if c.fallback, err = newServer("fallback", "127.0.0.10"); err != nil {
		return nil, err
	}
	c.control, err = listen("127.0.0.1")
	return c, err
}

func (c *cast) close() {
	for _, s := range append(c.reals[:], c.fallback) {
		if s != nil {
			s.stop()
		}
	}
	if c.control != nil {
		c.control.Close()
	}
}

// listen listens on the demo's port of a loopback address or, if it is in use, on
// any port.
func listen(host string) (net.Listener, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(host, "8081"))
	if err != nil {
		var other error
		if l, other = net.Listen("tcp", net.JoinHostPort(host, "0")); other != nil {
			return nil, errors.Join(err, other)
		}
	}
	return l, nil
}

// config is the ldirectord.cf of the demo.
func (c *cast) config() string {
	return fmt.Sprintf(`checkinterval = 1
negotiatetimeout = 2
quiescent = no
virtual = %s
	real = %s masq 2
	real = %s masq 1
	fallback = %s masq
	protocol = tcp
	scheduler = wrr
	checktype = negotiate
	service = http
	request = "index.html"
	receive = "real server"
`, virtual, c.reals[0].addr, c.reals[1].addr, c.fallback.addr)
}

// introduction is the text above the log.
func (c *cast) introduction(file string, keyboard bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, `
ldirectord, with a table in memory

  A virtual service with two real servers and a fallback, all on this machine.
  The web servers and the checks are real, one each second. The table is not:
  it is kept in memory and nothing is written to the kernel, so neither root
  nor IPVS is needed. Its changes are shown in the words of ipvsadm.

    virtual service  %s
    real server 1    http://%s/
    real server 2    http://%s/
    fallback         http://%s/
    configuration    %s

`, virtual, c.reals[0].addr, c.reals[1].addr, c.fallback.addr, file)
	if keyboard {
		b.WriteString(`  1, 2  stop that real server, or start it again
  b     break the page of real server 2, or repair it
  q     quit

  Stop both, and the fallback comes in.

`)
		return b.String()
	}
	url := "http://" + c.control.Addr().String()
	fmt.Fprintf(&b, `  From another terminal (2 in place of 1 for the other real server):

    curl %[1]s/stop/1     it refuses connections
    curl %[1]s/start/1    it is well again
    curl %[1]s/break/1    it answers with a wrong text

  Stop both, and the fallback comes in. Control-C ends the demo.

`, url)
	return b.String()
}

// press executes the command of a key and returns its report, "" for a key without
// a command.
func (c *cast) press(key byte) string {
	switch key {
	case '1', '2':
		s := c.reals[key-'1']
		if s.running() {
			s.stop()
			return "you stopped " + s.name
		}
		return s.repair()
	case 'b':
		s := c.reals[1]
		if s.running() && !s.isBroken() {
			return s.spoil()
		}
		return s.repair()
	}
	return ""
}

// handler is the same for curl: /stop/1, /start/1, /break/1.
func (c *cast) handler(out *screen) http.Handler {
	mux := http.NewServeMux()
	for i, s := range c.reals {
		for verb, do := range map[string]func() string{
			"stop":  func() string { s.stop(); return "you stopped " + s.name },
			"start": s.repair,
			"break": s.spoil,
		} {
			mux.HandleFunc(fmt.Sprintf("/%s/%d", verb, i+1), func(w http.ResponseWriter, _ *http.Request) {
				done := do()
				out.note(done)
				fmt.Fprintln(w, done)
			})
		}
	}
	return mux
}
