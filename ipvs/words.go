package ipvs

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// The tables of this file are ipvsadm's options. The text for -A and -a is that of
// "ipvsadm -S -n" (1.31), with three additions so that loading it again loses
// nothing: thresholds (-x, -y), flag-3 of sh and mh, and marks above 2147483647,
// which ipvsadm prints as negative numbers.

var opWords = [...]string{
	AddService: "-A", EditService: "-E", DeleteService: "-D",
	AddDestination: "-a", EditDestination: "-e", DeleteDestination: "-d",
}

var protocolWords = map[Protocol]string{TCP: "-t", UDP: "-u", SCTP: "--sctp-service"}

var forwardWords = map[Forward]string{Masq: "-m", Tunnel: "-i", Route: "-g", Local: "--local", Bypass: "--bypass"}

// String is the operation's option, "-A".
func (o Op) String() string {
	if int(o) < len(opWords) {
		return opWords[o]
	}
	return fmt.Sprintf("-%d?", uint8(o))
}

// String is the change in ipvsadm's notation: "-a -t 10.0.0.1:80 -r 10.1.0.1:80 -m
// -w 1".
func (c Change) String() string {
	switch c.Op {
	case AddService, EditService:
		return c.Op.String() + " " + c.Service.String()
	case AddDestination, EditDestination:
		return c.Op.String() + " " + c.Service.Key.String() + " " + c.Destination.String()
	case DeleteDestination:
		return c.Op.String() + " " + c.Service.Key.String() + " -r " + c.Destination.AddrPort.String()
	default:
		return c.Op.String() + " " + c.Service.Key.String()
	}
}

// String is the key in ipvsadm's notation: "-t 10.0.0.1:80", "-f 8", "-f 8 -6".
func (k Key) String() string {
	switch {
	case k.Mark != 0 && k.IPv6:
		return fmt.Sprintf("-f %d -6", k.Mark)
	case k.Mark != 0:
		return fmt.Sprintf("-f %d", k.Mark)
	}
	option, ok := protocolWords[k.Protocol]
	if !ok {
		option = fmt.Sprintf("--protocol-%d", k.Protocol)
	}
	if k.Addr.Is6() {
		return fmt.Sprintf("%s [%s]:%d", option, k.Addr, k.Port)
	}
	return fmt.Sprintf("%s %s:%d", option, k.Addr, k.Port)
}

// String is the service in ipvsadm's notation: "-t 10.0.0.1:80 -s wrr -p 300".
func (s Service) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s -s %s", s.Key, s.Scheduler)
	if s.Flags&FlagPersistent != 0 {
		fmt.Fprintf(&b, " -p %d", s.Timeout)
		if mask := s.Netmask.word(s.IPv6); mask != "" {
			b.WriteString(" -M " + mask)
		}
	}
	if s.PE != "" {
		b.WriteString(" --pe " + s.PE)
	}
	if s.Flags&FlagOnePacket != 0 {
		b.WriteString(" -o")
	}
	if names := schedFlagNames(s.Scheduler, s.Flags); names != "" {
		b.WriteString(" -b " + names)
	}
	return b.String()
}

// String is the destination in ipvsadm's notation: "-r 10.1.0.1:80 -m -w 1".
func (d Destination) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "-r %s %s -w %d", d.AddrPort, forwardWords[d.Forward], d.Weight)
	if d.Upper != 0 {
		fmt.Fprintf(&b, " -x %d", d.Upper)
	}
	if d.Lower != 0 {
		fmt.Fprintf(&b, " -y %d", d.Lower)
	}
	if d.Forward == Tunnel {
		b.WriteString(" --tun-type ipip")
	}
	return b.String()
}

// Save writes a table as "ipvsadm -S -n" does, in the order of the slice; "ipvsadm
// -R" restores the same table from it.
func Save(w io.Writer, table []Entry) error {
	out := bufio.NewWriter(w)
	for _, e := range table {
		fmt.Fprintf(out, "-A %s\n", e.Service)
		for _, d := range e.Destinations {
			fmt.Fprintf(out, "-a %s %s\n", e.Service.Key, d)
		}
	}
	return out.Flush()
}

// SaveBeside writes the sync daemons of a kernel, and its timeouts if they are not those of a
// new network namespace. "ipvsadm -R" takes the lines with those of Save.
func SaveBeside(w io.Writer, b Beside) error {
	daemons, err := b.SyncDaemons()
	if err != nil {
		return err
	}
	timeouts, err := b.Timeouts()
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	if timeouts != initialTimeouts {
		fmt.Fprintln(out, timeouts)
	}
	for _, d := range daemons {
		fmt.Fprintln(out, d)
	}
	return out.Flush()
}

// sortTable sorts a table into the order of listings: services by address before
// services by mark, IPv4 before IPv6, then protocol, address and port; destinations
// by address and port. It is ipvsadm's order, but for addresses that are more than
// half the address space apart, which ipvsadm compares by a subtraction that
// overflows.
func sortTable(table []Entry) {
	slices.SortFunc(table, func(a, b Entry) int { return a.Service.compare(b.Service.Key) })
	for _, e := range table {
		slices.SortFunc(e.Destinations, func(a, b Destination) int { return a.Compare(b.AddrPort) })
	}
}

func (k Key) compare(o Key) int {
	return cmp.Or(
		cmp.Compare(k.Mark, o.Mark),
		cmp.Compare(family(k.IPv6), family(o.IPv6)),
		cmp.Compare(k.Protocol, o.Protocol),
		k.Addr.Compare(o.Addr),
		cmp.Compare(k.Port, o.Port),
	)
}
