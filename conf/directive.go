package conf

import (
	"slices"
	"strings"
)

// A directive is one row of the table: everything about a setting except its use. A
// new one needs a row, its field, its use, and its line in ldirectord.cf.example.
type directive struct {
	name  string
	where where
	form  form
	binding
	help string // one line of text for users

	or      string                    // the directive that sets this one where only that one is written
	repeats bool                      // it may be given more than once in a block
	kernel  bool                      // the kernel may refuse the value
	mask    func(value string) string // the printable part of the value; nil is all of it
}

// where is the allowed place of a directive: outside blocks, in blocks, or both.
type where uint8

const (
	outside  where               = 1 << iota // of blocks
	inBlock                                  // only in blocks
	anywhere = outside | inBlock             // a block's own value overrides the one outside
)

// form is the required notation of a directive. In another form it is unknown.
type form uint8

const (
	free      form = iota // name = value
	quoted                // name = "value"
	nameAlone             // name without a value is enough
)

// A binding reads the value of a directive into its field. The fields of a
// VirtualService are the block's or, outside blocks, those of one from which all
// blocks inherit.
type binding struct {
	value string                                 // the form of a value, for users
	set   func(at *location, value string) error // its error is for the user, without file and line
	hint  func(value string) string              // the cure for a wrong value, nil is none

	initial    string                         // the default as users read it, "" is none
	initialize func(*Config, *VirtualService) // sets the default, nil is none
	field      func(*VirtualService) any      // a pointer to the field; nil: outside a virtual service, or more than one field
	copy       func(to, from any)             // copies between two such pointers
}

// ofConfig binds a directive to a field of the Config.
func ofConfig[T any](k kind[T], field func(*Config) *T) binding {
	b := binding{value: k.value, hint: k.hint, initial: k.shown(), set: func(at *location, value string) error {
		v, err := k.read(at, value)
		if err == nil {
			*field(at.config) = v
		}
		return err
	}}
	if k.initial != nil {
		b.initialize = func(c *Config, _ *VirtualService) { *field(c) = *k.initial }
	}
	return b
}

// ofService binds a directive to a field of a virtual service.
func ofService[T any](k kind[T], field func(*VirtualService) *T) binding {
	b := binding{
		value: k.value, hint: k.hint, initial: k.shown(),
		set: func(at *location, value string) error {
			v, err := k.read(at, value)
			if err == nil {
				*field(at.v) = v
			}
			return err
		},
		field: func(v *VirtualService) any { return field(v) },
		copy:  func(to, from any) { *to.(*T) = *from.(*T) },
	}
	if k.initial != nil {
		b.initialize = func(_ *Config, v *VirtualService) { *field(v) = *k.initial }
	}
	return b
}

// by binds a directive to a function of its own.
func by(value string, set func(at *location, value string) error) binding {
	return binding{value: value, set: set}
}

// hinted adds a hint.
func (b binding) hinted(hint func(value string) string) binding {
	b.hint = hint
	return b
}

// A given is a set of rows of the table: the directives of a block, or of the file
// outside blocks.
type given [3]uint64

func (g *given) add(row int)      { g[row/64] |= 1 << (row % 64) }
func (g *given) has(row int) bool { return row >= 0 && g[row/64]&(1<<(row%64)) != 0 }

// argument returns the argument of a directive. For a quoted one it is the text
// between the first and the last quote of the line.
func (d *directive) argument(value string, equals bool) (argument string, ok bool) {
	if d.form != quoted {
		return value, equals || d.form == nameAlone
	}
	inner, ok := strings.CutPrefix(value, `"`)
	end := strings.LastIndexByte(inner, '"')
	if !ok || !equals || end < 0 {
		return "", false
	}
	return inner[:end], true
}

// allowed reports whether d is allowed in a block, or outside of blocks.
func (d *directive) allowed(block bool) bool {
	if block {
		return d.where&inBlock != 0
	}
	return d.where&outside != 0
}

// lookup returns the row of the directive of that name, -1 for none.
func lookup(name string) int {
	row, ok := slices.BinarySearchFunc(directives, name, func(d directive, name string) int {
		return strings.Compare(d.name, name)
	})
	if !ok {
		return -1
	}
	return row
}

// known reports whether a line is a directive in the right form, whatever its
// value.
func known(text string, block bool) bool {
	name, value, equals := splitDirective(text)
	if beginsBlock(name) {
		return equals && !block
	}
	row := lookup(name)
	if row < 0 {
		return false
	}
	_, fits := directives[row].argument(value, equals)
	return fits && directives[row].allowed(block)
}

// defaults are the values of directives that a file does not contain.
func defaults() (c Config, v VirtualService) {
	for i := range directives {
		if set := directives[i].initialize; set != nil {
			set(&c, &v)
		}
	}
	c.CheckInterval = v.CheckInterval
	return c, v
}

// inherit copies the values outside blocks to v, except for the directives own of
// its block.
func (p *parser) inherit(v *VirtualService, own given) {
	for row := range directives {
		d := &directives[row]
		if d.field == nil || own.has(row) {
			continue
		}
		or := -1
		if d.or != "" {
			or = lookup(d.or)
		}
		switch {
		case own.has(or):
			d.copy(d.field(v), directives[or].field(v))
		case p.given.has(row):
			d.copy(d.field(v), d.field(&p.outside))
		case p.given.has(or):
			d.copy(d.field(v), directives[or].field(&p.outside))
		}
	}
	if v.Fallback == nil {
		v.Fallback = p.globalFallbackFor(v)
	}
	v.inheritRequest()
}

// inheritRequest gives real servers without a request of their own that of v.
func (v *VirtualService) inheritRequest() {
	for _, r := range v.Reals {
		if !r.OwnRequest {
			r.Request, r.Receive = v.Request, v.Receive
		}
	}
}
