package bench

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/google/go-cmp/cmp"
)

// Every service answers our checks, and counts them.
func TestServices(t *testing.T) {
	ask := map[Service]func(t *testing.T, addr string) string{HTTP: askHTTP, HTTPS: askHTTPS, SMTP: askSMTP, DNS: askDNS}
	want := map[Service]string{
		HTTP:  "HTTP/1.1 200 OK",
		HTTPS: "HTTP/1.1 200 OK",
		SMTP:  "220 bench, 250 bench, 221 bench",
		DNS:   "www.example.com. 127.0.0.1",
	}
	for service, ask := range ask {
		t.Run(string(service), func(t *testing.T) {
			l := startLoad(t, 2, None, service)
			got := ask(t, fmt.Sprintf("%s:%d", Addr(1), l.port))
			if diff := cmp.Diff(want[service], got); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(Visits{Fewest: 1, Total: 1}, l.visits(t, 1, 2)); diff != "" {
				t.Errorf("visits (-want +got):\n%s", diff)
			}
		})
	}
}

// With very many addresses one socket listens for all of them, and counts each.
func TestCrowd(t *testing.T) {
	const last = crowd
	l := startLoad(t, crowd+1, None, HTTP)
	if got := askHTTP(t, fmt.Sprintf("%s:%d", Addr(last), l.port)); got != "HTTP/1.1 200 OK" {
		t.Errorf("answer %q", got)
	}
	if diff := cmp.Diff(Visits{Fewest: 1, Total: 1}, l.visits(t, last, last+1)); diff != "" {
		t.Errorf("visits of the one (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(Visits{}, l.visits(t, 0, last)); diff != "" {
		t.Errorf("visits of the others (-want +got):\n%s", diff)
	}
}

// dial opens a connection, which the end of the test closes.
func dial(t *testing.T, network, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// readLine reads one line.
func readLine(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	line, err := r.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimRight(line, "\r\n")
}

func askHTTP(t *testing.T, addr string) string {
	t.Helper()
	conn := dial(t, "tcp", addr)
	fmt.Fprint(conn, "GET / HTTP/1.1\r\n\r\n")
	return readLine(t, bufio.NewReader(conn))
}

func askHTTPS(t *testing.T, addr string) string {
	t.Helper()
	conn := tls.Client(dial(t, "tcp", addr), &tls.Config{InsecureSkipVerify: true})
	fmt.Fprint(conn, "GET / HTTP/1.1\r\n\r\n")
	return readLine(t, bufio.NewReader(conn))
}

func askSMTP(t *testing.T, addr string) string {
	t.Helper()
	conn := dial(t, "tcp", addr)
	r := bufio.NewReader(conn)
	said := []string{readLine(t, r)}
	for _, command := range []string{"EHLO me", "QUIT"} {
		fmt.Fprintf(conn, "%s\r\n", command)
		said = append(said, readLine(t, r))
	}
	return strings.Join(said, ", ")
}

func askDNS(t *testing.T, addr string) string {
	t.Helper()
	name := dnsmessage.MustNewName("www.example.com.")
	question := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 7, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
	}
	packed, err := question.Pack()
	if err != nil {
		t.Fatal(err)
	}
	conn := dial(t, "udp", addr)
	buffer := make([]byte, 512)
	_, writeErr := conn.Write(packed)
	n, err := conn.Read(buffer)
	var answer dnsmessage.Message
	if unpackErr := answer.Unpack(buffer[:n]); writeErr != nil || err != nil || unpackErr != nil {
		t.Fatalf("asking %s: %v, %v, %v", addr, writeErr, err, unpackErr)
	}
	if answer.ID != 7 || !answer.Response || len(answer.Answers) != 1 {
		t.Fatalf("answer %+v", answer)
	}
	a, _ := answer.Answers[0].Body.(*dnsmessage.AResource)
	return fmt.Sprint(answer.Answers[0].Header.Name, " ", net.IP(a.A[:]))
}

func TestNoQuestion(t *testing.T) {
	for name, question := range map[string]string{
		"nothing":         "",
		"a header alone":  "\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00",
		"an endless name": "\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www",
		"no type":         "\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x00",
	} {
		if answer, ok := dnsAnswer([]byte(question)); ok {
			t.Errorf("%s: answered with %q", name, answer)
		}
	}
}
