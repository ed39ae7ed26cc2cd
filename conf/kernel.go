package conf

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
)

// readProtocol is protocol = tcp|udp, or fwm for a firewall mark. Names of ports
// depend on it, so they are resolved at the end of the block.
func readProtocol(at *location, value string) (Protocol, error) {
	mark, name := at.v.Protocol == FWM, word(value, "")
	switch {
	case name == "":
		return 0, errors.New("invalid protocol")
	case mark && name != "fwm":
		return 0, errors.New("protocol must be fwm if the virtual service is a fwmark (a number)")
	case mark:
		return FWM, nil
	case name == "tcp":
		return TCP, nil
	case name == "udp":
		return UDP, nil
	}
	return 0, errors.New("protocol must be tcp or udp if the virtual service is an address and port")
}

// hintProtocol is about other protocols.
func hintProtocol(value string) string {
	switch name := word(strings.ToLower(value), ""); {
	case name == "":
		return "tcp or udp"
	case name != "tcp" && name != "udp" && name != "fwm":
		return "there is no " + name + ": packets of other protocols get a firewall mark, and virtual = NUMBER"
	case name != word(value, ""):
		return "in lower case: " + name
	case name == "fwm":
		return "fwm is for virtual = NUMBER, a firewall mark"
	}
	return "virtual = NUMBER is a firewall mark, whatever the protocol of its packets; an address needs its port: virtual = ADDRESS:PORT"
}

var lowerCase = regexp.MustCompile(`[a-z]+`)

// readScheduler is scheduler = NAME. Only the kernel knows the valid names.
func readScheduler(at *location, value string) (string, error) {
	name := lowerCase.FindString(value)
	if name == "" {
		return "", errors.New("invalid scheduler, should be only lowercase letters (a-z)")
	}
	if rest := bareNumber(value); rest != name {
		at.advise(at.line, CodeReadAs, fmt.Sprintf("scheduler %s is read as %s", rest, name), "")
	}
	return name, nil
}

// readSchedFlags is schedflags = FLAG[,FLAG]: one word in the notation of ipvsadm
// -b. The original's shell removed quotes.
func readSchedFlags(_ *location, value string) (string, error) {
	words := strings.Fields(value)
	if len(words) == 0 {
		return "", errors.New("invalid sched-flags")
	}
	return strings.Trim(words[0], `"'`), nil
}

// readPersistent is persistent = SECONDS. The kernel refuses invalid values, such
// as 0, later.
func readPersistent(at *location, value string) (uint64, error) {
	_, run, _ := digits(value)
	if run == "" {
		return 0, errors.New("invalid persistent timeout")
	}
	adviseNumber(at, value, run+"s", "a number of seconds")
	at.v.Persist = true
	seconds := number(run, math.MaxUint64)
	if seconds == 0 {
		at.refused(at.line, "persistent = 0 is refused by the kernel: the virtual service will not be there, or keep what it has", "leave persistent out")
	}
	return seconds, nil
}

var dottedQuad = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$`)

// readNetmask is netmask = MASK: the part of a client's address that persistent
// compares. It is the only number that must end the line.
func readNetmask(at *location, value string) (string, error) {
	if !at.v.IPv6 {
		if !dottedQuad.MatchString(value) {
			return "", errors.New("invalid netmask: dotted quad notation is required")
		}
	} else if n := number(value, math.MaxUint32); !isNumber(value) || n < 1 || n > 128 {
		return "", errors.New("invalid netmask: a prefix length between 1 and 128 is required")
	}
	return value, nil
}

const hintNetmask = "nothing may follow the mask, not even a blank; write 255.255.255.0, or a prefix length in a virtual6 block"
