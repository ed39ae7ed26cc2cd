package report

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ldirectord/ldirectord/internal/safetext"
)

// The verbs of an Order. All but Enable last until the real server is enabled
// again, or as long as the order says.
const (
	Drain   = "drain"   // weight 0: no new connections, present ones end by themselves
	Disable = "disable" // out, as if it were down
	Enable  = "enable"  // what the checks say
	Weight  = "weight"  // another weight while it is in
)

// The verbs of an Order for virtual addresses. It names no real server, and its virtual is an
// address, "" for all.
const (
	Withdraw = "withdraw" // the address is not served
	Announce = "announce" // what its virtual services say
)

// OfAddress reports whether a verb is for virtual addresses.
func OfAddress(verb string) bool { return verb == Withdraw || verb == Announce }

// An Order is sent by an operator, for a real server.
type Order struct {
	Verb    string        `json:"verb"`
	Real    string        `json:"real"`              // its address, address and port, or name
	Virtual string        `json:"virtual,omitempty"` // as it is shown, with its protocol or as written; "" is all
	Weight  int           `json:"weight,omitempty"`
	Percent int           `json:"percent,omitempty"` // of the file's weight, in place of Weight; 0 is none
	For     time.Duration `json:"-"`                 // 0 is until it is enabled
	Comment string        `json:"comment,omitempty"`
	By      string        `json:"-"` // the user
}

// An Override is an order in force for one real server of one virtual
// service. It has no effect while they are in no configuration.
type Override struct {
	Verb    string    `json:"verb"`
	Virtual string    `json:"virtual"` // "tcp:10.0.0.1:80"
	Real    string    `json:"real"`    // "10.1.0.1:80"
	Weight  int       `json:"weight"`
	Percent int       `json:"percent,omitempty"` // of the file's weight, in place of Weight; 0 is none
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until,omitzero"` // zero is until it is enabled
	Comment string    `json:"comment,omitempty"`
	By      string    `json:"by"`
	Host    string    `json:"host,omitempty"` // the name by which the order was given, "" is the address

	// Remark says, in the answer to an order, why the real server stays out of
	// service nevertheless.
	Remark string `json:"remark,omitempty"`
}

// String returns the override in words: "drain by root for 1h0m0s: new disk".
func (o Override) String() string {
	words := o.Verb
	switch {
	case o.Verb == Weight && o.Percent > 0:
		words += fmt.Sprintf(" %d%%", o.Percent)
	case o.Verb == Weight:
		words += " " + strconv.Itoa(o.Weight)
	}
	words += " by " + o.By
	if !o.Until.IsZero() {
		lasts := o.Until.Sub(o.Since)
		if lasts > time.Second { // until TIME of a file begins when that was written
			lasts = lasts.Round(time.Second)
		}
		words += " for " + lasts.String()
	}
	if o.Comment != "" {
		words += ": " + o.Comment
	}
	return words
}

// A Target is a real server of a virtual service, whether configured or not.
type Target struct{ Virtual, Real string }

// Target returns the real server that o is for.
func (o Override) Target() Target { return Target{o.Virtual, o.Real} }

// MaxWeight is the highest weight, that of the kernel, ipvsadm and the file.
const MaxWeight = math.MaxInt32

// MaxPercent is the highest share of the file's weight that an order can give, as that of an agent.
const MaxPercent = 25600

// ParseWeight reads the weight of an order: N, or N% of the file's weight. Of the two the other
// one is 0; it is false if text is neither.
func ParseWeight(text string) (weight, percent int, ok bool) {
	digits, isPercent := strings.CutSuffix(text, "%")
	n, err := strconv.Atoi(digits)
	if isPercent {
		return 0, n, err == nil
	}
	return n, 0, err == nil
}

// maxComment keeps log lines and the state file small.
const maxComment = 200

// Check returns the mistake in an order in any configuration.
func (o Order) Check() error {
	switch {
	case !slices.Contains([]string{Drain, Disable, Enable, Weight, Withdraw, Announce}, o.Verb):
		return fmt.Errorf("there is no order %q: drain, disable, enable, weight, withdraw and announce are", o.Verb)
	case OfAddress(o.Verb) && o.Real != "":
		return fmt.Errorf("%s is for a virtual address, and %q is a real server", o.Verb, o.Real)
	case o.Real == "" && !OfAddress(o.Verb):
		return errors.New("which real server is meant?")
	case o.Weight < 0 || o.Weight > MaxWeight:
		return fmt.Errorf("a weight is 0 to %d", MaxWeight)
	case o.Percent < 0 || o.Percent > MaxPercent:
		return fmt.Errorf("a share of the file's weight is 0 to %d percent", MaxPercent)
	case o.Percent > 0 && o.Weight > 0:
		return errors.New("a weight is a number or a share of the file's weight, not both")
	case o.For < 0:
		return errors.New("an order cannot last less than no time")
	case len(o.Comment) > maxComment || strings.ContainsFunc(o.Comment, safetext.Misleads) || !utf8.ValidString(o.Comment):
		return fmt.Errorf("a comment is one line of at most %d bytes, without control characters", maxComment)
	}
	return nil
}

