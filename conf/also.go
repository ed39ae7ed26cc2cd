package conf

import (
	"errors"
	"regexp"
)

// An alsoLine is one virtual service of an also= line.
type alsoLine struct {
	line    int
	address string // ADDRESS:PORT
}

// setAlso is also = ADDRESS:PORT[,PORT...], repeatable: the same block for other
// virtual services.
func setAlso(at *location, value string) error { return at.addAlso(value, false) }

// setAlso6 is also6, the same for IPv6.
func setAlso6(at *location, value string) error { return at.addAlso(value, true) }

var (
	alsoValue = regexp.MustCompile(`^([0-9A-Za-z._+-]+|\[[0-9A-Fa-f:]+\]):([0-9A-Za-z_-]+(?:\s*,\s*[0-9A-Za-z_-]+)*)$`)
	alsoComma = regexp.MustCompile(`\s*,\s*`)
)

func (at *location) addAlso(value string, ipv6 bool) error {
	if at.block.v.IPv6 != ipv6 {
		return wrongFamily("also", ipv6)
	}
	m := alsoValue.FindStringSubmatch(trimRight(value))
	if m == nil {
		return errors.New(at.name + " must be ADDRESS:PORT, or an address with several ports: ADDRESS:PORT,PORT")
	}
	for _, port := range alsoComma.Split(m[2], -1) {
		at.block.also = append(at.block.also, alsoLine{at.line, m[1] + ":" + port})
	}
	return nil
}

// copyBlock reads the block of s once more, for another virtual service. The
// problems of its lines are not reported again.
func (p *parser) copyBlock(s section, ipv6 bool, also alsoLine) {
	s.head = line{number: also.line, raw: "virtual = " + also.address}
	if ipv6 {
		s.head.raw = "virtual6 = " + also.address
	}
	s.end = also.line
	p.copying = true
	p.oneVirtual(s)
	p.copying = false
}
