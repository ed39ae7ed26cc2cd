package checkspec

import (
	"crypto/tls"
	"fmt"
	"unique"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/origin"
	"github.com/ldirectord/ldirectord/internal/perlre"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// A Kit is shared by all checks of one spec: thousands of them use one compiled
// pattern. Many goroutines may read it, but only one at a time may make checkers
// from it.
type Kit struct {
	Spec
	Handle              unique.Handle[Spec]
	Secrets             *secret.Set // to be masked in the texts of servers and libraries
	network             string
	from                *origin.Origin // of all checks, nil is the kernel's choice
	receive, receiveNot *perlre.Pattern
	receiveDrain        *perlre.Pattern
	domains             string               // of DNS checks, for names without a dot
	web                 *checker.HTTPOptions // for all web checks, nil before the first
	shared              *tls.Config          // the template of the checks' own, nil before the first
	err                 error                // the reason why no check of this spec is possible
}

// New is the kit of a spec.
func New(h unique.Handle[Spec]) *Kit {
	k := &Kit{Spec: h.Value(), Handle: h, network: "tcp"}
	k.Secrets = k.secrets()
	k.from = origin.Of(k.CheckSource, k.CheckDevice, k.CheckMark)
	if k.UDP {
		k.network = "udp"
	}
	if k.Service == "dns" {
		k.domains = searchDomains()
	}
	k.receive = k.pattern(k.Receive)
	k.receiveNot = k.pattern(k.ReceiveNot)
	k.receiveDrain = k.pattern(k.ReceiveDrain)
	return k
}

func (k *Kit) pattern(text string) *perlre.Pattern {
	if text == "" || k.err != nil {
		return nil
	}
	p, err := perlre.Compile(text)
	if err != nil {
		k.err = fmt.Errorf("pattern %q: %w", text, err)
	}
	return p
}
