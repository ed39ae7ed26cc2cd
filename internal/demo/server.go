package main

import (
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// A server is one web server that can be stopped and broken. Its methods may
// be called from any goroutine.
type server struct {
	name string
	addr string

	mu     sync.Mutex
	http   *http.Server // nil while it is stopped
	ended  chan struct{}
	broken bool
}

func newServer(name, host string) (*server, error) {
	l, err := listen(host)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	s := &server{name: name, addr: l.Addr().String()}
	s.serve(l)
	return s, nil
}

func (s *server) serve(l net.Listener) {
	web := &http.Server{Handler: s, ReadHeaderTimeout: time.Second}
	ended := make(chan struct{})
	s.http, s.ended = web, ended
	go func() {
		defer close(ended)
		web.Serve(l) //nolint:errcheck // ends by stop
	}()
}

// stop closes the server; when it returns, connections are refused.
func (s *server) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.http == nil {
		return
	}
	s.http.Close()
	<-s.ended
	s.http = nil
}

// repair starts the server if it is stopped, restores its page, and returns the
// result.
func (s *server) repair() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = false
	if s.http != nil {
		return "you repaired " + s.name
	}
	l, err := net.Listen("tcp", s.addr)
	if err != nil {
		return fmt.Sprintf("%s does not start: %v", s.name, err)
	}
	s.serve(l)
	return "you started " + s.name
}

// spoil has the server answer with a page in which the expected text is
// missing.
func (s *server) spoil() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = true
	return "you broke the page of " + s.name
}

func (s *server) running() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.http != nil
}

func (s *server) isBroken() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.broken
}

// ServeHTTP implements http.Handler.
func (s *server) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	if s.isBroken() {
		fmt.Fprintln(w, "It works!")
		return
	}
	fmt.Fprintf(w, "This is %s.\n", s.name)
}
