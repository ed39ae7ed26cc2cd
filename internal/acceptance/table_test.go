package acceptance

import (
	"math/bits"
	"net/netip"
	"slices"
	"strings"
	"syscall"

	"github.com/google/go-cmp/cmp"
	"github.com/mqliang/libipvs"

	"github.com/ldirectord/ldirectord/ipvs"
)

// holds sees that the director's table is want, in the words of "ipvsadm -Sn"
// and in any order: as ipvsadm reads it and as libipvs does.
func (s *site) holds(want string) {
	s.t.Helper()
	if diff := cmp.Diff(sorted(want), sorted(s.Table())); diff != "" {
		s.t.Errorf("the table as ipvsadm reads it (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(readable(sorted(want)), s.byLibipvs()); diff != "" {
		s.t.Errorf("the table as libipvs reads it (-want +got):\n%s", diff)
	}
}

// comesToHold waits until the director's table is want.
func (s *site) comesToHold(want string) {
	s.t.Helper()
	await(s.t, "a table of\n"+want, func() bool { return slices.Equal(sorted(s.Table()), sorted(want)) })
}

// sorted are the lines of a text in order, without white space around them.
func sorted(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	return lines
}

// readable leaves out of a table what libipvs panics at: the destinations of
// services for all ports.
func readable(table []string) []string {
	return slices.DeleteFunc(table, func(line string) bool {
		words := strings.Fields(line)
		return words[0] == "-a" && strings.HasSuffix(words[2], ":0")
	})
}

// byLibipvs is the table as libipvs reads it, as sorted lines of ipvsadm.
func (s *site) byLibipvs() []string {
	s.t.Helper()
	services, err := s.reader.ListServices()
	if err != nil {
		s.t.Fatalf("libipvs: %v", err)
	}
	var table []ipvs.Entry
	for _, svc := range services {
		e := ipvs.Entry{Service: fromLibipvs(svc)}
		if svc.FWMark != 0 || svc.Port != 0 {
			destinations, err := s.reader.ListDestinations(svc)
			if err != nil {
				s.t.Fatalf("libipvs: %v", err)
			}
			for _, dst := range destinations {
				e.Destinations = append(e.Destinations, destinationFromLibipvs(dst))
			}
		}
		table = append(table, e)
	}
	var text strings.Builder
	if err := ipvs.Save(&text, table); err != nil {
		s.t.Fatal(err)
	}
	return sorted(text.String())
}

func fromLibipvs(svc *libipvs.Service) ipvs.Service {
	ours := ipvs.Service{
		Key: ipvs.Key{
			Protocol: ipvs.Protocol(svc.Protocol), Port: svc.Port, Mark: svc.FWMark,
			IPv6: svc.AddressFamily == syscall.AF_INET6,
		},
		Scheduler: svc.SchedName,
		Flags:     ipvs.Flags(svc.Flags.Flags) &^ ipvs.FlagHashed,
		Timeout:   svc.Timeout,
	}
	if ours.IPv6 {
		ours.Netmask = ipvs.Prefix(uint8(svc.Netmask), true)
	} else {
		ours.Netmask = ipvs.Prefix(uint8(bits.OnesCount32(svc.Netmask)), false)
	}
	if svc.FWMark == 0 {
		ours.Addr, _ = netip.AddrFromSlice(svc.Address)
	}
	return ours
}

// destinationFromLibipvs leaves thresholds out, as "ipvsadm -Sn" does.
func destinationFromLibipvs(dst *libipvs.Destination) ipvs.Destination {
	addr, _ := netip.AddrFromSlice(dst.Address)
	return ipvs.Destination{
		AddrPort: netip.AddrPortFrom(addr, dst.Port),
		Forward:  ipvs.Forward(dst.FwdMethod & libipvs.FwdMethod(7)),
		Weight:   int(dst.Weight),
	}
}
