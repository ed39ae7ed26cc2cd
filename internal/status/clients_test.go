package status

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/lab"
	"github.com/ldirectord/ldirectord/internal/status/wire"
)

// listens makes the house listen as cfg says, and returns where.
func (h *house) listens(t *testing.T, cfg conf.Config) string {
	t.Helper()
	cfg.StatusListen = lab.HoldPort(t).String()
	h.Use(&cfg)
	return cfg.StatusListen
}

// send sends a request and returns what came back.
func send(t *testing.T, at, method, path, body string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+at+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
		req.Header.Set(header[i], header[i+1])
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: eventually.Limit}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

// TestWrongTokens sends many wrong tokens: they are neither looked at for ever
// nor written into the log one by one.
func TestWrongTokens(t *testing.T) {
	h := newHouse(t, plainConfig)
	at := h.listens(t, conf.Config{StatusServer: conf.StatusServer{StatusControl: true, StatusToken: h.path("token")}})
	before, growing := 0, 0
	for i := 1; i <= 200; i++ {
		resp, text := send(t, at, "POST", "/api/v1/orders", drainOne, "Content-Type", "application/json", "Authorization", "Bearer wrong")
		if i < 10 {
			if resp.StatusCode != http.StatusUnauthorized {
				t.Fatalf("wrong token %d: %s %s, want 401", i, resp.Status, text)
			}
			continue
		}
		pause, err := strconv.Atoi(resp.Header.Get("Retry-After"))
		if resp.StatusCode != http.StatusTooManyRequests || err != nil || pause < before || !resp.Close {
			t.Fatalf("wrong token %d: %s, Retry-After %q after %d, close %v: want 429, a pause that grows, and the end of the connection", i, resp.Status, resp.Header.Get("Retry-After"), before, resp.Close)
		}
		if pause > before {
			growing++
		}
		before = pause
	}
	if growing < 5 {
		t.Errorf("the pause grew %d times", growing)
	}
	resp, _ := send(t, at, "POST", "/api/v1/orders", drainOne, "Content-Type", "application/json", "Authorization", "Bearer "+token)
	if resp.StatusCode != http.StatusTooManyRequests {
		t.Errorf("the right token during the pause: %s: what is tried then must tell nothing", resp.Status)
	}
	if resp, text := send(t, at, "GET", "/api/v1/snapshot", ""); resp.StatusCode != http.StatusOK {
		t.Errorf("reading, which needs no token: %s %s", resp.Status, text)
	}
	h.mu.Lock()
	lines := len(h.logged)
	h.mu.Unlock()
	if lines != 1 {
		t.Errorf("the log has %d lines, want 1 and later the number", lines)
	}
}

// TestTriesAreCounted has the log, the pause and the forgetting in faked time.
func TestTriesAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lines []string
		tr := newTries(func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) })
		for range 100 {
			tr.wrong("10.0.0.1")
		}
		tr.wrong("10.0.0.2")
		if pause := tr.pause("10.0.0.1"); pause != maxPause {
			t.Errorf("after 100 wrong ones the pause is %v", pause)
		}
		if pause := tr.pause("10.0.0.2"); pause != 0 {
			t.Errorf("another client has to wait %v", pause)
		}
		time.Sleep(maxPause + time.Second)
		synctest.Wait()
		want := "Refused a request from 10.0.0.1: the token is missing or wrong|Refused 101 more requests with a missing or wrong token, the last from 10.0.0.1"
		if got := strings.Join(lines, "|"); got != want {
			t.Errorf("the log has %q, want %q", got, want)
		}
		if pause := tr.pause("10.0.0.1"); pause != 0 {
			t.Errorf("after the pause it has to wait %v", pause)
		}
		if pause := tr.wrong("10.0.0.1"); pause != maxPause {
			t.Errorf("then the next wrong one makes it wait %v", pause)
		}
		time.Sleep(forgetting + maxPause)
		if pause := tr.wrong("10.0.0.1"); pause != 0 {
			t.Errorf("after a long time the first wrong one makes it wait %v", pause)
		}
		tr.right("10.0.0.1")
		for i := range maxClients + 100 { // each beyond it costs a look at all
			tr.wrong(strconv.Itoa(i))
		}
		if len(tr.clients) > maxClients {
			t.Errorf("%d clients are remembered", len(tr.clients))
		}
		tr.close()
	})
}

