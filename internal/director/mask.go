package director

import (
	"errors"
	"strings"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// secrets are m's, to be looked for in what servers and libraries say.
func (m *manner) secrets() *secret.Set {
	s := new(secret.Set)
	s.Add(m.login, m.passwd)
	s.Add(m.login, m.secret)
	for line := range strings.Lines(m.web.headers.Reveal()) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		s.AddHeader(name, secret.Text(value))
	}
	s.AddRequest(m.request)
	s.AddCommand(m.command)
	return s
}

// coded says whether what m sends holds its secrets in a code that a search for
// their text does not find but whoever reads it can undo: the header of HTTP/2
// is compressed, a password for RADIUS is hidden by the shared secret alone.
func (m *manner) coded() bool {
	return m.service == "radius" || m.service == "grpc" || m.web.version == conf.HTTP2 && strings.HasPrefix(m.service, "http")
}

// sent is the beginning of what was sent, as it may be shown.
func (k *kit) sent(text []byte) string {
	if len(text) > 0 && k.coded() && !k.secrets.Empty() {
		return secret.Mask
	}
	return k.secrets.HideIn(text)
}

// hideResult takes the secrets out of what a result says: servers exist that
// repeat in their answers what they were sent.
func (k *kit) hideResult(res *engine.Result) {
	res.Detail = k.secrets.Hide(res.Detail)
	if res.Err == nil {
		return
	}
	text := res.Err.Error()
	if hidden := k.secrets.Hide(text); hidden != text {
		res.Err = errors.New(hidden)
	}
}
