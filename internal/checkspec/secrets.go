package checkspec

import (
	"strings"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// secrets returns the secrets of the spec, to be masked in the texts of servers and
// libraries.
func (spec *Spec) secrets() *secret.Set {
	s := new(secret.Set)
	s.Add(spec.Login, spec.Passwd)
	s.Add(spec.Login, spec.Secret)
	for _, h := range spec.HTTPHeader.All() {
		s.AddHeader(h.Name, h.Value)
	}
	s.AddRequest(spec.Request)
	s.AddCommand(spec.CheckCommand)
	s.AddCommand(secret.Command("command " + spec.CheckArgs.Reveal()))
	arguments, _ := conf.ShellWords(spec.CheckArgs.Reveal())
	s.AddArguments(arguments)
	return s
}

// coded reports whether checks send their secrets in an encoding that a search for
// the text misses and any reader can decode: HTTP/2 compresses the header, and
// RADIUS hides a password by the shared secret alone.
func (spec *Spec) coded() bool {
	return spec.Service == "radius" || spec.Service == "grpc" || spec.HTTPVersion == conf.HTTP2 && strings.HasPrefix(spec.Service, "http")
}

// Sent returns the beginning of the sent bytes with masked secrets.
func (k *Kit) Sent(text []byte) string {
	if len(text) > 0 && k.coded() && !k.Secrets.Empty() {
		return secret.Mask
	}
	return k.Secrets.HideIn(text)
}
