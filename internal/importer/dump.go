package importer

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// fromDump reads the lines of "ipvsadm -S -n", also those of "ipvsadm-save -n" and of "ldirectord save".
func fromDump(text string) (parts []*part) {
	byKey := map[string]*part{}
	at, beside := position{}, besideDump{}
	for line := range strings.Lines(text) {
		at.Number++
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if p, is := beside.take(words, at); is {
			if p != nil {
				parts = append(parts, p)
			}
			continue
		}
		d := parseDump(words)
		p := byKey[d.key]
		switch {
		case d.err != nil:
			parts = append(parts, &part{line: at, notes: []note{lost(at, "%s is left out: %v", strings.TrimSpace(line), d.err)}})
			continue
		case d.op == "-A":
			p = &part{line: at, service: &d.service}
			if byKey[d.key] == nil {
				byKey[d.key] = p
			}
			parts = append(parts, p)
		case p != nil:
			d.real.line = at
			p.service.reals = append(p.service.reals, &d.real)
		default:
			parts = append(parts, &part{line: at, notes: []note{lost(at, "is left out: its service was not added before")}})
			continue
		}
		for _, word := range d.ignored {
			p.notes = append(p.notes, lost(at, "%s is not carried over", word))
		}
	}
	for _, p := range parts {
		if p.service != nil {
			p.service.complete()
		}
	}
	return parts
}

// complete chooses what a dump does not have: how real servers are checked, and
// the weight of those that had none at that moment.
func (s *service) complete() {
	s.check = []string{"checktype = connect"}
	if at, err := netip.ParseAddrPort(s.address); s.protocol != "tcp" || err != nil || at.Port() == 0 {
		s.check = []string{"checktype = ping"}
	}
	usual := "1"
	for _, r := range s.reals {
		if r.weight != "0" {
			usual = r.weight
			break
		}
	}
	for _, r := range s.reals {
		if r.weight == "0" {
			r.weight = usual
			r.notes = append(r.notes, lost(r.line, "the weight was 0, as it is while a real server is down or drained; %s is a choice", usual))
		}
	}
}

// A dumpLine is the content of one line.
type dumpLine struct {
	op, key string
	service service
	real    realServer
	ignored []string
	err     error
}

// parseDump understands the options of -A and -a.
func parseDump(words []string) dumpLine {
	d := dumpLine{op: words[0], real: realServer{forward: "gate", weight: "1"}}
	switch d.op {
	case "--add-service":
		d.op = "-A"
	case "--add-server":
		d.op = "-a"
	}
	if d.op != "-A" && d.op != "-a" {
		d.err = fmt.Errorf("%q is neither -A nor -a", d.op)
		return d
	}
	rest := words[1:]
	next := func() string {
		if len(rest) == 0 {
			d.err = errors.New("an option has no value")
			return ""
		}
		word := rest[0]
		rest = rest[1:]
		return word
	}
	for len(rest) > 0 && d.err == nil {
		d.option(next(), next)
	}
	d.key = d.service.key()
	if d.err == nil {
		d.err = d.finish()
	}
	return d
}

// finish looks at what depends on several options.
func (d *dumpLine) finish() error {
	s, r := &d.service, &d.real
	if s.address == "" {
		return errors.New("there is no service in it")
	}
	if at, err := netip.ParseAddrPort(s.address); err == nil && at.Addr().Is6() != s.ipv6 {
		return errors.New("-6 contradicts the address")
	}
	if d.op == "-A" {
		if s.netmask != "" && !isNetmask(s.netmask, s.ipv6) {
			return fmt.Errorf("%s is no netmask", s.netmask)
		}
		return nil
	}
	at, err := netip.ParseAddrPort(r.address)
	if _, ok := parseAddr(at.Addr().String()); err != nil || !ok {
		return fmt.Errorf("%q is no address and port: make the dump with -n", r.address)
	}
	if at.Addr().Is6() != s.ipv6 {
		return errors.New("the real server is of another address family")
	}
	r.address = at.String()
	if s.protocol == "fwm" && at.Port() == 0 {
		r.address = hostOf(at.Addr())
	}
	return nil
}

// hostOf is an address as a real server without a port has it.
func hostOf(a netip.Addr) string {
	if a.Is6() {
		return "[" + a.String() + "]"
	}
	return a.String()
}

// number takes the value of an option with a number.
func (d *dumpLine) number(option, value string) string {
	if d.err == nil && !isNumber(value, 0) {
		d.err = fmt.Errorf("%s %s is no number", option, value)
	}
	return value
}

// option takes one option; next is its value.
func (d *dumpLine) option(option string, next func() string) {
	s, r := &d.service, &d.real
	switch option {
	case "-t", "-u":
		s.protocol = map[string]string{"-t": "tcp", "-u": "udp"}[option]
		d.address(next())
	case "-f":
		word := next()
		mark, ok := parseMark(word)
		if !ok {
			d.err = fmt.Errorf("%q is no firewall mark", word)
		}
		s.protocol, s.address = "fwm", mark
	case "-6":
		s.ipv6 = true
	case "-s":
		if s.scheduler = next(); !isWord(s.scheduler) {
			d.err = fmt.Errorf("%q is no scheduler", s.scheduler)
		}
	case "-p":
		s.persistent, _ = strconv.Atoi(d.number(option, next()))
	case "-M":
		s.netmask = next()
	case "-o":
		s.ops = true
	case "-b":
		d.flags(next())
	case "-r":
		r.address = next()
	case "-g", "-m", "-i":
		r.forward = map[string]string{"-g": "gate", "-m": "masq", "-i": "ipip"}[option]
	case "-w":
		r.weight = d.number(option, next())
	case "-x":
		r.upper = d.number(option, next())
	case "-y":
		r.lower = d.number(option, next())
	case "--tun-type":
		if kind := next(); kind != "ipip" {
			d.ignored = append(d.ignored, option+" "+kind)
		}
	case "--pe", "--tun-port":
		d.ignored = append(d.ignored, option+" "+next())
	case "--tun-nocsum", "--tun-csum", "--tun-remcsum":
		d.ignored = append(d.ignored, option)
	default:
		d.err = fmt.Errorf("option %s is not known", option)
	}
}

func (d *dumpLine) flags(list string) {
	for flag := range strings.SplitSeq(list, ",") {
		if slices.Contains(schedulerFlags, flag) {
			d.service.flags = append(d.service.flags, flag)
		} else {
			d.ignored = append(d.ignored, "-b "+flag)
		}
	}
}

func (d *dumpLine) address(text string) {
	at, err := netip.ParseAddrPort(text)
	if _, ok := parseAddr(at.Addr().String()); err != nil || !ok {
		d.err = fmt.Errorf("%q is no address and port: make the dump with -n", text)
		return
	}
	d.service.address, d.service.ipv6 = at.String(), at.Addr().Is6()
}
