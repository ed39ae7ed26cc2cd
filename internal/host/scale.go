package host

import (
	"fmt"
	"math/bits"
	"strconv"

	"github.com/ldirectord/ldirectord/conf"
)

// A Load is what has to fit into the kernel's tables. The zero value is not known.
type Load struct {
	CPUs        int
	ConnTable   int // lists of the kernel's table of connections
	Connections int // of IPVS
	Entries     int // virtual services and real servers in the table of IPVS
	Tracked     int // by conntrack
	Neighbours  [2]int
	Overflows   [2]int // how often the table of neighbours was full
	OnLink      [2]int // servers of the file in the networks of this host, by family: IPv4, IPv6
}

const (
	// longList is how many connections there may be for each list of the table before a finding: each
	// packet searches one list.
	longList = 4
	// trackedTime is how long conntrack remembers a connection that has ended, in seconds.
	trackedTime = 120
	// The counters that estimators may read every 2 s: in threads of their own (Linux 6.2), and in an
	// interrupt, where 100 ns for each are 20 ms without packets.
	mostInThreads   = 2_000_000
	mostInInterrupt = 200_000
	// netlinkMessage is the longest message of the kernel about its table.
	netlinkMessage = 32 << 10
)

// scale is about the limits of the kernel that a large table meets.
func (c *chart) scale(cfg *conf.Config, s Survey) {
	c.neighbours(s)
	c.connections(s)
	c.conntrack(cfg, s)
	c.estimators(cfg, s)
	c.netlink(s)
}

// number is a kernel parameter, 0 if it is not there.
func (s Survey) number(name string) int {
	n, err := strconv.Atoi(s.sysctl(name))
	if err != nil {
		return 0
	}
	return n
}

// room is a round number that is at least n and a quarter.
func room(n int) int { return 1 << bits.Len(uint(n+n/4)) }

// neighbours is about the table of hardware addresses.
func (c *chart) neighbours(s Survey) {
	for i, family := range []string{"ipv4", "ipv6"} {
		name := "net." + family + ".neigh.default.gc_thresh3"
		limit := s.number("net/" + family + "/neigh/default/gc_thresh3")
		need := max(s.Load.OnLink[i], s.Load.Neighbours[i])
		want := room(max(need, limit))
		cure := fmt.Sprintf("sysctl -w net.%[1]s.neigh.default.gc_thresh1=%[2]d net.%[1]s.neigh.default.gc_thresh2=%[3]d net.%[1]s.neigh.default.gc_thresh3=%[4]d, and the same in /etc/sysctl.d",
			family, want/4, want/2, want)
		switch {
		case limit == 0:
		case s.Load.OnLink[i] >= limit:
			c.add(CodeNeighboursTooMany, Error, fmt.Sprintf("%s is %d, and the file has %d servers in networks of this host: %d are needed", name, limit, s.Load.OnLink[i], want),
				"there is no room for the hardware addresses of all: checks and connections to some fail, to others a moment later", cure)
		case need+need/4 > limit:
			c.add(CodeNeighboursNearlyFull, Warning, fmt.Sprintf("%s is %d, with %d neighbours known and %d servers of the file in networks of this host: %d are needed", name, limit, s.Load.Neighbours[i], s.Load.OnLink[i], want),
				"when it is full, checks and connections to real servers fail at random", cure)
		case s.Load.Overflows[i] > 0:
			c.add(CodeNeighboursWereFull, Warning, fmt.Sprintf("%s is %d, and the table was full %d times since the boot: %d are needed", name, limit, s.Load.Overflows[i], want),
				"then checks and connections to real servers failed at random", cure)
		}
	}
}