func TestClientOf(t *testing.T) {
	for remote, want := range map[string]string{
		"10.0.0.1:80": "10.0.0.1", "[::ffff:10.0.0.1]:80": "10.0.0.1", "[fd00::1:2:3:4]:80": "fd00::/64", "[fe80::1%eth0]:80": "fe80::/64", "[::1]:80": "::1", "@": "@",
	} {
		if got := clientOf(remote); got != want {
			t.Errorf("clientOf(%s) = %s, want %s", remote, got, want)
		}
	}
}

// TestIdleClientsKeepNobodyOut connects many times without a word, from one
// address and from many, and asks for health and metrics.
func TestIdleClientsKeepNobodyOut(t *testing.T) {
	h := newHouse(t, plainConfig)
	at := h.listens(t, conf.Config{})
	for _, from := range []int{1, 200} {
		var idle []net.Conn
		for i := range 300 {
			d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+i%from))}}
			conn, err := d.DialContext(t.Context(), "tcp", at)
			if err != nil {
				t.Fatal(err)
			}
			idle = append(idle, conn)
		}
		for _, path := range []string{"/healthz", "/metrics", "/api/v1/snapshot"} {
			began := time.Now()
			resp, text := send(t, at, "GET", path, "")
			if resp.StatusCode != http.StatusOK {
				t.Errorf("%s beside 300 idle clients of %d addresses: %s %s after %v", path, from, resp.Status, text, time.Since(began))
			}
		}
		for _, conn := range idle {
			conn.Close()
		}
	}
}

// TestOldestIdleConnectionGoes has one peer with connections that answer, and
// more idle ones than are its share.
func TestOldestIdleConnectionGoes(t *testing.T) {
	h := newHouse(t, plainConfig)
	at := h.listens(t, conf.Config{})
	stream, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	fmt.Fprint(stream, "GET /api/v1/events HTTP/1.1\r\nHost: "+at+"\r\n\r\n")
	answer := bufio.NewReader(stream)
	if line, err := answer.ReadString('\n'); err != nil || !strings.Contains(line, "200") {
		t.Fatalf("the stream says %q, %v", line, err)
	}
	var conns []net.Conn
	for range maxIdle + 1 {
		conn, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conns = append(conns, conn)
	}
	// Of 1 + maxIdle + 1 connections the two oldest idle ones are too many.
	for i, conn := range conns[:2] {
		if err := conn.SetReadDeadline(time.Now().Add(eventually.Limit)); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 1)); err == nil || os.IsTimeout(err) {
			t.Errorf("idle connection %d lives on: %v", i, err)
		}
	}
	for i, conn := range []net.Conn{conns[2], conns[maxIdle]} {
		fmt.Fprint(conn, "GET /healthz HTTP/1.1\r\nHost: "+at+"\r\n\r\n")
		if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, "200") {
			t.Errorf("a younger connection (%d) is answered with %q, %v", i, line, err)
		}
	}
	if err := stream.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, answer); !os.IsTimeout(err) {
		t.Errorf("the stream that is being answered has ended: %v", err)
	}
}

// TestHealthHasItsOwnBudget answers health while as many other requests are
// under way as may be.
func TestHealthHasItsOwnBudget(t *testing.T) {
	began, goOn := make(chan struct{}), make(chan struct{})
	handler := budgeted(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			began <- struct{}{}
			<-goOn
		}
	}))
	ask := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w
	}
	ended := make(chan int)
	for range maxRequests {
		go func() { ended <- ask("/").Code }()
		<-began
	}
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/metrics": 200, "/api/v1/snapshot": 503} {
		if w := ask(path); w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
	close(goOn)
	for range maxRequests {
		if code := <-ended; code != http.StatusOK {
			t.Errorf("a request that was under way: %d", code)
		}
	}
}

