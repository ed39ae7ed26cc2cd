package acceptance

import (
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// visitHowto is a request of somebody new for the how-to's page.
func (s *site) visitHowto() (string, error) {
	return s.get(s.visitor(false), "http://"+vip+"/lvs.html")
}

// mark has the director mark what is for the how-to's service.
func mark(s *site) {
	s.Output("director", "iptables", "-t", "mangle", "-A", "PREROUTING",
		"-d", vip, "-p", "tcp", "--dport", "80", "-j", "MARK", "--set-mark", "8")
}

// mark6In is mark for IPv6.
func mark6In(s *site) {
	s.Output("director", "ip6tables", "-t", "mangle", "-A", "PREROUTING",
		"-d", lab.VIP6, "-p", "tcp", "--dport", "80", "-j", "MARK", "--set-mark", "8")
}

// serve8080 has everybody serve another port, too.
func serve8080(s *site) {
	for _, name := range []string{"rs1", "rs2", "director"} {
		s.ServeWeb(name, 8080)
	}
}

// visitBothPorts asks on one port and then on the other: persistence leads to
// the same server.
func visitBothPorts(s *site) (string, error) {
	from := s.visitor(false)
	first, err := s.get(from, "http://"+vip+"/lvs.html")
	if err != nil {
		return "", err
	}
	second, err := s.get(from, "http://"+vip+":8080/")
	if pageOf(first) != pageOf(second) {
		err = errors.Join(err, fmt.Errorf("port 80 is served by %q, port 8080 by %q", first, second))
	}
	return first, err
}

// serveUDP has everybody answer datagrams with their names.
func serveUDP(s *site) {
	for _, name := range []string{"rs1", "rs2", "director"} {
		var conn net.PacketConn
		err := s.In(name, func() (err error) {
			conn, err = net.ListenPacket("udp", vip+":80")
			return err
		})
		if err != nil {
			s.t.Fatal(err)
		}
		s.t.Cleanup(func() { conn.Close() })
		go func() {
			for buf := make([]byte, 100); ; {
				_, from, err := conn.ReadFrom(buf)
				if err != nil {
					return
				}
				_, _ = conn.WriteTo([]byte(name), from)
			}
		}()
	}
}

// visitUDP sends a datagram and waits for the answer.
func visitUDP(s *site) (string, error) {
	conn, err := s.dial(s.t.Context(), s.visitor(false), "udp", vip+":80")
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	if _, err := conn.Write([]byte("hello")); err != nil {
		return "", err
	}
	answer := make([]byte, 100)
	n, err := conn.Read(answer)
	return string(answer[:n]), err
}