// connections is about the hash table of connections, whose size is fixed when ip_vs is loaded. A kernel with
// conn_lfactor lets it grow.
func (c *chart) connections(s Survey) {
	l := s.Load
	if l.ConnTable == 0 || l.Connections <= longList*l.ConnTable || s.sysctl("net/ipv4/vs/conn_lfactor") != "" {
		return
	}
	is, want := bits.Len(uint(l.ConnTable))-1, min(bits.Len(uint(l.Connections)), 20) // 20 is the most of older kernels
	if want <= is {
		return
	}
	c.add(CodeConnTableSmall, Warning, fmt.Sprintf("conn_tab_bits of ip_vs is %d, with %d connections now: %d are needed", is, l.Connections, want),
		fmt.Sprintf("each packet searches a list of %d connections", l.Connections/l.ConnTable),
		fmt.Sprintf("echo options ip_vs conn_tab_bits=%d >/etc/modprobe.d/ip_vs.conf, and boot again, or load the module again while there is no table", want))
}

// checksTracked are the connections of checks that conntrack remembers at once.
func checksTracked(cfg *conf.Config) int {
	sum := 0.0
	for _, v := range cfg.EachCheck() {
		if v.CheckType != conf.CheckOn && v.CheckType != conf.CheckOff && v.CheckInterval > 0 {
			sum += trackedTime / v.CheckInterval.Seconds() * float64(len(v.Reals))
		}
	}
	return int(sum)
}

// conntrack is about its table, if it is in use. IPVS keeps its own connections there if vs/conntrack says so.
func (c *chart) conntrack(cfg *conf.Config, s Survey) {
	limit := s.number("net/netfilter/nf_conntrack_max")
	if limit == 0 || s.Load.Tracked == 0 {
		return
	}
	need := checksTracked(cfg)
	if s.sysctl("net/ipv4/vs/conntrack") == "1" {
		need += s.Load.Connections
	}
	need = max(need, s.Load.Tracked)
	if need+need/4 <= limit {
		return
	}
	severity := Warning
	if s.Load.Tracked >= limit-limit/20 {
		severity = Error
	}
	c.add(CodeConntrackFull, severity, fmt.Sprintf("net.netfilter.nf_conntrack_max is %d, with %d connections tracked now and %d by this file's checks and clients: %d are needed", limit, s.Load.Tracked, need, room(need)),
		"when it is full, new connections of clients and checks are dropped", fmt.Sprintf("sysctl -w net.netfilter.nf_conntrack_max=%d, and the same in /etc/sysctl.d", room(need)))
}

// estimators is about the rates that the kernel computes for each virtual service and real server, by reading a
// counter of each CPU.
func (c *chart) estimators(cfg *conf.Config, s Survey) {
	entries := len(cfg.Virtuals)
	for _, v := range cfg.Virtuals {
		entries += len(v.Reals)
	}
	entries = max(entries, s.Load.Entries)
	run, most := s.sysctl("net/ipv4/vs/run_estimation"), mostInThreads
	cure := "sysctl -w net.ipv4.vs.run_estimation=0: show --rate has no rates then; or net.ipv4.vs.est_cpulist=CPUS that get no packets"
	where := "in threads of the kernel"
	if run == "" {
		most, where = mostInInterrupt, "in an interrupt of one CPU, which handles no packets meanwhile"
		cure = "Linux 6.2 or later, which has threads for that and net.ipv4.vs.run_estimation=0"
	}
	if counters := entries * s.Load.CPUs; run != "0" && counters > most {
		c.add(CodeEstimatorsMany, Warning, fmt.Sprintf("%d virtual services and real servers on %d CPUs are %d counters to estimate rates from, at most %d are good", entries, s.Load.CPUs, counters, most),
			"the kernel reads all of them every 2 s, "+where, cure)
	}
}

// netlink is about the room for what the kernel says of its table.
func (c *chart) netlink(s Survey) {
	const need = 2 * netlinkMessage
	if is := s.number("net/core/rmem_default"); is > 0 && is < need && s.Load.Entries > 0 {
		c.add(CodeNetlinkRoom, Note, fmt.Sprintf("net.core.rmem_default is %d, with %d entries in the table: %d are needed", is, s.Load.Entries, need),
			"the kernel passes its table in messages of up to 32 kB, one at a time if there is no room for two: driftcheck and show take longer",
			"sysctl -w net.core.rmem_default=212992, the kernel's own value")
	}
}
