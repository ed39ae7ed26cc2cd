package ipvs

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A rule is behaviour of every Table: changes one after another, the answer to
// each, and the table afterwards.
type rule struct {
	name  string
	steps []step
	table []string // as Save prints it
}

type step struct {
	change Change
	is     error  // nil: the change is made
	text   string // of the error, whole; "" is not looked at
}

// errAny is any error that callers do not distinguish.
var errAny = errors.New("any error")

// do is a step that succeeds, or fails with the error in fails.
func do(op Op, s Service, d ...Destination) step {
	c := Change{Op: op, Service: s}
	if len(d) == 1 {
		c.Destination = d[0]
	}
	return step{change: c}
}

func (s step) fails(is error, text string) step {
	s.is, s.text = is, text
	return s
}

func service(p Protocol, addr, scheduler string) Service {
	return Service{Key: AddrKey(p, netip.MustParseAddrPort(addr)), Scheduler: scheduler}
}

func markService(mark uint32, ipv6 bool, scheduler string) Service {
	return Service{Key: MarkKey(mark, ipv6), Scheduler: scheduler}
}

func (s Service) persistent(timeout uint32, netmask Netmask) Service {
	s.Flags |= FlagPersistent
	s.Timeout, s.Netmask = timeout, netmask
	return s
}

func (s Service) flags(f Flags) Service {
	s.Flags |= f
	return s
}

func (s Service) engine(name string) Service {
	s.PE = name
	return s
}

func destination(addr string, f Forward, weight int) Destination {
	return Destination{AddrPort: netip.MustParseAddrPort(addr), Forward: f, Weight: weight}
}

func (d Destination) thresholds(upper, lower uint32) Destination {
	d.Upper, d.Lower = upper, lower
	return d
}

// testRule does a rule's steps on an empty table and compares its contents then.
func testRule(t *testing.T, table Table, r rule) {
	t.Helper()
	for _, s := range r.steps {
		testStep(t, table, s)
	}
	if diff := cmp.Diff(r.table, saved(t, table)); diff != "" {
		t.Errorf("table afterwards (-want +got):\n%s", diff)
	}
}

// testRuleTogether does the same with all steps at once.
func testRuleTogether(t *testing.T, table Table, r rule) {
	t.Helper()
	changes := make([]Change, len(r.steps))
	for i, s := range r.steps {
		changes[i] = s.change
	}
	for i, err := range ApplyAll(table, changes) {
		r.steps[i].compare(t, err)
	}
	if diff := cmp.Diff(r.table, saved(t, table)); diff != "" {
		t.Errorf("table afterwards (-want +got):\n%s", diff)
	}
}

func testStep(t *testing.T, table Table, s step) {
	t.Helper()
	s.compare(t, table.Apply(s.change))
}

// compare compares the result of a step with the expected one.
func (s step) compare(t *testing.T, err error) {
	t.Helper()
	switch {
	case s.is == nil && err != nil:
		t.Errorf("%v", err)
	case s.is != nil && err == nil:
		t.Errorf("%s was done, and should be refused", s.change)
	case s.is != nil && !errors.Is(s.is, errAny) && !errors.Is(err, s.is):
		t.Errorf("%s: got error %q, which is not %q", s.change, err, s.is)
	case s.text != "" && err.Error() != s.text:
		t.Errorf("%s: error (-want +got):\n%s", s.change, cmp.Diff(s.text, err.Error()))
	}
}

// saved is a table as lines, nil if it is empty.
func saved(t *testing.T, table Table) []string {
	t.Helper()
	var b strings.Builder
	if err := Save(&b, entries(t, table)); err != nil {
		t.Fatal(err)
	}
	return strings.FieldsFunc(b.String(), func(r rune) bool { return r == '\n' })
}

func entries(t *testing.T, table Table) []Entry {
	t.Helper()
	e, err := table.Read()
	if err != nil {
		t.Fatal(err)
	}
	return e
}
