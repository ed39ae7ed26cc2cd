package importer

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// A besideDump collects what "ldirectord save" writes besides -A and -a: the timeouts and sync daemons.
type besideDump struct {
	sync *part  // the line of syncdaemon, nil: none yet
	role string // of it
	rest string // of it, after the role
}

// take understands a line, and reports whether it is one of those. p is nil if it adds no line of its own: a
// second sync daemon makes the first one both.
func (b *besideDump) take(words []string, at position) (p *part, is bool) {
	left := func() *part {
		return &part{line: at, notes: []note{lost(at, "%s is left out: no directive can say it", strings.Join(words, " "))}}
	}
	switch words[0] {
	case "--set":
		for _, word := range words[1:] {
			if number, err := strconv.Atoi(word); err != nil || number < 0 || number > longestTimeout {
				return left(), true
			}
		}
		if len(words) != 4 {
			return left(), true
		}
		return &part{line: at, lines: []string{"ipvstimeouts = " + strings.Join(words[1:], " ")}}, true
	case "--start-daemon":
		if len(words) < 2 || words[1] != "master" && words[1] != "backup" {
			return left(), true
		}
		rest, ok := syncOptions(words[2:])
		switch {
		case !ok, b.sync != nil && (rest != b.rest || words[1] == b.role || b.role == "both"):
			return left(), true
		case b.sync == nil:
			b.role, b.rest = words[1], rest
			b.sync = &part{line: at, lines: []string{"syncdaemon = " + b.role + rest}}
			return b.sync, true
		}
		b.role = "both"
		b.sync.lines[0] = "syncdaemon = both" + rest
		return nil, true
	}
	return nil, false
}

// syncOptions are the options of --start-daemon as syncdaemon has them, after its role.
func syncOptions(options []string) (rest string, ok bool) {
	set := map[string]string{}
	for i := 0; i+1 < len(options); i += 2 {
		set[options[i]] = options[i+1]
	}
	id, err := strconv.Atoi(set["--syncid"])
	if 2*len(set) != len(options) || err != nil || id < 0 || id > highestSyncID || !isDevice(set["--mcast-interface"]) {
		return "", false
	}
	rest = fmt.Sprintf(" %s id %d", set["--mcast-interface"], id)
	headers := syncHeaders
	for option, value := range set {
		number, _ := strconv.Atoi(value)
		switch group, err := netip.ParseAddr(value); {
		case option == "--mcast-interface", option == "--syncid":
		case option == "--mcast-group" && err == nil && group.IsMulticast() && group.Zone() == "":
			if group.Is6() {
				headers = syncHeaders6
			}
		case option == "--mcast-port" && isPort(value):
		case option == "--sync-maxlen" && number >= 1072-syncHeaders && number <= 65535-syncHeaders6:
		default:
			return "", false
		}
	}
	if group := set["--mcast-group"]; group != "" {
		rest += " group " + group
	}
	if port := set["--mcast-port"]; port != "" {
		rest += " port " + port
	}
	if maxlen := set["--sync-maxlen"]; maxlen != "" {
		number, _ := strconv.Atoi(maxlen) // which was looked at above
		rest += fmt.Sprintf(" mtu %d", number+headers)
	}
	return rest, true
}
