package host

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/keepalived"
)

// A Pair is what is known of other directors that take over from this one.
type Pair struct {
	Sign    string             // by which this host is one of several: "/etc/corosync/corosync.conf has more than one node"; "" is none
	Carried bool               // another program has the kernel carry connections
	IDs     map[netip.Addr]int // the sync IDs with which other directors send connections
}

// listenPatience is longer than a master holds connections back.
const listenPatience = 2500 * time.Millisecond

// corosyncFile is the configuration of the cluster manager beside Pacemaker. Debian's has one node.
const corosyncFile = "/etc/corosync/corosync.conf"

// surveyPair looks for other directors, and listens for a moment to what they send if cfg
// has a sync daemon.
func surveyPair(cfg *conf.Config) Pair {
	p := readPair(keepalived.File, corosyncFile)
	if s := cfg.SyncDaemon; s.On() {
		p.IDs = heardIDs(s, listenPatience)
	}
	return p
}

// readPair looks for other directors in the files of programs that move addresses between hosts. One
// that cannot be read has none.
func readPair(keepalivedConf, corosyncConf string) Pair {
	var p Pair
	if root, err := keepalived.Read(keepalived.Source{Path: keepalivedConf, ID: keepalived.HostID()}); err == nil {
		if root.Has("vrrp_instance") {
			p.Sign = keepalivedConf + " has vrrp_instance"
		}
		p.Carried = root.Has("lvs_sync_daemon")
	}
	text, _ := os.ReadFile(corosyncConf) // without it there is no such program
	nodes := 0
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) > 0 && words[0] == "ring0_addr:" {
			nodes++
		}
	}
	if nodes > 1 && p.Sign == "" {
		p.Sign = corosyncConf + " has more than one node"
	}
	return p
}

// The kernel's defaults of a sync daemon.
const (
	syncGroup = "224.0.0.81"
	syncPort  = 8848
)

// heardIDs listens for messages of sync daemons of other hosts. What cannot be heard is
// not known.
func heardIDs(s conf.SyncDaemon, patience time.Duration) map[netip.Addr]int {
	device, err := net.InterfaceByName(s.Device)
	if err != nil {
		return nil
	}
	group := s.Group
	if !group.IsValid() {
		group = netip.MustParseAddr(syncGroup)
	}
	conn, err := net.ListenMulticastUDP("udp", device, &net.UDPAddr{IP: group.AsSlice(), Port: cmp.Or(s.Port, syncPort)})
	if err != nil {
		return nil
	}
	defer conn.Close()
	if conn.SetReadDeadline(time.Now().Add(patience)) != nil {
		return nil
	}
	heard := map[netip.Addr]int{}
	for message := make([]byte, 64<<10); ; {
		n, from, err := conn.ReadFromUDPAddrPort(message)
		if err != nil {
			return heard
		}
		if id, ok := syncID(message[:n]); ok {
			heard[from.Addr().Unmap()] = id
		}
	}
}

// syncID is the ID in a message of a sync daemon, struct ip_vs_sync_mesg of the kernel's
// ip_vs_sync.c: 0, the ID, and the length of the message in two bytes.
func syncID(message []byte) (id int, ok bool) {
	if len(message) < 8 || message[0] != 0 || int(message[2])<<8|int(message[3]) != len(message) {
		return 0, false
	}
	return int(message[1]), true
}

// pair is about other directors: whether they know the connections of this one.
func (c *chart) pair(cfg *conf.Config, p Pair) {
	s := cfg.SyncDaemon
	if p.Sign != "" && !s.On() && !p.Carried && len(cfg.Virtuals) > 0 && !hashesTCP(cfg) {
		c.add(CodePairUnsynchronized, Warning, "this director is one of a pair ("+p.Sign+"), without syncdaemon and without mh",
			"the other one does not know the connections of this one: all are reset when the address moves",
			"on both: syncdaemon = both DEVICE id 1; or scheduler = mh, schedflags = mh-port and net.ipv4.vs.sloppy_tcp = 1")
	}
	for _, from := range slices.SortedFunc(maps.Keys(p.IDs), netip.Addr.Compare) {
		if id := p.IDs[from]; id != s.ID && (s.Master || s.ID != 0) {
			c.add(CodeSyncIDsDiffer, Warning, fmt.Sprintf("the director %s sends its connections with the sync id %d, and syncdaemon here has id %d", from, id, s.ID),
				"directors with different ids do not take each other's connections: they are reset when the address moves",
				fmt.Sprintf("if they are a pair: syncdaemon = … id %d here, or id %d there", id, s.ID))
		}
	}
}
