package director

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/event"
)

// The verbs of an Order. All but Enable last until the real server is enabled
// again, or as long as the order says.
const (
	Drain   = "drain"   // weight 0: no new connections, those that stand run out
	Disable = "disable" // out, as if it were down
	Enable  = "enable"  // what the checks say
	Weight  = "weight"  // another weight while it is in
)

// An Order is what an operator wants of a real server.
type Order struct {
	Verb    string        `json:"verb"`
	Real    string        `json:"real"`              // its address, address and port, or name
	Virtual string        `json:"virtual,omitempty"` // as it is shown, with its protocol or as written; "" is all
	Weight  int           `json:"weight,omitempty"`
	For     time.Duration `json:"-"` // 0 is until it is enabled
	Comment string        `json:"comment,omitempty"`
	By      string        `json:"-"` // who asked
}

// An Override is an order that is in force for one real server of one virtual
// service. It has no effect while they are in no configuration.
type Override struct {
	Verb    string    `json:"verb"`
	Virtual string    `json:"virtual"` // "tcp:10.0.0.1:80"
	Real    string    `json:"real"`    // "10.1.0.1:80"
	Weight  int       `json:"weight"`
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until,omitzero"` // zero is until it is enabled
	Comment string    `json:"comment,omitempty"`
	By      string    `json:"by"`

	// Remark says, in the answer to an order, why the real server stays out of
	// service nevertheless.
	Remark string `json:"remark,omitempty"`
}

// String is the override in words: "drain by root for 1h0m0s: new disk".
func (o Override) String() string {
	words := o.Verb
	if o.Verb == Weight {
		words += " " + strconv.Itoa(o.Weight)
	}
	words += " by " + o.By
	if !o.Until.IsZero() {
		words += " for " + o.Until.Sub(o.Since).String()
	}
	if o.Comment != "" {
		words += ": " + o.Comment
	}
	return words
}

// A target is a real server of a virtual service, whether configured or not.
type target struct{ virtual, real string }

func (o Override) target() target { return target{o.Virtual, o.Real} }

func (r *real) target() target { return target{r.virtual.id, r.name()} }

// MaxWeight is the highest weight that the kernel's schedulers take.
const MaxWeight = 65535

// maxComment keeps log lines and the state file small.
const maxComment = 200

// check says what is wrong with an order, whatever the configuration is.
func (o Order) check() error {
	switch {
	case !slices.Contains([]string{Drain, Disable, Enable, Weight}, o.Verb):
		return fmt.Errorf("there is no order %q: drain, disable, enable and weight are", o.Verb)
	case o.Real == "":
		return errors.New("which real server is meant?")
	case o.Weight < 0 || o.Weight > MaxWeight:
		return fmt.Errorf("a weight is 0 to %d", MaxWeight)
	case o.For < 0:
		return errors.New("an order cannot last less than no time")
	case len(o.Comment) > maxComment || strings.ContainsFunc(o.Comment, misleads) || !utf8.ValidString(o.Comment):
		return fmt.Errorf("a comment is one line of at most %d bytes, without control characters", maxComment)
	}
	return nil
}

// Check says why o cannot have been kept by this program, nil if it can.
func (o Override) Check() error {
	order := Order{Verb: o.Verb, Real: o.Real, Weight: o.Weight, Comment: o.Comment}
	if err := order.check(); err != nil {
		return err
	}
	kind, name, _ := strings.Cut(o.Virtual, ":")
	_, notAddress := netip.ParseAddrPort(name)
	_, notMark := strconv.ParseUint(name, 10, 32)
	_, notReal := netip.ParseAddrPort(o.Real)
	switch {
	case o.Verb == Enable || o.Verb == Weight && o.Weight == 0:
		return fmt.Errorf("%s is not kept", o.Verb)
	case (kind == "tcp" || kind == "udp") && notAddress != nil, (kind == "fwm" || kind == "fwm6") && notMark != nil,
		!slices.Contains([]string{"tcp", "udp", "fwm", "fwm6"}, kind):
		return fmt.Errorf("%q is no virtual service", o.Virtual)
	case notReal != nil:
		return fmt.Errorf("%q is no real server", o.Real)
	case len(o.By) > maxComment || strings.ContainsFunc(o.By, misleads) || !utf8.ValidString(o.By):
		return errors.New("by is not the name of a user")
	}
	return nil
}

