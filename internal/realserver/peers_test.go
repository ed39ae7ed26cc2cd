package realserver_test

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/ldirectord/ldirectord/internal/realserver"
)

// healthServer answers as a grpc server that has the health service: itself and
// its service shop serve, its service pay does not.
// With a certificate it speaks TLS.
func healthServer(t *testing.T, cert *realserver.Certificate) netip.AddrPort {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		service := ""
		if len(body) > 7 { // 5 bytes of frame, then field 1 and its length
			service = string(body[7:])
		}
		w.Header().Set("Content-Type", "application/grpc")
		w.Header().Set("Trailer", "Grpc-Status")
		status, ok := map[string]byte{"": 1, "shop": 1, "pay": 2}[service]
		if !ok {
			w.Header().Set("Grpc-Status", "5")
			return
		}
		w.Write([]byte{0, 0, 0, 0, 2, 1 << 3, status})
		w.Header().Set("Grpc-Status", "0")
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	if cert != nil {
		s.TLS = &tls.Config{Certificates: []tls.Certificate{cert.TLS}}
		s.EnableHTTP2 = true
		s.StartTLS()
	} else {
		s.Config.Protocols = new(http.Protocols)
		s.Config.Protocols.SetUnencryptedHTTP2(true)
		s.Start()
	}
	t.Cleanup(s.Close)
	return s.Listener.Addr().(*net.TCPAddr).AddrPort()
}

// oracleListener answers as an Oracle listener without a database of the
// requested name: a TNS packet of the type Refuse.
func oracleListener(t *testing.T) netip.AddrPort {
	t.Helper()
	const why = "(DESCRIPTION=(TMP=)(VSNNUM=0)(ERR=12505)(ERROR_STACK=(ERROR=(CODE=12505)(EMFI=4))))"
	packet := binary.BigEndian.AppendUint16(nil, uint16(12+len(why)))
	packet = append(packet, 0, 0, 4, 0, 0, 0, 0x22, 0)
	packet = binary.BigEndian.AppendUint16(packet, uint16(len(why)))
	packet = append(packet, why...)
	return listen(t, func(conn net.Conn) {
		conn.Read(make([]byte, 2048))
		conn.Write(packet)
	})
}

// listen serves connections one after another until the test ends.
func listen(t *testing.T, serve func(net.Conn)) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serve(conn)
			conn.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-ended
	})
	return l.Addr().(*net.TCPAddr).AddrPort()
}
