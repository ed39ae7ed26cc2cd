package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// A Web is a web server in one namespace whose behaviour can be switched while
// it serves. Its methods may be called from any goroutine.
type Web struct {
	n       *Net
	ns      string
	address string

	mu      sync.Mutex
	server  *http.Server // nil while it is stopped
	ended   chan struct{}
	status  int
	page    string
	silent  chan struct{} // not nil: no answers until it is closed
	clients []netip.Addr
}

// Web is the web server on port 80 of a real server or the director.
func (n *Net) Web(ns string) *Web {
	n.t.Helper()
	w, ok := n.webs[webKey(ns, 80)]
	if !ok {
		n.t.Fatalf("lab: no web server in %s", ns)
	}
	return w
}

// ServeWeb starts a web server on all addresses of a namespace. It answers
// every request with the namespace's name.
func (n *Net) ServeWeb(ns string, port int) *Web {
	n.t.Helper()
	w := &Web{n: n, ns: ns, address: fmt.Sprintf(":%d", port), status: http.StatusOK, page: ns + "\n"}
	n.check("web server in "+ns, w.Start())
	n.webs[webKey(ns, port)] = w
	return w
}

func webKey(ns string, port int) string { return fmt.Sprintf("%s:%d", ns, port) }

// Start makes the server listen, after Stop. When it returns, connections are
// accepted.
func (w *Web) Start() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.server != nil {
		return nil
	}
	l, err := w.n.Listen(w.ns, "tcp", w.address)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: w, ReadHeaderTimeout: time.Minute}
	ended := make(chan struct{})
	w.server, w.ended = server, ended
	go func() {
		defer close(ended)
		server.Serve(l) //nolint:errcheck // ends by Stop
	}()
	return nil
}

// Stop closes the server and its connections. When it returns, the kernel
// refuses new ones.
func (w *Web) Stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.server != nil {
		w.server.Close()
		<-w.ended // the accept loop has ended
		w.server = nil
	}
}

// Answer makes the server answer with this status and page from now on, also
// after Silence.
func (w *Web) Answer(status int, page string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.status, w.page = status, page
	if w.silent != nil {
		close(w.silent)
		w.silent = nil
	}
}

// Silence makes the server accept connections and requests and never answer.
func (w *Web) Silence() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.silent == nil {
		w.silent = make(chan struct{})
	}
}

// Clients returns from where the requests came, oldest first.
func (w *Web) Clients() []netip.Addr {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]netip.Addr(nil), w.clients...)
}

// ServeHTTP implements http.Handler.
func (w *Web) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	if from, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		w.clients = append(w.clients, from.Addr().Unmap())
	}
	silent := w.silent
	w.mu.Unlock()
	if silent != nil {
		select {
		case <-silent:
		case <-r.Context().Done():
			return
		}
	}
	w.mu.Lock()
	status, page := w.status, w.page
	w.mu.Unlock()
	rw.WriteHeader(status)
	io.WriteString(rw, page) //nolint:errcheck // the client may have gone
}

// HTTP is a client in a namespace that opens a connection for each request
// and gives up after 5 s.
func (n *Net) HTTP(ns string) *http.Client {
	return &http.Client{
		Timeout: 5 * time.Second,
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				return n.Dial(ctx, ns, network, address)
			},
		},
	}
}

// Get fetches a page as the client and returns its text without white space
// at the ends. Any status but 200 is an error.
func (n *Net) Get(url string) (page string, err error) {
	return fetch(n.HTTP("client"), url)
}

func fetch(c *http.Client, url string) (page string, err error) {
	resp, err := c.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusOK {
		err = errors.Join(errors.New(resp.Status), err)
	}
	return strings.TrimSpace(string(body)), err
}
