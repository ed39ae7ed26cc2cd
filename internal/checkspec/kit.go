package checkspec

import (
	"crypto/tls"
	"fmt"
	"unique"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/perlre"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// A Kit is what checks of one spec share: thousands of them run with one compiled
// pattern. It is made once and read by many goroutines, except while checkers are
// made from it, which only one goroutine may do.
type Kit struct {
	Spec
	Handle              unique.Handle[Spec]
	Secrets             *secret.Set // to be hidden in what servers and libraries say
	network             string
	receive, receiveNot *perlre.Pattern
	web                 *checker.HTTPOptions // of all web checks, nil until the first of them
	shared              *tls.Config          // what the checks' own are copies of, nil until the first of them
	err                 error                // why no check of this spec can be made
}

// New is the kit of a spec.
func New(h unique.Handle[Spec]) *Kit {
	k := &Kit{Spec: h.Value(), Handle: h, network: "tcp"}
	k.Secrets = k.secrets()
	if k.UDP {
		k.network = "udp"
	}
	k.receive = k.pattern(k.Receive)
	k.receiveNot = k.pattern(k.ReceiveNot)
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
