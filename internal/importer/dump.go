package importer

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// fromDump reads the lines of "ipvsadm -S -n", also those of "ipvsadm-save -n".
func fromDump(text string) (services []*service, notes []string) {
	byKey := map[string]*service{}
	number := 0
	for line := range strings.Lines(text) {
		number++
		words := strings.Fields(line)
		if len(words) < 3 || strings.HasPrefix(words[0], "#") {
			continue
		}
		d := parseDump(words)
		switch {
		case d.err != nil:
			notes = append(notes, fmt.Sprintf("line %d is left out: %v", number, d.err))
		case d.op == "-A":
			s := d.service
			byKey[d.key] = &s
			services = append(services, &s)
		case d.op == "-a" && byKey[d.key] != nil:
			s := byKey[d.key]
			s.reals = append(s.reals, d.real)
		default:
			notes = append(notes, fmt.Sprintf("line %d is left out: its service was not added before", number))
		}
		for _, word := range d.ignored {
			notes = append(notes, fmt.Sprintf("line %d: %s is not carried over", number, word))
		}
	}
	return services, notes
}

// A dumpLine is what one line says.
type dumpLine struct {
	op, key string
	service service
	real    realServer
	ignored []string
	err     error
}

// parseDump understands the options of -A and -a.
func parseDump(words []string) dumpLine {
	d := dumpLine{op: words[0]}
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
	d.key = fmt.Sprint(d.service.protocol, d.service.address, d.service.ipv6)
	if d.err == nil && d.service.address == "" {
		d.err = errors.New("there is no service in it")
	}
	return d
}

// option takes one option; next is its value.
func (d *dumpLine) option(option string, next func() string) {
	s, r := &d.service, &d.real
	switch option {
	case "-t", "-u":
		s.protocol = map[string]string{"-t": "tcp", "-u": "udp"}[option]
		d.address(next())
	case "-f":
		s.protocol, s.address = "fwm", next()
	case "-6":
		s.ipv6 = true
	case "-s":
		s.scheduler = next()
	case "-p":
		seconds, err := strconv.Atoi(next())
		if err != nil {
			d.err = err
		}
		s.persistent = seconds
	case "-M":
		s.netmask = next()
	case "-o":
		s.ops = true
	case "-b":
		s.flags = next()
	case "-r":
		r.address = next()
	case "-g", "-m", "-i":
		r.forward = map[string]string{"-g": "gate", "-m": "masq", "-i": "ipip"}[option]
	case "-w":
		r.weight = next()
	case "-x":
		r.upper = next()
	case "-y":
		r.lower = next()
	case "--tun-type":
		if kind := next(); kind != "ipip" {
			d.ignored = append(d.ignored, option+" "+kind)
		}
	case "--pe":
		d.ignored = append(d.ignored, option+" "+next())
	default:
		d.err = fmt.Errorf("option %s is not known", option)
	}
}

func (d *dumpLine) address(text string) {
	at, err := netip.ParseAddrPort(text)
	if err != nil {
		d.err = fmt.Errorf("%s is no address and port: make the dump with -n", text)
		return
	}
	d.service.address, d.service.ipv6 = at.String(), at.Addr().Is6()
}
