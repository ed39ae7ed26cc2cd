package checker

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"
)

// A TLS check is up when a TLS handshake succeeds, whatever the protocol above it.
type TLS struct {
	Addr   netip.AddrPort
	Config *tls.Config
}

// String implements Checker.
func (c TLS) String() string { return "tls handshake with " + c.Addr.String() }

// Target implements Talker.
func (c TLS) Target() Target { return Target{Network: "tcp", Addr: c.Addr, TLS: c.Config} }

// Dialogue implements Talker: there is none.
func (c TLS) Dialogue() Dialogue { return nil }

// Verify is the required quality of a server's certificate.
type Verify uint8

// The original's behaviour, which is the default, then a stricter level, then none.
const (
	VerifyChain Verify = iota // a known authority has issued it and it has not expired; the name does not matter
	VerifyFull                // the same, and it is for the Name
	VerifyNone                // any certificate
)

// TLSOptions are the TLS settings for one real server.
type TLSOptions struct {
	Verify   Verify
	CAFile   string   // PEM file of the known authorities; "" is the system's
	Name     string   // is sent to the server (unless it is an address), and VerifyFull expects it; a port in it does not count
	CertFile string   // PEM file of our certificate with its chain; "" is none
	KeyFile  string   // PEM file of its key; "" is CertFile
	ALPN     []string // the application protocols to offer, nil is none

	// OnLeaf gets the expiry time of the server's certificate in every handshake,
	// also if the handshake fails because of it. It may be nil. Several goroutines
	// may call it at once, and it must not block.
	OnLeaf func(notAfter time.Time)
}

// TLSConfig is the configuration that o describes. It reads the files of o once,
// during the call. The error names the file.
//
// TLS 1.2 is the oldest version, as in the OpenSSL of the original. Sessions are
// not resumed: every check makes a full handshake.
func TLSConfig(o TLSOptions) (*tls.Config, error) {
	o.Name = hostOnly(o.Name)
	if o.Verify == VerifyFull && o.Name == "" {
		return nil, errors.New("a certificate's name cannot be verified: no name is known")
	}
	roots, err := readAuthorities(o.CAFile)
	if err != nil {
		return nil, err
	}
	certificates, err := readCertificate(o.CertFile, o.KeyFile)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		ServerName:             o.Name,
		MinVersion:             tls.VersionTLS12,
		CipherSuites:           cipherSuites(),
		CurvePreferences:       []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521},
		NextProtos:             o.ALPN,
		Certificates:           certificates,
		SessionTicketsDisabled: true,
		// crypto/tls verifies all or nothing; verifyConnection replaces it.
		InsecureSkipVerify: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			return o.verifyConnection(state, roots)
		},
	}, nil
}

// hostOnly is the part of a virtual host's name that a certificate contains.
func hostOnly(name string) string {
	if host, _, err := net.SplitHostPort(name); err == nil {
		name = host
	}
	return strings.TrimSuffix(strings.Trim(name, "[]"), ".")
}

// verifyConnection verifies the certificate of a server.
func (o TLSOptions) verifyConnection(state tls.ConnectionState, roots *x509.CertPool) error {
	leaf := state.PeerCertificates[0]
	if o.OnLeaf != nil {
		o.OnLeaf(leaf.NotAfter)
	}
	if o.Verify == VerifyNone {
		return nil
	}
	options := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
	for _, between := range state.PeerCertificates[1:] {
		options.Intermediates.AddCert(between)
	}
	if o.Verify == VerifyFull {
		// After a redirect the requested name is another one.
		options.DNSName = o.Name
		if state.ServerName != "" {
			options.DNSName = state.ServerName
		}
	}
	_, err := leaf.Verify(options)
	return err
}

// readAuthorities returns the pool of the certificates in file, nil for the
// system's.
func readAuthorities(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s: no certificate in it", file)
	}
	return pool, nil
}

// readCertificate returns our own certificate.
func readCertificate(certFile, keyFile string) ([]tls.Certificate, error) {
	if certFile == "" {
		return nil, nil
	}
	if keyFile == "" {
		keyFile = certFile
	}
	certificate, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("client certificate %s: %w", certFile, err)
	}
	return []tls.Certificate{certificate}, nil
}

// cipherSuites are those of crypto/tls and the old ones with AES that Debian's
// OpenSSL accepts too: their age is not the subject of a check.
func cipherSuites() []uint16 {
	var ids []uint16
	for _, suite := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		if !suite.Insecure || strings.Contains(suite.Name, "_WITH_AES_") {
			ids = append(ids, suite.ID)
		}
	}
	return ids
}
