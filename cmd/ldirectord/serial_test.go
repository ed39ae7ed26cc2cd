package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"testing"
)

// TestNegativeSerial has this program read a certificate whose serial number is
// negative, which crypto/x509 refuses unless told otherwise.
func TestNegativeSerial(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(0x7f)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	der = bytes.Replace(der, []byte{2, 1, 0x7f}, []byte{2, 1, 0xff}, 1) // INTEGER 127, INTEGER -1
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	if got := certificate.SerialNumber.Int64(); got != -1 {
		t.Errorf("serial number %d, want -1", got)
	}
}
