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

// verify is the required quality of a certificate. The default of ldaps is none, as
// in the original's library.
func (s *Spec) verify() checker.Verify {
	if s.SSLVerify == conf.VerifyChain && (s.Service == "ldaps" || s.Service == "ldap") {
		return checker.VerifyNone
	}
	return verifies[s.SSLVerify]
}

// tlsConfig is the TLS configuration for at; expires gets the expiry time of its
// certificate. The authorities and our own certificate are read once for all: a
// file with a hundred authorities takes a quarter of a megabyte of memory.
func (k *Kit) tlsConfig(at netip.AddrPort, expires func(time.Time)) (*tls.Config, error) {
	name := cmp.Or(k.SSLName, at.Addr().String())
	if k.SSLName == "" && k.verify() == checker.VerifyFull {
		return k.newTLS(name, expires) // the certificate has to contain this address
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
