package director

import (
	"cmp"
	"crypto/tls"
	"net/netip"
	"time"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/conf"
)

// overTLS are the services that speak TLS from the start.
var overTLS = map[string]bool{"https": true, "imaps": true, "pops": true, "ldaps": true, "tls": true}

var verifies = map[conf.SSLVerify]checker.Verify{
	conf.VerifyChain: checker.VerifyChain,
	conf.VerifyFull:  checker.VerifyFull,
	conf.VerifyNone:  checker.VerifyNone,
}

// verify is what a certificate must prove. Where the file says nothing, ldaps
// proves nothing, as with the original's library.
func (m *manner) verify() checker.Verify {
	if m.tls.verify == conf.VerifyChain && (m.service == "ldaps" || m.service == "ldap") {
		return checker.VerifyNone
	}
	return verifies[m.tls.verify]
}

// tlsConfig is how TLS is spoken with at; expires is told when its certificate
// ends. The authorities and our own certificate are read once for all: a file
// with a hundred authorities is a quarter of a megabyte in memory.
func (k *kit) tlsConfig(at netip.AddrPort, expires func(time.Time)) (*tls.Config, error) {
	name := cmp.Or(k.tls.name, at.Addr().String())
	if k.tls.name == "" && k.verify() == checker.VerifyFull {
		return k.newTLS(name, expires) // the certificate has to be for this very address
	}
	if k.shared == nil {
		var err error
		if k.shared, err = k.newTLS(name, nil); err != nil {
			return nil, err
		}
	}
	c := k.shared.Clone()
	if k.tls.name == "" {
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

func (k *kit) newTLS(name string, expires func(time.Time)) (*tls.Config, error) {
	return checker.TLSConfig(checker.TLSOptions{
		Verify: k.verify(), CAFile: k.manner.tls.caFile, CertFile: k.manner.tls.cert, KeyFile: k.manner.tls.key,
		Name: name, OnLeaf: expires,
	})
}
