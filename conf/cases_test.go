package conf

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/ldirectord/ldirectord/internal/account"
	"github.com/ldirectord/ldirectord/internal/lab"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write what the cases give into testdata")

// testHosts are the names that resolve in tests.
var testHosts = map[string]string{
	"localhost": "127.0.0.1", "vip1": "10.0.0.1", "web1": "10.1.0.1", "web2": "10.1.0.2",
	"web2.example.com": "10.1.0.2", "web.example.org": "10.1.0.4", "realserver3": "10.1.0.3", "sorry": "10.1.0.9",
}

var testHosts6 = map[string]string{
	"ip6-localhost": "::1", "vip6": "fd00:ffff::1", "web6-1": "fd00:1::1",
}

var testPorts = parseServices(`
http	80/tcp	www	# WorldWideWeb HTTP
https	443/tcp
https	443/udp
domain	53/tcp
domain	53/udp
ntp	123/udp
`)

// testOptions resolve the names in the tables above. A file can be opened and a
// directory is there unless "missing" is in its path.
func testOptions() Options {
	return Options{
		Hostname:   "director",
		LookupHost: testHost,
		LookupReal: testReal,
		LookupPort: testPorts.port,
		LookupUser: func(name string) (account.Account, error) {
			switch name {
			case "nobody", "65534":
				return account.Account{Name: "nobody", UID: 65534, GID: 65534, Home: "/nonexistent"}, nil
			case "ldapuser":
				return account.Account{}, errors.New("getent did not answer")
			}
			return account.Account{}, account.ErrUnknown
		},
		ValidPattern: func(pattern string) error {
			if strings.Count(pattern, "(") != strings.Count(pattern, ")") {
				return errors.New("a bracket is missing")
			}
			return nil
		},
		ReadSecret: func(name string) (text, warning string, err error) {
			switch {
			case strings.Contains(name, "missing"):
				return "", "", &fs.PathError{Op: "open", Path: name, Err: syscall.ENOENT}
			case strings.Contains(name, "open"):
				warning = name + " can be read by everyone: chmod 600 " + name
			}
			return "the text of " + name, warning, nil
		},
		TryOpen: func(path string) error {
			if path == "" || strings.Contains(path, "missing") {
				return &fs.PathError{Op: "open", Path: path, Err: syscall.ENOENT}
			}
			return nil
		},
		IsDir: func(path string) bool { return !strings.Contains(path, "missing") },
	}
}

func testHost(name string, ipv6 bool) (netip.Addr, error) {
	table := testHosts
	if ipv6 {
		table = testHosts6
	}
	if address, ok := table[strings.ToLower(name)]; ok {
		return netip.MustParseAddr(address), nil
	}
	return netip.Addr{}, errors.New("no such host: " + name)
}

// testReal has names with several addresses, in no order, and SRV records.
func testReal(name string, ipv6, all bool) ([]Found, error) {
	at := func(port uint16, weight int, addrs ...string) (found []Found) {
		for _, a := range addrs {
			found = append(found, Found{netip.MustParseAddr(a), port, weight})
		}
		return found
	}
	switch {
	case all && name == "pool" && ipv6:
		return at(0, 0, "fd00:1::2", "fd00:1::1"), nil
	case all && name == "pool":
		return at(0, 0, "10.1.0.3", "10.1.0.1", "10.1.0.2", "10.1.0.1"), nil
	case all && !ipv6 && strings.HasPrefix(name, "_http._tcp.example."):
		return append(at(8080, 30, "10.1.0.2"), append(at(8081, 10, "10.1.0.1"), at(8080, 1, "10.1.0.1")...)...), nil
	case all && name == "empty", IsSRV(name):
		return nil, nil
	case name == "pool" && ipv6:
		name = "web6-1"
	case name == "pool" || name == "empty":
		name = "web1"
	}
	addr, err := testHost(name, ipv6)
	return []Found{{Addr: addr}}, err
}

// TestCases reads every NAME.cf in testdata/conf. NAME.out is what start says of
// it: warnings, then the mistake, or the configuration as far as it differs
// from the defaults. NAME.check is what check says.
func TestCases(t *testing.T) {
	lab.Cases(t, "../testdata/conf/*.txtar", *update, runCases)
}