// Check returns why this program cannot have kept o, nil if it can.
func (o Override) Check() error {
	order := Order{Verb: o.Verb, Real: o.Real, Weight: o.Weight, Percent: o.Percent, Comment: o.Comment}
	if err := order.Check(); err != nil {
		return err
	}
	if OfAddress(o.Verb) {
		return o.checkAddress()
	}
	kind, name, _ := strings.Cut(o.Virtual, ":")
	_, notAddress := netip.ParseAddrPort(name)
	_, notMark := strconv.ParseUint(name, 10, 32)
	_, notReal := netip.ParseAddrPort(o.Real)
	switch {
	case o.Verb == Enable || o.Verb == Weight && o.Weight == 0 && o.Percent == 0:
		return fmt.Errorf("%s is not kept", o.Verb)
	case (kind == "tcp" || kind == "udp") && notAddress != nil, (kind == "fwm" || kind == "fwm6") && notMark != nil,
		!slices.Contains([]string{"tcp", "udp", "fwm", "fwm6"}, kind):
		return fmt.Errorf("%q is no virtual service", o.Virtual)
	case notReal != nil:
		return fmt.Errorf("%q is no real server", o.Real)
	case len(o.Host) > maxComment || strings.ContainsFunc(o.Host, safetext.Misleads) || !utf8.ValidString(o.Host):
		return errors.New("host is not the name of a real server")
	case len(o.By) > maxComment || strings.ContainsFunc(o.By, safetext.Misleads) || !utf8.ValidString(o.By):
		return errors.New("by is not the name of a user")
	}
	return nil
}

// checkAddress is Check for an order for an address.
func (o Override) checkAddress() error {
	_, err := netip.ParseAddr(o.Virtual)
	switch {
	case o.Verb != Withdraw:
		return fmt.Errorf("%s is not kept", o.Verb)
	case err != nil:
		return fmt.Errorf("%q is no virtual address", o.Virtual)
	case len(o.By) > maxComment || strings.ContainsFunc(o.By, safetext.Misleads) || !utf8.ValidString(o.By):
		return errors.New("by is not the name of a user")
	}
	return nil
}

// ErrPending is the error of an order that is in force while the kernel's table does not
// agree yet. The director goes on with it.
var ErrPending = errors.New("the kernel's table does not agree yet")

// ErrNotConfigured is the error of requests for a real server or virtual service that
// the configuration does not have.
var ErrNotConfigured = errors.New("not in the configuration")

// VirtualCalled reports whether an operator means the virtual service id by a name: its
// ID, with or without the protocol and in any spelling of the address, its address
// alone, or one of other names.
func VirtualCalled(id, name string, others ...string) bool {
	protocol, at, _ := strings.Cut(id, ":")
	switch {
	case name == "":
		return false
	case name == id, name == at, slices.Contains(others, name):
		return true
	}
	service, err := netip.ParseAddrPort(at)
	if err != nil { // a firewall mark
		return false
	}
	if a, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return a.Unmap() == service.Addr()
	}
	if before, after, ok := strings.Cut(name, ":"); ok && before == protocol {
		name = after
	}
	a, err := netip.ParseAddrPort(name)
	return err == nil && a.Addr().Unmap() == service.Addr() && a.Port() == service.Port()
}

// RealCalled reports whether an operator means a real server by a name: its address, with
// or without the port and in any spelling, or its host name, with or without the port. at
// is its address as configured, host the name that the file has in its place, "" for none.
func RealCalled(at netip.AddrPort, host, name string) bool {
	if a, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return a.Unmap() == at.Addr()
	}
	if a, err := netip.ParseAddrPort(name); err == nil {
		return a.Addr().Unmap() == at.Addr() && a.Port() == at.Port()
	}
	return host != "" && (strings.EqualFold(name, host) || strings.EqualFold(name, host+":"+strconv.Itoa(int(at.Port()))))
}

// NotConfigured returns an ErrNotConfigured that names the real server or virtual service.
func NotConfigured(name, virtual string) error {
	if name == "" {
		return fmt.Errorf("virtual service %s: %w", virtual, ErrNotConfigured)
	}
	if virtual != "" {
		return fmt.Errorf("real server %s of virtual service %s: %w", name, virtual, ErrNotConfigured)
	}
	return fmt.Errorf("real server %s: %w", name, ErrNotConfigured)
}
