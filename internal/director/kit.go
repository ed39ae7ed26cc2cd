package director

import (
	"crypto/tls"
	"fmt"
	"strings"
	"unique"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/perlre"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// A kit is what checks in the same manner share: thousands of them are asked
// with one compiled pattern.
type kit struct {
	manner
	handle              unique.Handle[manner]
	network             string
	receive, receiveNot *perlre.Pattern
	statuses            checker.Statuses
	headers             []string
	asked               *checker.HTTPOptions // by all web checks, nil until the first of them
	secrets             *secret.Set
	usual               *finding    // what was last said of a server that is up, nil is nothing yet; the director's goroutine's
	shared              *tls.Config // what the checks' own are copies of, nil until the first of them
	err                 error       // why nothing can be asked in this manner
}

// kits are those that one load has made. The next load makes its own, so that a
// kit is gone with the last check that needs it.
type kits map[unique.Handle[manner]]*kit

// of is the kit for a manner.
func (k kits) of(m unique.Handle[manner]) *kit {
	if k[m] == nil {
		k[m] = newKit(m)
	}
	return k[m]
}

func newKit(h unique.Handle[manner]) *kit {
	m := h.Value()
	k := &kit{manner: m, handle: h, network: "tcp", secrets: m.secrets()}
	if m.udp {
		k.network = "udp"
	}
	k.receive = k.pattern(m.receive)
	k.receiveNot = k.pattern(m.receiveNot)
	if m.web.headers != "" {
		k.headers = strings.Split(m.web.headers.Reveal(), "\n")
	}
	if m.web.status != "" && k.err == nil {
		k.statuses, k.err = checker.ParseStatuses(m.web.status)
	}
	return k
}

func (k *kit) pattern(text string) *perlre.Pattern {
	if text == "" || k.err != nil {
		return nil
	}
	p, err := perlre.Compile(text)
	if err != nil {
		k.err = fmt.Errorf("pattern %q: %w", text, err)
	}
	return p
}