// TestForeignHost asks a listener on loopback by names that an attacker's page
// could have lead there.
func TestForeignHost(t *testing.T) {
	h := newHouse(t, plainConfig)
	at := h.listens(t, conf.Config{})
	_, port, _ := net.SplitHostPort(at)
	for host, want := range map[string]int{
		at: 200, "localhost:" + port: 200, "LOCALHOST.": 200, "[::1]:" + port: 200, "10.1.2.3": 200, "status.localhost": 200,
		"evil.example": 421, "evil.example:" + port: 421, "127.0.0.1.evil.example": 421, "localhost.evil.example:" + port: 421,
	} {
		for _, path := range []string{"/", "/metrics", "/api/v1/snapshot", "/healthz"} {
			if resp, text := send(t, at, "GET", path, "", "Host", host); resp.StatusCode != want {
				t.Errorf("%s of %s: %s %.100s, want %d", path, host, resp.Status, text, want)
			}
		}
	}
	// Elsewhere a name may be anything: a listener that the network reaches has no
	// local users to protect.
	if w := h.get(outside, "http://status.example.com/metrics"); w.Code != http.StatusOK {
		t.Errorf("a listener for the network: %d %s", w.Code, w.Body)
	}
}

// TestReadToken has a listener where nothing is shown without a token.
func TestReadToken(t *testing.T) {
	h := newHouse(t, plainConfig)
	const reading = "fedcba9876543210"
	if err := os.WriteFile(h.path("read"), []byte(reading+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := conf.Config{StatusServer: conf.StatusServer{StatusControl: true, StatusToken: h.path("token"), StatusReadToken: h.path("read")}}
	at := h.listens(t, cfg)
	basic := func(user, password string) string {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.SetBasicAuth(user, password)
		return r.Header.Get("Authorization")
	}
	for _, tt := range []struct {
		name, method, path, authorization string
		want                              int
	}{
		{"no token", "GET", "/", "", 401},
		{"no token for metrics", "GET", "/metrics", "", 401},
		{"no token for a stream", "GET", "/api/v1/events", "", 401},
		{"no token for what is not there", "GET", "/api/v1/none", "", 404},
		{"health", "GET", "/healthz", "", 200},
		{"readiness", "GET", "/readyz", "", 200},
		{"the token", "GET", "/metrics", "Bearer " + reading, 200},
		{"the token of a browser", "GET", "/", basic("bob", reading), 200},
		{"the token for orders", "GET", "/api/v1/snapshot", "Bearer " + token, 200},
		{"another token", "GET", "/api/v1/snapshot", "Bearer " + reading + "x", 401},
		{"another of a browser", "GET", "/api/v1/snapshot", basic(reading, "x"), 401},
		{"an order with the token for reading", "POST", "/api/v1/orders", "Bearer " + reading, 403},
		{"an order as a browser sends it", "POST", "/api/v1/orders", basic("bob", token), 401},
		{"an order", "POST", "/api/v1/orders", "Bearer " + token, 200},
	} {
		header := []string{"Content-Type", "application/json"}
		if tt.authorization != "" {
			header = append(header, "Authorization", tt.authorization)
		}
		resp, text := send(t, at, tt.method, tt.path, drainOne, header...)
		if resp.StatusCode != tt.want {
			t.Errorf("%s: %s %.200s, want %d", tt.name, resp.Status, text, tt.want)
		}
		if resp.StatusCode == http.StatusUnauthorized && tt.method == "GET" && !strings.HasPrefix(resp.Header.Get("WWW-Authenticate"), "Basic") {
			t.Errorf("%s: a browser does not ask for the token", tt.name)
		}
	}
	if err := os.Chmod(h.path("read"), 0o644); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		resp, text := send(t, at, "GET", "/metrics", "", "Authorization", "Bearer "+reading)
		var f wire.Failure
		if resp.StatusCode != http.StatusForbidden || json.Unmarshal([]byte(text), &f) != nil {
			t.Errorf("a token that everyone can read: %s %s, want 403", resp.Status, text)
		}
	}
	// The commands' own socket needs none.
	own := &door{place: place{at: h.path("s"), own: true}}
	if w := h.get(own, "/api/v1/snapshot"); w.Code != http.StatusOK {
		t.Errorf("at the socket: %d", w.Code)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	said := 0
	for _, line := range h.logged {
		if strings.Contains(line, "chmod 600") {
			said++
		}
	}
	if said != 1 {
		t.Errorf("the log says %d times what is wrong with the file: %q", said, h.logged)
	}
}