func runCases(t *testing.T, archive *txtar.Archive) {
	text := map[string]string{}
	for _, f := range archive.Files {
		text[f.Name] = string(f.Data)
	}
	for i, f := range archive.Files {
		name, kind, _ := strings.Cut(f.Name, ".")
		var got string
		switch kind {
		case "cf":
			if _, ok := text[name+".out"]; !ok {
				t.Errorf("%s.out is missing", name)
			}
			continue
		case "out":
			got = startText(text[name+".cf"])
		case "check":
			got = problemText(text[name+".cf"], true)
		default:
			t.Errorf("%s: a case has NAME.cf, NAME.out and NAME.check", f.Name)
		}
		if *update {
			archive.Files[i].Data = []byte(got)
		} else if diff := cmp.Diff(string(f.Data), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s\nthe file:\n%s", f.Name, diff, text[name+".cf"])
		}
	}
}

// startText is what the daemon would say of a file when it starts with it.
func startText(text string) string {
	var b strings.Builder
	c, err := Parse("t.cf", []byte(text), testOptions())
	problems, _ := errors.AsType[Problems](err)
	if err == nil {
		problems = c.Warnings
	}
	for _, p := range problems {
		fmt.Fprintln(&b, p.Diagnostic(1))
	}
	if err == nil {
		printConfig(&b, c)
	}
	return b.String()
}

func checkText(text string) string { return problemText(text, false) }

// problemText is what check says of a file, with the codes for programs.
func problemText(text string, coded bool) string {
	var b strings.Builder
	_, problems := CheckFile("t.cf", []byte(text), testOptions())
	for _, p := range problems {
		kind := ""
		if p.Warning {
			kind = "warning: "
		}
		fmt.Fprintf(&b, "%d: %s%s", p.Line, kind, p.Text)
		if coded {
			fmt.Fprintf(&b, " [%s]", p.Code)
		}
		b.WriteByte('\n')
		if p.Hint != "" {
			fmt.Fprintf(&b, "    %s\n", p.Hint)
		}
	}
	return b.String()
}

func printConfig(b *strings.Builder, c *Config) {
	usual, _ := defaults()
	printFields(b, "", *c, usual, "Path Virtuals Warnings")
	plain, err := Parse("t.cf", []byte("virtual=10.0.0.1:9999\n    scheduler=wrr\n"), testOptions())
	if err != nil {
		panic(err)
	}
	for _, v := range c.Virtuals {
		fmt.Fprintln(b, v.ID())
		printFields(b, "    ", *v, *plain.Virtuals[0], "Line Name Protocol Addr Port Mark IPv6 Reals Fallback AlsoCheck InPlace")
		for _, r := range v.Reals {
			fmt.Fprintf(b, "    real %s %s %d", r, r.Forward, r.Weight)
			if r.Lower != 0 || r.Upper != 0 {
				fmt.Fprintf(b, " l:%d u:%d", r.Lower, r.Upper)
			}
			if r.OwnRequest {
				fmt.Fprintf(b, " %q, %q", r.Request, r.Receive)
			}
			if r.Check.Name != "" {
				fmt.Fprintf(b, " check=%s %q", r.Check.Name, r.Check.Args.Reveal())
			}
			b.WriteByte('\n')
		}
		for _, n := range slices.Concat(v.AlsoCheck, v.InPlace) {
			fmt.Fprintf(b, "    check %s\n", n.Name)
			printFields(b, "        ", *n.As, *v, "Line Reals AlsoCheck InPlace ChecksNeeded")
		}
		if f := v.Fallback; f != nil {
			fmt.Fprintf(b, "    fallback %s %s\n", f, f.Forward)
		}
	}
}

// revealed are headers that print with their values.
func revealed(list []Header) [][2]string {
	var all [][2]string
	for _, h := range list {
		all = append(all, [2]string{h.Name, h.Value.Reveal()})
	}
	return all
}

// printFields prints the fields of a struct that differ from those of the other.
func printFields(b *strings.Builder, indent string, have, usual any, without string) {
	h, u := reflect.ValueOf(have), reflect.ValueOf(usual)
	for i := range h.NumField() {
		if h.Type().Field(i).Anonymous {
			printFields(b, indent, h.Field(i).Interface(), u.Field(i).Interface(), without)
			continue
		}
		name := h.Type().Field(i).Name
		if !h.Type().Field(i).IsExported() {
			continue
		}
		if strings.Contains(" "+without+" ", " "+name+" ") || reflect.DeepEqual(h.Field(i).Interface(), u.Field(i).Interface()) {
			continue
		}
		value := fmt.Sprint(h.Field(i).Interface())
		if h.Field(i).Kind() == reflect.String { // secrets too
			value = fmt.Sprintf("%q", h.Field(i).String())
		}
		switch special := h.Field(i).Interface().(type) {
		case Headers:
			value = fmt.Sprint(revealed(special.All()))
		case StatusSet:
			value = fmt.Sprint(special.Ranges())
		}
		fmt.Fprintf(b, "%s%s: %s\n", indent, name, value)
	}
}
