package checkspec

import (
	"strings"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// secrets are the spec's, to be looked for in what servers and libraries say.
func (spec *Spec) secrets() *secret.Set {
	s := new(secret.Set)
	s.Add(spec.Login, spec.Passwd)
	s.Add(spec.Login, spec.Secret)
	for _, h := range spec.HTTPHeader.All() {
		s.AddHeader(h.Name, h.Value)
	}
	s.AddRequest(spec.Request)
	s.AddCommand(spec.CheckCommand)
	return s
}

// coded says whether what a check sends holds its secrets in a code that a search for
// their text does not find but whoever reads it can undo: the header of HTTP/2
// is compressed, a password for RADIUS is hidden by the shared secret alone.
func (spec *Spec) coded() bool {
	return spec.Service == "radius" || spec.Service == "grpc" || spec.HTTPVersion == conf.HTTP2 && strings.HasPrefix(spec.Service, "http")
}

// Sent is the beginning of what was sent, as it may be shown.
func (k *Kit) Sent(text []byte) string {
	if len(text) > 0 && k.coded() && !k.Secrets.Empty() {
		return secret.Mask
	}
	return k.Secrets.HideIn(text)
}
