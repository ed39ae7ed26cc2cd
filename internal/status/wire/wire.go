// Package wire has the requests and answers of the API that package report does not have.
// The daemon and its clients share them.
package wire

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
)

// SudoHeader names the user who became root to run a command, in the requests of the
// command line.
const SudoHeader = "Ldirectord-Sudo-User"

// ConfigurationHeader is the path, escaped as in a URL, of the configuration file that a
// request is about. The daemon of another file refuses it: two files of one name in two
// directories share a socket's name.
const ConfigurationHeader = "Ldirectord-Configuration"

// ReadersSocket is the path of the socket for readers beside a daemon's socket.
func ReadersSocket(socket string) string { return strings.TrimSuffix(socket, ".sock") + ".readers" }

// A Failure is the answer to a request that failed.
type Failure struct {
	Error string `json:"error"`
}

// An OrderRequest is an order as it is sent. A nil member is absent, which differs from 0.
type OrderRequest struct {
	Verb    string          `json:"verb"`
	Real    string          `json:"real,omitempty"`    // of all verbs but withdraw and announce
	Virtual *string         `json:"virtual,omitempty"` // nil is all; an address for withdraw and announce
	Weight  *int            `json:"weight,omitempty"`  // of the verb weight alone
	Percent *int            `json:"percent,omitempty"` // in place of Weight: of the file's weight
	For     *report.Seconds `json:"for_seconds,omitempty"`
	Comment string          `json:"comment,omitempty"`
}

// RequestOf is o as a request.
func RequestOf(o report.Order) OrderRequest {
	req := OrderRequest{Verb: o.Verb, Real: o.Real, Comment: o.Comment}
	if o.Virtual != "" {
		req.Virtual = &o.Virtual
	}
	switch {
	case o.Verb == report.Weight && o.Percent > 0:
		req.Percent = &o.Percent
	case o.Verb == report.Weight:
		req.Weight = &o.Weight
	}
	if o.For != 0 {
		seconds := report.Seconds(o.For.Seconds())
		req.For = &seconds
	}
	return req
}

// Order is the order of a request. The error says which member is missing or has no
// meaning.
func (req OrderRequest) Order() (report.Order, error) {
	o := report.Order{Verb: req.Verb, Real: req.Real, Comment: req.Comment}
	switch {
	case req.Real == "" && !report.OfAddress(req.Verb):
		return o, errors.New("real is missing: the address, address and port, or name of a real server")
	case req.Virtual != nil && *req.Virtual == "":
		return o, errors.New("virtual is empty: leave it out for all virtual services of the real server")
	case req.Weight == nil && req.Percent == nil && req.Verb == report.Weight:
		return o, fmt.Errorf("weight is missing: 0 to %d; 0 is what the verb drain does; or percent of the file's weight", report.MaxWeight)
	case req.Weight != nil && req.Percent != nil:
		return o, errors.New("weight and percent exclude each other: leave one out")
	case req.Weight != nil && req.Verb != report.Weight:
		return o, fmt.Errorf("weight has no meaning for the verb %s: leave it out, or use the verb weight", req.Verb)
	case req.Percent != nil && req.Verb != report.Weight:
		return o, fmt.Errorf("percent has no meaning for the verb %s: leave it out, or use the verb weight", req.Verb)
	case req.Real != "" && report.OfAddress(req.Verb):
		return o, fmt.Errorf("real has no meaning for the verb %s: leave it out, virtual is the address", req.Verb)
	case req.For != nil && (req.Verb == report.Enable || req.Verb == report.Announce):
		return o, fmt.Errorf("for_seconds has no meaning for the verb %s: leave it out", req.Verb)
	case req.For != nil && (*req.For <= 0 || *req.For > report.Seconds(Longest.Seconds()) || req.For.Duration() <= 0):
		return o, fmt.Errorf("for_seconds must be above 0 and at most %.0f: leave it out for an order that lasts until the real server is enabled", Longest.Seconds())
	}
	if req.Virtual != nil {
		o.Virtual = *req.Virtual
	}
	if req.Weight != nil {
		o.Weight = *req.Weight
	}
	if req.Percent != nil {
		o.Percent = *req.Percent
	}
	if req.For != nil {
		o.For = req.For.Duration()
	}
	return o, nil
}

// Longest is the longest time of an order that ends by itself.
const Longest = 366 * 24 * time.Hour

// An OrderAnswer has the real servers that follow an order.
type OrderAnswer struct {
	Obeyed  []report.Override `json:"obeyed"`
	Warning string            `json:"warning,omitempty"` // it will not outlive the daemon, or clients are refused
}

// A RecheckRequest names the real servers to check now.
type RecheckRequest struct {
	Real    *string `json:"real,omitempty"`    // nil is all
	Virtual *string `json:"virtual,omitempty"` // nil is all
}

// A Connection is one of the kernel's connections, or an entry of persistence.
type Connection struct {
	Protocol    string         `json:"protocol"`
	Client      string         `json:"client"`
	Virtual     string         `json:"virtual"`
	Real        string         `json:"real"`
	State       string         `json:"state"`
	Expires     report.Seconds `json:"expires_seconds"`
	Persistence bool           `json:"persistence,omitempty"`
}
