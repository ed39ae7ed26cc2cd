package bench

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"net/netip"
	"sync"
	"time"
)

// openTLS opens t for TLS. Its connections are goroutines: the handshake costs far
// more than they do.
func (s *server) openTLS(t *target) error {
	config, err := serverTLS()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp4", netip.AddrPortFrom(t.addr, uint16(s.port)).String())
	if err != nil {
		return err
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				continue // it went away again
			}
			s.mu.Lock()
			t.visited(time.Now())
			s.mu.Unlock()
			go answerTLS(tls.Server(conn, config))
		}
	}()
	return nil
}

// answerTLS answers one connection.
func answerTLS(conn *tls.Conn) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second)) // it is open
	var buffer [1024]byte
	if n, _ := conn.Read(buffer[:]); n > 0 {
		_, _ = conn.Write([]byte(okAnswer))
	}
}

// serverTLS is the servers' TLS configuration: a self-signed certificate, and no
// resumed sessions, so that all handshakes cost the same.
var serverTLS = sync.OnceValues(func() (*tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().AddDate(1, 0, 0)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return &tls.Config{
		Certificates:           []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: key}},
		SessionTicketsDisabled: true,
	}, err
})