// misleads tells what makes a line look like another one in a terminal or on a
// page: controls of C0 and C1, the ends of lines of Unicode, and what turns the
// direction of writing.
func misleads(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Bidi_Control, r)
}

// Obey carries an order out for all real servers that it means. It returns how
// each of them stands, and all overrides that are in force now, for the caller
// to keep.
func (d *Director) Obey(ctx context.Context, o Order) (obeyed, all []Override, err error) {
	if err := o.check(); err != nil {
		return nil, nil, err
	}
	if o.Verb == Weight && o.Weight == 0 {
		o.Verb = Drain
	}
	asked := d.do(ctx, func() {
		if obeyed, err = d.obey(o, d.now()); err == nil {
			all = d.overrideList()
		}
	})
	return obeyed, all, errors.Join(asked, err)
}

func (d *Director) obey(o Order, now time.Time) ([]Override, error) {
	targets := d.targets(o.Real, o.Virtual)
	if o.Verb == Enable && len(targets) == 0 {
		targets = d.forgotten(o)
	}
	if len(targets) == 0 {
		return nil, notConfigured(o.Real, o.Virtual)
	}
	var obeyed []Override
	for _, t := range targets {
		over := Override{Verb: o.Verb, Virtual: t.virtual, Real: t.real, Since: now, Comment: o.Comment, By: o.By}
		if o.Verb == Weight {
			over.Weight = o.Weight
		}
		if o.For > 0 {
			over.Until = now.Add(o.For)
		}
		why := over.String()
		if stays := d.staysOut(t); stays != "" && (o.Verb == Enable || o.Verb == Weight) {
			why += "; " + stays
			d.override(t, over, why)
			over.Remark = stays
		} else {
			d.override(t, over, why)
		}
		obeyed = append(obeyed, over)
	}
	return obeyed, nil
}

// staysOut says why a real server stays out of service that an order lets in, ""
// if it does not.
func (d *Director) staysOut(t target) string {
	for _, v := range d.virtuals {
		if v.id != t.virtual {
			continue
		}
		for _, r := range v.reals {
			switch {
			case r.name() != t.real:
			case r.maintenance != "" || r.verdict == down && !r.kept || r.virtual.conf.CheckType == conf.CheckOff && r.verdict == unproven:
				return "it stays out of service: " + r.outWithoutOrder()
			}
		}
	}
	return ""
}

// ErrNotConfigured is why a request about a real server came to nothing.
var ErrNotConfigured = errors.New("not in the configuration")

func notConfigured(name, virtual string) error {
	if name == "" {
		return fmt.Errorf("virtual service %s: %w", virtual, ErrNotConfigured)
	}
	if virtual != "" {
		return fmt.Errorf("real server %s of virtual service %s: %w", name, virtual, ErrNotConfigured)
	}
	return fmt.Errorf("real server %s: %w", name, ErrNotConfigured)
}

// targets are the configured real servers that are meant by words.
func (d *Director) targets(called, virtual string) []target {
	var found []target
	for _, r := range d.meant(called, virtual) {
		found = append(found, r.target())
	}
	return found
}

// meant is the real servers of that name, "" being all, of the virtual services
// that are called virtual.
func (d *Director) meant(name, virtual string) []*real {
	var found []*real
	for _, v := range d.virtuals {
		if virtual != "" && !v.called(virtual) {
			continue
		}
		for _, r := range v.reals {
			if name == "" || r.called(name) {
				found = append(found, r)
			}
		}
	}
	return found
}

func (v *virtual) called(name string) bool {
	return name == v.id || name == v.name || name == v.conf.Name
}

func (r *real) called(name string) bool {
	if name == r.conf.Host || name == r.name() {
		return true
	}
	if a, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return a.Unmap() == r.conf.Addr
	}
	host, port, ok := strings.Cut(name, ":")
	return ok && host == r.conf.Host && port == strconv.Itoa(int(r.conf.Port))
}

