package conf

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
)

// A Mark selects the packets that get the firewall mark of a virtual service.
type Mark struct {
	Protocol Protocol // TCP or UDP
	Addr     netip.Addr
	Ports    []PortRange // nil is all ports
}

// A PortRange is ports from First to Last, both inclusive.
type PortRange struct {
	First, Last uint16
}

// String is the port, or FIRST-LAST.
func (r PortRange) String() string {
	if r.First == r.Last {
		return strconv.Itoa(int(r.First))
	}
	return fmt.Sprintf("%d-%d", r.First, r.Last)
}

// String is the mark in the notation of the file: "tcp 10.0.0.80:80,8000-8010".
func (m Mark) String() string {
	host := m.Addr.String()
	if m.Addr.Is6() {
		host = "[" + host + "]"
	}
	if len(m.Ports) == 0 {
		return m.Protocol.String() + " " + host
	}
	ports := make([]string, len(m.Ports))
	for i, r := range m.Ports {
		ports[i] = r.String()
	}
	return m.Protocol.String() + " " + host + ":" + strings.Join(ports, ",")
}

// maxMarkPorts is the greatest number of ports in one rule of iptables; a range
// counts as two.
const maxMarkPorts = 15

var errMark = errors.New("mark must be tcp or udp and an address with its ports: tcp 192.0.2.1:80,8000-8010")

// setMark is mark = tcp|udp ADDRESS[:PORT[,PORT...]], repeatable: the packets that
// get the virtual service's firewall mark. A port may be FIRST-LAST; without ports
// it is all of them.
func setMark(at *location, value string) error {
	v := at.block.v
	if v.Protocol != FWM && at.copying {
		return errors.New("mark belongs to a virtual service that is a firewall mark, and also makes one of an address of this block")
	}
	if v.Protocol != FWM {
		return errors.New("mark belongs to a virtual service that is a firewall mark")
	}
	fields := strings.Fields(value)
	if len(fields) != 2 {
		return errMark
	}
	var mark Mark
	switch fields[0] {
	case "tcp":
		mark.Protocol = TCP
	case "udp":
		mark.Protocol = UDP
	default:
		return errMark
	}
	host, ports := cutPorts(fields[1])
	addr, err := netip.ParseAddr(host)
	if err != nil || addr.Zone() != "" {
		return errMark
	}
	if addr.Is4() == v.IPv6 {
		return errors.New("mark needs an address of the virtual service's family: " + host)
	}
	mark.Addr = addr
	if mark.Ports, err = parsePorts(ports); err != nil {
		return err
	}
	v.Marks = append(v.Marks, mark)
	return nil
}

// cutPorts splits ADDRESS:PORTS or [ADDRESS]:PORTS.
func cutPorts(text string) (host, ports string) {
	if inner, ok := strings.CutPrefix(text, "["); ok {
		host, ports, _ = strings.Cut(inner, "]")
		return host, strings.TrimPrefix(ports, ":")
	}
	if strings.Count(text, ":") > 1 {
		return text, "" // an IPv6 address
	}
	host, ports, _ = strings.Cut(text, ":")
	return host, ports
}

// parsePorts reads PORT[,PORT...]; an empty text is all ports.
func parsePorts(text string) ([]PortRange, error) {
	if text == "" {
		return nil, nil
	}
	var ranges []PortRange
	count := 0
	for word := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(word, "-")
		if !isRange {
			last = first
		}
		r := PortRange{portNumber(first), portNumber(last)}
		if r.First == 0 || r.Last < r.First {
			return nil, errors.New("mark has no such port: " + word)
		}
		ranges = append(ranges, r)
		count++
		if isRange {
			count++
		}
	}
	if count > maxMarkPorts {
		return nil, fmt.Errorf("mark names more than %d ports (a range counts as two): give the rest in another mark", maxMarkPorts)
	}
	return ranges, nil
}

// portNumber is a port's number, 0 if it is none.
func portNumber(text string) uint16 {
	if n := number(text, math.MaxUint32); isNumber(text) && n <= math.MaxUint16 {
		return uint16(n)
	}
	return 0
}
