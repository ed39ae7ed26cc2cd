package engine

import (
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"strings"
)

// withOffer appends config's offer to the text of a failed handshake if the server
// accepted no part of it: the alert alone does not show the cause.
func withOffer(text string, err error, config *tls.Config) string {
	switch op, ok := errors.AsType[*net.OpError](err); {
	case ok && op.Op == "remote error" && slices.Contains(nothingAccepted, op.Err.Error()):
		return text + " (offered: " + offer(config) + ")"
	case strings.Contains(err.Error(), "unsupported type of public key"):
		return strings.TrimSuffix(text, ": <nil>") + " (offered: " + offeredKeys + ")"
	}
	return text
}

// nothingAccepted are the alerts of such a server, in the words of crypto/tls (RFC
// 5246 7.2.2, RFC 8446 6.2).
var nothingAccepted = []string{
	"tls: handshake failure", "tls: protocol version not supported", "tls: insufficient security level", "tls: unsupported certificate",
}

// offeredKeys are the keys of certificates that crypto/tls accepts.
const offeredKeys = "certificates with RSA, ECDSA or Ed25519 keys"

// offer is what config offers, in one line.
func offer(config *tls.Config) string {
	suites := config.CipherSuites
	if suites == nil {
		for _, suite := range tls.CipherSuites() {
			suites = append(suites, suite.ID)
		}
	}
	var exchanges, ciphers []string
	for _, id := range suites {
		exchange, cipher, ok := strings.Cut(strings.TrimPrefix(tls.CipherSuiteName(id), "TLS_"), "_WITH_")
		if !ok { // of TLS 1.3
			continue
		}
		exchange, _, _ = strings.Cut(exchange, "_")
		exchanges = append(exchanges, exchange)
		cipher, _, _ = strings.Cut(cipher, "_SHA")
		ciphers = append(ciphers, strings.ReplaceAll(cipher, "_", "-"))
	}
	groups := make([]string, len(config.CurvePreferences))
	for i, group := range config.CurvePreferences {
		groups[i] = strings.Replace(group.String(), "CurveP", "P-", 1)
	}
	parts := []string{versions(config), distinct(exchanges) + " with " + distinct(ciphers)}
	if len(groups) > 0 {
		parts = append(parts, "groups "+strings.Join(groups, ", "))
	}
	return strings.Join(append(parts, offeredKeys), "; ")
}

// versions names the versions that config offers.
func versions(config *tls.Config) string {
	var names []string
	for version := uint16(tls.VersionTLS10); version <= tls.VersionTLS13; version++ {
		lowest := max(config.MinVersion, tls.VersionTLS10)
		if config.MinVersion == 0 {
			lowest = tls.VersionTLS12
		}
		if version >= lowest && (config.MaxVersion == 0 || version <= config.MaxVersion) {
			names = append(names, tls.VersionName(version))
		}
	}
	return strings.Join(names, ", ")
}

// distinct joins words in their order, each once.
func distinct(words []string) string {
	var once []string
	for _, word := range words {
		if !slices.Contains(once, word) {
			once = append(once, word)
		}
	}
	return strings.Join(once, ", ")
}