// forgotten are overrides of what is in no configuration any more, by address or by
// address and port.
func (d *Director) forgotten(o Order) []target {
	addr, _ := netip.ParseAddr(strings.Trim(o.Real, "[]"))
	var found []target
	for t := range d.overrides {
		at, err := netip.ParseAddrPort(t.real)
		meant := o.Real == t.real || err == nil && at.Addr() == addr.Unmap()
		if meant && (o.Virtual == "" || o.Virtual == t.virtual || o.Virtual == event.ShortID(t.virtual)) {
			found = append(found, t)
		}
	}
	slices.SortFunc(found, func(a, b target) int { return strings.Compare(a.virtual+" "+a.real, b.virtual+" "+b.real) })
	return found
}

// override puts an override in force, or ends one, and tells why.
func (d *Director) override(t target, o Override, why string) {
	_, before := d.overrides[t]
	if o.Verb == Enable {
		delete(d.overrides, t)
	} else {
		d.overrides[t] = o
	}
	d.publishOverrides()
	for _, v := range d.virtuals {
		if v.id != t.virtual {
			continue
		}
		for _, r := range v.reals {
			_, byHand := v.hand[r.at()]
			if r.name() == t.real && (o.Verb != Enable || before || byHand) {
				d.emit(v, event.Event{Kind: event.Ordered, Real: r.conf, R: r.name(), Reason: why, Cause: d.overruled(r, o, why)})
			}
		}
	}
}

// overruled takes over what the overrides say of r since o, and returns that as a
// cause. Whatever somebody set in the kernel for it by hand ends here.
func (d *Director) overruled(r *real, o Override, why string) *event.Cause {
	wasIn := r.in()
	r.beginConditions()
	r.override = d.overrideOf(r)
	r.noteCondition(d.now())
	delete(r.virtual.hand, r.at())
	d.touch(r.virtual)
	cause := &event.Cause{Kind: event.CauseOrder, By: o.By, Detail: why}
	if isIn := r.in(); isIn != wasIn {
		r.virtual.moved(r, isIn, cause)
	}
	return cause
}

// overrideOf is the override of r, nil is none.
func (d *Director) overrideOf(r *real) *Override {
	o, ok := d.overrides[r.target()]
	if !ok {
		return nil
	}
	kept := o // which does not cost memory for those without one
	return &kept
}

// overrule takes over the overrides at the start and after a reload.
func (d *Director) overrule() {
	for r := range d.concerned() {
		r.override = d.overrideOf(r)
	}
}

// concerned is the real servers of the virtual services that have overrides.
func (d *Director) concerned() iter.Seq[*real] {
	ids := make(map[string]bool, len(d.overrides))
	for t := range d.overrides {
		ids[t.virtual] = true
	}
	return func(yield func(*real) bool) {
		for _, v := range d.virtuals {
			if !ids[v.id] {
				continue
			}
			for _, r := range v.reals {
				if !yield(r) {
					return
				}
			}
		}
	}
}

// endOverrides ends those whose time has come.
func (d *Director) endOverrides(now time.Time) {
	ended := false
	for t, o := range d.overrides {
		if !o.Until.IsZero() && !now.Before(o.Until) {
			d.override(t, Override{Verb: Enable, By: o.By}, "enable: the time is over of "+o.String())
			ended = true
		}
	}
	if ended && d.o.OverridesEnded != nil {
		d.o.OverridesEnded()
	}
}

// Overrides is all that is in force, in a lasting order. It never blocks and may be
// called from any goroutine, before Run and after it too.
func (d *Director) Overrides() []Override { return *d.inForce.Load() }

// overridesByTarget is a list of overrides, without those that are over. From now on
// their ends do not depend on what the clock is set to.
func overridesByTarget(list []Override, now time.Time) map[target]Override {
	byTarget := make(map[target]Override, len(list))
	for _, o := range list {
		if !o.Until.IsZero() {
			left := o.Until.Sub(now)
			if left <= 0 {
				continue
			}
			o.Until = now.Add(left)
		}
		byTarget[o.target()] = o
	}
	return byTarget
}

func (d *Director) publishOverrides() {
	list := d.overrideList()
	d.inForce.Store(&list)
}

// overrideList is all overrides, in a lasting order.
func (d *Director) overrideList() []Override {
	list := make([]Override, 0, len(d.overrides))
	for _, o := range d.overrides {
		list = append(list, o)
	}
	slices.SortFunc(list, func(a, b Override) int {
		return strings.Compare(a.Virtual+" "+a.Real, b.Virtual+" "+b.Real)
	})
	return list
}
