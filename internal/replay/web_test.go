package replay

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// newLines returns a function for the next line of a connection, without its
// end. It reports false at the connection's end.
func newLines(conn net.Conn) func() (string, bool) {
	r := bufio.NewReader(conn)
	return func() (string, bool) {
		line, err := r.ReadString('\n')
		return strings.TrimRight(line, "\r\n"), err == nil
	}
}

// pages are those of the web servers.
var pages = map[string]string{
	"/":            "Test Page\n",
	"/index.html":  "Test Page\nWelcome\n",
	"/ok":          "OK\n",
	"/empty":       "",
	"/lines":       "first line\nsecond line 42\n",
	"/signs":       "a.b*c (d) [e] $f ^g | h + i ? 100%\n",
	"/quote":       "say \"hi\" now\n",
	"/latin":       "gr\xfc\xdfe\n",
	"/find?a=1&b=": "found\n",
}

// web answers one request; a status other than 0 is answered to all.
func (s *servers) web(conn net.Conn, at netip.AddrPort, status int) {
	defer conn.Close()
	req, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return
	}
	s.asked(at, req.Method+" "+req.RequestURI+" host="+req.Host)
	text, ok := pages[req.RequestURI]
	switch {
	case status != 0:
		s.answer(conn, req, fmt.Sprintf("%d %s", status, http.StatusText(status)), "", "broken\n")
	case strings.HasPrefix(req.RequestURI, "http://"):
		s.answer(conn, req, "200 OK", "", "proxied "+req.RequestURI+"\n")
	case req.RequestURI == "/moved":
		s.answer(conn, req, "302 Found", "Location: /index.html\r\n", "moved\n")
	case req.RequestURI == "/host":
		s.answer(conn, req, "200 OK", "", "host is "+req.Host+"\n")
	case req.RequestURI == "/204":
		s.answer(conn, req, "204 No Content", "", "")
	case ok:
		s.answer(conn, req, "200 OK", "", text)
	default:
		s.answer(conn, req, "404 Not Found", "", "no such page\n")
	}
}

// page answers one request with this text.
func (s *servers) page(conn net.Conn, at netip.AddrPort, status, text string) {
	defer conn.Close()
	req, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return
	}
	s.asked(at, req.Method+" "+req.RequestURI+" host="+req.Host)
	s.answer(conn, req, status, "", text)
}

func (s *servers) answer(conn net.Conn, req *http.Request, status, header, text string) {
	fmt.Fprintf(conn, "HTTP/1.1 %s\r\nContent-Type: text/plain\r\n%sContent-Length: %d\r\nConnection: close\r\n\r\n", status, header, len(text))
	if req.Method != http.MethodHead {
		fmt.Fprint(conn, text)
	}
}
