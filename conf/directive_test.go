package conf

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The tables are searched by halves.
func TestTablesAreSorted(t *testing.T) {
	if !slices.IsSortedFunc(directives, func(a, b directive) int { return strings.Compare(a.name, b.name) }) {
		t.Error("directives are not sorted by name")
	}
	if !slices.IsSortedFunc(services, func(a, b Service) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("services are not sorted by name")
	}
}

// TestRowsAreWhole wants all of a row that people and other tests read.
func TestRowsAreWhole(t *testing.T) {
	for row := range directives {
		d := &directives[row]
		if d.where&anywhere == 0 {
			t.Errorf("%s is allowed nowhere", d.name)
		}
		if d.help == "" || len(d.help) > 90 || strings.ContainsAny(d.help, "\n.") {
			t.Errorf("%s: help is not one line without a full stop: %q", d.name, d.help)
		}
		if d.value == "" && !strings.HasPrefix(d.help, "gone") {
			t.Errorf("%s: the form of its value is missing", d.name)
		}
		if got := lookup(d.name); got != row {
			t.Errorf("%s is found in row %d, want %d", d.name, got, row)
		}
		if d.or != "" && directives[lookup(d.or)].or != d.name {
			t.Errorf("%s counts for %s and not the other way round", d.or, d.name)
		}
	}
	if rows := len(given{}) * 64; len(directives) > rows {
		t.Errorf("%d directives, a set of them has room for %d", len(directives), rows)
	}
	for _, name := range []string{"", "virtual", "frobnicate", "zzz"} {
		if row := lookup(name); row >= 0 {
			t.Errorf("%q is found in row %d", name, row)
		}
	}
}

// twoValues are two values for each form of an inherited directive.
var twoValues = map[string][2]string{
	"ADDRESS": {"10.9.0.1", "10.9.0.2"}, "DEVICE": {"eth0", "eth1"}, "ADDRESS|none": {"10.9.0.1", "none"}, "PORT|none": {"9707", "none"}, "TEXT": {"a", "b"},
	"ADDRESS[, ADDRESS]": {"a@example.com", "b@example.com"}, "CODE[-CODE][,CODE[-CODE]]": {"200-204", "404"}, "CODE[-CODE][,CODE[-CODE]]|none": {"404", "none"},
	"COMMAND|none": {"/bin/a", "none"}, "ADDRESS[, ADDRESS]|none": {"a@example.com", "none"}, "HOST|none": {"a.example.com", "none"}, "NAME|none": {"a", "none"}, "/PATH|none": {"/a", "none"},
	"COMMAND": {"/bin/a", "/bin/b"}, "DURATION": {"7", "8"}, "DURATION|none": {"7", "none"}, "HOST": {"a.example.com", "b.example.com"},
	"N": {"3", "4"}, "auto|byhand": {"auto", "byhand"}, "leave|keep": {"leave", "keep"}, "N|N%": {"2", "50%"}, "N in DURATION|no": {"3 in 60s", "no"}, "NAME": {"a", "b"}, `"NAME: VALUE"`: {`"A: 1"`, `"B: 2"`}, "/PATH": {"/a", "/b"}, "PATTERN": {"a", "b"},
	"SECONDS": {"3", "4"}, "all|N": {"1", "2"}, "STATE[, STATE]|all|none": {"running", "none"}, "any|all|no": {"all", "no"}, "yes|no": {"yes", "no"}, "yes|no|same": {"same", "no"}, "1.0|1.1|2": {"2", "1.0"},
}

// TestInheritance gives two values to each directive allowed both outside and inside
// blocks: the one outside counts for a block without it, its own for a block
// with it.
func TestInheritance(t *testing.T) {
	for i := range directives {
		d := &directives[i]
		if d.where != anywhere || d.field == nil {
			continue
		}
		values, ok := twoValues[d.value]
		if !ok {
			t.Errorf("%s: there are no two values of the form %s", d.name, d.value)
			continue
		}
		line := func(value string) string {
			if d.form == quoted {
				value = `"` + value + `"`
			}
			return d.name + " = " + value + "\n"
		}
		field := func(v *VirtualService) any { return reflect.ValueOf(d.field(v)).Elem().Interface() }
		for _, order := range [][2]string{values, {values[1], values[0]}} {
			text := line(order[0]) + "virtual=10.0.0.1:80\nvirtual=10.0.0.2:80\n\t" + line(order[1])
			both, err := Parse("t.cf", []byte(text), testOptions())
			if err != nil {
				t.Errorf("%s: %v", d.name, err)
				continue
			}
			// The same values in the blocks themselves.
			own, err := Parse("t.cf", []byte("virtual=10.0.0.1:80\n\t"+line(order[0])+"virtual=10.0.0.2:80\n\t"+line(order[1])), testOptions())
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range both.Virtuals {
				if got, want := field(v), field(own.Virtuals[i]); !reflect.DeepEqual(got, want) {
					t.Errorf("%s outside is %s, in the second block %s: block %d has %v, want %v", d.name, order[0], order[1], i+1, got, want)
				}
			}
			if reflect.DeepEqual(field(both.Virtuals[0]), field(both.Virtuals[1])) {
				t.Errorf("%s: %s and %s are the same to it", d.name, order[0], order[1])
			}
		}
	}
}

func TestHintName(t *testing.T) {
	for body, want := range map[string]string{
		"receve=\"x\"":    "did you mean receive?",
		"Real = x":        "directives are in lower case: real",
		"Receve = x":      "did you mean receive?",
		"quiecent yes":    "did you mean quiescent?",
		"xyzzy=1":         "",
		"":                "",
		"[section]":       "",
		"fallbck6":        "did you mean fallback6?",
		"checkintervall=": "did you mean checkinterval?",
	} {
		if got := hintName(body); got != want {
			t.Errorf("hintName(%q) = %q, want %q", body, got, want)
		}
	}
}

// TestNoneIsLeftOut reads none for each directive that takes it where it is no value of its own: the
// configuration is that of a file without the line, also after another value.
func TestNoneIsLeftOut(t *testing.T) {
	const service = "virtual=10.0.0.1:80\n"
	read := func(text string) *Config {
		t.Helper()
		c, err := Parse("t.cf", []byte(text), testOptions())
		if err != nil {
			t.Fatalf("%s%v", text, err)
		}
		c.fingerprint, c.Warnings = "", nil
		for _, v := range c.Virtuals {
			v.Line = 0
		}
		return c
	}
	own := map[string]bool{"driftcheck": true, "announcedelay": true, "emailalertstatus": true, "monitorlog": true, "withdrawdelay": true}
	tried := 0
	for i := range directives {
		d := &directives[i]
		if !strings.HasSuffix(d.value, "|none") || own[d.name] {
			continue
		}
		tried++
		text := d.name + " = none\n"
		if d.form == quoted {
			text = d.name + " = \"none\"\n"
		}
		if d.where&outside != 0 {
			if diff := cmp.Diff(read(service), read(text+service), cmp.Exporter(func(reflect.Type) bool { return true })); diff != "" {
				t.Errorf("outside of blocks (-without +with) %s%s", text, diff)
			}
		}
		if d.where&inBlock != 0 {
			if diff := cmp.Diff(read(service), read(service+"\t"+text), cmp.Exporter(func(reflect.Type) bool { return true })); diff != "" {
				t.Errorf("in a block (-without +with) %s%s", text, diff)
			}
		}
	}
	if tried < 25 {
		t.Errorf("%d directives take none, want more", tried)
	}
}
