// Package fleet asks all directors of a configuration at once, over their HTTP interface, and
// compares their answers. The command line and the page of the fleet use it.
package fleet

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/rights"
	"github.com/ldirectord/ldirectord/internal/status/client"
	"github.com/ldirectord/ldirectord/internal/status/wire"
)

// Patience is how long all directors together have for their answers.
const Patience = 5 * time.Second

// examination is how long the doctors of all directors have: each listens to others for some
// seconds.
const examination = 25 * time.Second

// answerSize bounds the answer of one director: 10,000 real servers are 20 MiB.
const answerSize = 64 << 20

// A Right is what a request needs.
type Right uint8

// The rights.
const (
	ToRead    Right = iota // with statusreadtoken if the file has it
	ToKnow                 // what is not for each reader: with statusreadtoken, else statustoken
	ToOrder                // with statustoken
	ToExamine              // as ToKnow, with the time that the doctor needs
)

// A Fleet is the directors of a configuration, with what they are asked with.
type Fleet struct {
	Directors []string // HOST:PORT, as configured

	cfg   conf.StatusServer
	tls   *tls.Config // nil is plain text
	limit int64       // of an answer
}

// New returns the fleet of a configuration. Its error is of the file of statusca.
func New(cfg conf.StatusServer) (*Fleet, error) {
	f := &Fleet{Directors: cfg.Directors, cfg: cfg, limit: answerSize}
	if !cfg.SpeaksTLS() {
		return f, nil
	}
	f.tls = &tls.Config{MinVersion: tls.VersionTLS12}
	if cfg.StatusCA == "" {
		return f, nil
	}
	list, err := Authorities(cfg.StatusCA)
	if err != nil {
		return nil, err
	}
	f.tls.RootCAs = poolOf(list)
	return f, nil
}

func poolOf(list []*x509.Certificate) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, c := range list {
		pool.AddCert(c)
	}
	return pool
}

// CheckOwn returns why the other directors of a fleet with statusca refuse the certificate of this
// one; nil if they accept it, or if there is none. That it has ended is not looked for. Which
// of directors is this one is not known: the certificate has to have the name of any of them.
func CheckOwn(cfg conf.StatusServer) error {
	if cfg.StatusCert == "" || cfg.StatusCA == "" || len(cfg.Directors) == 0 {
		return nil
	}
	authorities, err := Authorities(cfg.StatusCA)
	if err != nil {
		return err
	}
	chain, err := certificates(cfg.StatusCert)
	if err != nil {
		return err
	}
	own := chain[0]
	_, err = own.Verify(x509.VerifyOptions{Roots: poolOf(authorities), Intermediates: poolOf(chain[1:]), CurrentTime: own.NotAfter})
	if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); unknown {
		return errors.New("the certificate of statuscert is of no authority of statusca, and the other directors refuse it")
	}
	if !slices.ContainsFunc(cfg.Directors, func(director string) bool {
		host, _, _ := net.SplitHostPort(director)
		return own.VerifyHostname(host) == nil
	}) {
		return errors.New("the certificate of statuscert has no name or address of directors, and the other directors refuse it")
	}
	return nil
}

// Authorities reads the certificates in the file of statusca. There is at least one.
func Authorities(path string) ([]*x509.Certificate, error) { return certificates(path) }

// certificates reads those of a file in PEM, at least one.
func certificates(path string) (list []*x509.Certificate, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if c, err := x509.ParseCertificate(block.Bytes); err == nil && block.Type == "CERTIFICATE" {
			list = append(list, c)
		}
	}
	if len(list) == 0 {
		return nil, errors.New(path + " has no certificate in PEM")
	}
	return list, nil
}

// token is the token for a right, "" if none is to be sent.
func (f *Fleet) token(right Right) (string, error) {
	directive, path := "statusreadtoken", f.cfg.StatusReadToken
	if right == ToOrder || (right == ToKnow || right == ToExamine) && path == "" {
		directive, path = "statustoken", f.cfg.StatusToken
	}
	if path == "" && right == ToOrder {
		return "", errors.New("orders for all directors need a token: statustoken")
	}
	if path == "" {
		return "", nil
	}
	token, err := rights.Token(path)
	if err != nil {
		return "", fmt.Errorf("the token for the directors cannot be used: %s: %w", directive, err)
	}
	return token, nil
}

// An Answer is what one director answered.
type Answer[T any] struct {
	Director string
	Value    T // zero if Err is not nil
	Err      error
	At       time.Time // of the answer, or the failure
}

// Ask asks all directors at once, and returns their answers in the order of the file. ctx and
// Patience bound all of them together. The error is that of a token, with which none was asked.
func Ask[T any](ctx context.Context, f *Fleet, right Right, ask func(context.Context, *client.Client) (T, error)) ([]Answer[T], error) {
	token, err := f.token(right)
	if err != nil {
		return nil, err
	}
	patience := Patience
	if right == ToExamine {
		patience = examination
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answers := make([]Answer[T], len(f.Directors))
	var asking sync.WaitGroup
	for i, director := range f.Directors {
		asking.Go(func() {
			c := client.NewRemote(client.Remote{Address: director, TLS: f.tls, Token: token, Limit: f.limit})
			defer c.Close()
			value, err := ask(ctx, c)
			answers[i] = Answer[T]{Director: director, Value: value, Err: err, At: time.Now()}
		})
	}
	asking.Wait()
	return answers, nil
}

// Failed returns the directors whose answer is an error.
func Failed[T any](answers []Answer[T]) (directors []string) {
	for _, a := range answers {
		if a.Err != nil {
			directors = append(directors, a.Director)
		}
	}
	return directors
}

// Order gives all directors an order.
func (f *Fleet) Order(ctx context.Context, o report.Order) ([]Answer[wire.OrderAnswer], error) {
	return Ask(ctx, f, ToOrder, func(ctx context.Context, c *client.Client) (wire.OrderAnswer, error) {
		answer, err := c.Order(ctx, o)
		if errors.Is(err, client.ErrNoContact) && ctx.Err() != nil {
			err = fmt.Errorf("%w; whether it has got the order is not known", err)
		}
		return answer, err
	})
}

// Doctor requests what is wrong with the host of each director. One that does not say within
// Patience which addresses it serves is not waited for.
func (f *Fleet) Doctor(ctx context.Context) ([]Answer[[]client.Finding], error) {
	return Ask(ctx, f, ToExamine, func(ctx context.Context, c *client.Client) ([]client.Finding, error) {
		soon, cancel := context.WithTimeout(ctx, Patience)
		defer cancel()
		if _, err := c.Served(soon); errors.Is(err, client.ErrNoContact) || errors.Is(err, client.ErrNoAnswer) {
			return nil, err
		}
		return c.Doctor(ctx)
	})
}

// Snapshots requests what each director knows of the real servers of these names; "" is all.
func (f *Fleet) Snapshots(ctx context.Context, virtual, real string) ([]Answer[*report.Snapshot], error) {
	return Ask(ctx, f, ToRead, func(ctx context.Context, c *client.Client) (*report.Snapshot, error) {
		snap, err := c.Snapshot(ctx, virtual, real)
		if err == nil && (snap.State == "" || snap.Config == "") {
			err = errors.New("its answer has no state, perhaps it is another version of ldirectord")
		}
		if err != nil {
			return nil, err
		}
		return snap, nil
	})
}
