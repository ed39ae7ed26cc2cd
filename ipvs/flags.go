package ipvs

import (
	"fmt"
	"strings"
)

// A schedFlag is one word of ipvsadm -b (--sched-flags).
type schedFlag struct {
	name      string
	flag      Flags
	scheduler string // "" is every scheduler
}

var schedFlags = []schedFlag{
	{"sh-fallback", FlagSched1, "sh"},
	{"sh-port", FlagSched2, "sh"},
	{"mh-fallback", FlagSched1, "mh"},
	{"mh-port", FlagSched2, "mh"},
	{"flag-1", FlagSched1, ""},
	{"flag-2", FlagSched2, ""},
	{"flag-3", FlagSched3, ""},
}

// ParseSchedFlags reads the value of schedflags and of ipvsadm -b, a comma
// separated list of names. "" is none; as in ipvsadm, empty words between commas
// are skipped.
func ParseSchedFlags(scheduler, text string) (Flags, error) {
	var flags Flags
	for word := range strings.SplitSeq(text, ",") {
		if word == "" {
			continue
		}
		f, err := parseSchedFlag(scheduler, word)
		if err != nil {
			return 0, err
		}
		flags |= f
	}
	return flags, nil
}

func parseSchedFlag(scheduler, word string) (Flags, error) {
	for _, f := range schedFlags {
		switch {
		case f.name != word:
		case f.scheduler != "" && f.scheduler != scheduler:
			return 0, fmt.Errorf("scheduler flag %s is for scheduler %s, not for %s", word, f.scheduler, scheduler)
		default:
			return f.flag, nil
		}
	}
	return 0, fmt.Errorf("unknown scheduler flag %q: %s", word, knownSchedFlags())
}

func knownSchedFlags() string {
	var names []string
	for _, f := range schedFlags {
		names = append(names, f.name)
	}
	return "known are " + strings.Join(names, ", ")
}

// schedFlagNames is the reverse of ParseSchedFlags: a scheduler's own name for a
// flag if it has one. "" is none.
func schedFlagNames(scheduler string, flags Flags) string {
	var names []string
	left := flags & flagsSched
	for _, f := range schedFlags {
		if left&f.flag != 0 && (f.scheduler == "" || f.scheduler == scheduler) {
			names = append(names, f.name)
			left &^= f.flag
		}
	}
	return strings.Join(names, ",")
}
