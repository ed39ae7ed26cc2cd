package conf

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
)

// setProtocol is protocol = tcp|udp, or fwm for a firewall mark. It decides in
// which protocol port names are looked up, so that waits for the block's end.
func setProtocol(at *place, value string) error {
	v, name := at.block.v, word(value, "")
	switch {
	case name == "":
		return errors.New("invalid protocol")
	case v.Protocol == FWM && name != "fwm":
		return errors.New("protocol must be fwm if the virtual service is a fwmark (a number)")
	case v.Protocol == FWM:
	case name == "tcp":
		v.Protocol = TCP
	case name == "udp":
		v.Protocol = UDP
	default:
		return errors.New("protocol must be tcp or udp if the virtual service is an address and port")
	}
	return nil
}

var lowerCase = regexp.MustCompile(`[a-z]+`)

// setScheduler is scheduler = NAME. Only the kernel knows which there are.
func setScheduler(at *place, value string) error {
	name := lowerCase.FindString(value)
	if name == "" {
		return errors.New("invalid scheduler, should be only lowercase letters (a-z)")
	}
	if rest := bareNumber(value); rest != name {
		at.advise(at.line, fmt.Sprintf("scheduler %s is read as %s", rest, name), "")
	}
	at.block.v.Scheduler = name
	at.block.note("scheduler", at.line)
	return nil
}

// setSchedFlags is schedflags = FLAG[,FLAG]: one word, as ipvsadm -b takes it.
// The original's shell took quotes away.
func setSchedFlags(at *place, value string) error {
	words := strings.Fields(value)
	if len(words) == 0 {
		return errors.New("invalid sched-flags")
	}
	at.block.note("schedflags", at.line)
	at.block.v.SchedFlags = strings.Trim(words[0], `"'`)
	return nil
}

// setPersistent is persistent = SECONDS. What the kernel refuses, as it does 0,
// it refuses later.
func setPersistent(at *place, value string) error {
	_, run, _ := digits(value)
	if run == "" {
		return errors.New("invalid persistent timeout")
	}
	v := at.block.v
	at.block.note("persistent", at.line)
	v.Persist, v.Persistent = true, number(run, math.MaxUint64)
	if v.Persistent == 0 {
		at.refused(at.line, "persistent = 0 is refused by the kernel: the virtual service will not be there, or keep what it has", "leave persistent out")
	}
	return nil
}

var dottedQuad = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$`)

// setNetmask is netmask = MASK: which clients are one for persistent. It is the
// only number that nothing may follow.
func setNetmask(at *place, value string) error {
	if !at.block.v.IPv6 {
		if !dottedQuad.MatchString(value) {
			return errors.New("invalid netmask: dotted quad notation is required")
		}
	} else if n := number(value, math.MaxUint32); !isNumber(value) || n < 1 || n > 128 {
		return errors.New("invalid netmask: a prefix length between 1 and 128 is required")
	}
	at.block.v.Netmask = value
	at.block.note("netmask", at.line)
	return nil
}

// setOPS is ops = yes|no: one-packet scheduling, of udp only.
func setOPS(at *place, value string) (err error) {
	at.block.v.OPS, err = yesNo("ops", value)
	return err
}
