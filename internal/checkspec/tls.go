package checkspec

import (
	"cmp"
	"crypto/tls"
	"net/netip"
	"time"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/conf"
)

var verifies = map[conf.SSLVerify]checker.Verify{
	conf.VerifyChain: checker.VerifyChain,
	conf.VerifyFull:  checker.VerifyFull,
	conf.VerifyNone:  checker.VerifyNone,
}

// verify is what a certificate must prove. Where the file says nothing, ldaps
// proves nothing, as with the original's library.
func (s *Spec) verify() checker.Verify {
	if s.SSLVerify == conf.VerifyChain && (s.Service == "ldaps" || s.Service == "ldap") {
		return checker.VerifyNone
	}
	return verifies[s.SSLVerify]
}

// tlsConfig is how TLS is spoken with at; expires is told when its certificate
// ends. The authorities and our own certificate are read once for all: a file
// with a hundred authorities is a quarter of a megabyte in memory.
func (k *Kit) tlsConfig(at netip.AddrPort, expires func(time.Time)) (*tls.Config, error) {
	name := cmp.Or(k.SSLName, at.Addr().String())
	if k.SSLName == "" && k.verify() == checker.VerifyFull {
		return k.newTLS(name, expires) // the certificate has to be for this very address
	}
	if k.shared == nil {
		var err error
		if k.shared, err = k.newTLS(name, nil); err != nil {
			return nil, err
		}
	}
	c := k.shared.Clone()
	if k.SSLName == "" {
		c.ServerName = name
	}
	verify := c.VerifyConnection
	c.VerifyConnection = func(state tls.ConnectionState) error {
		if expires != nil {
			expires(state.PeerCertificates[0].NotAfter)
		}
		return verify(state)
	}
	return c, nil
}

func (k *Kit) newTLS(name string, expires func(time.Time)) (*tls.Config, error) {
	return checker.TLSConfig(checker.TLSOptions{
		Verify: k.verify(), CAFile: k.SSLCAFile, CertFile: k.SSLCert, KeyFile: k.SSLKey,
		Name: name, OnLeaf: expires,
	})
}
