package host

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDiagnoseScale meets each limit of the kernel: the figure that is there, the one that is needed and
// the cure.
func TestDiagnoseScale(t *testing.T) {
	const two = "quiescent=yes\nvirtual=10.0.0.80:80\n    real=10.0.1.11:80 gate\n    real=10.0.1.12:80 gate\n"
	var rack strings.Builder
	rack.WriteString("quiescent=yes\ncheckinterval=1\nvirtual=10.0.0.80:80\n    checktype=connect\n")
	for i := range 1000 {
		fmt.Fprintf(&rack, "    real=10.0.%d.%d:80 gate\n", 1+i/250, 1+i%250)
	}
	const neigh3, neigh6 = "net/ipv4/neigh/default/gc_thresh3", "net/ipv6/neigh/default/gc_thresh3"
	const max, rmem = "net/netfilter/nf_conntrack_max", "net/core/rmem_default"
	type values = map[string]string
	tests := []struct {
		name   string
		config string
		is     values
		load   Load
		want   string
	}{
		{name: "nothing is known", config: two},
		{
			name: "the kernel's defaults", config: two, is: values{neigh3: "1024", neigh6: "1024", max: "262144", rmem: "212992", "net/ipv4/vs/run_estimation": "1"},
			load: Load{CPUs: 64, ConnTable: 4096, Connections: 16384, Entries: 3, Tracked: 1000, Neighbours: [2]int{800, 10}, OnLink: [2]int{2, 0}},
		},
		{
			name: "no room for the servers of the file", config: two, is: values{neigh3: "1024"}, load: Load{OnLink: [2]int{2000, 0}},
			want: "error: net.ipv4.neigh.default.gc_thresh3 is 1024, and the file has 2000 servers in networks of this host: 4096 are needed " +
				"[sysctl -w net.ipv4.neigh.default.gc_thresh1=1024 net.ipv4.neigh.default.gc_thresh2=2048 net.ipv4.neigh.default.gc_thresh3=4096, and the same in /etc/sysctl.d]",
		},
		{
			name: "little room, IPv6", config: two, is: values{neigh6: "1024"}, load: Load{Neighbours: [2]int{0, 900}, OnLink: [2]int{0, 500}},
			want: "warning: net.ipv6.neigh.default.gc_thresh3 is 1024, with 900 neighbours known and 500 servers of the file in networks of this host: 2048 are needed " +
				"[sysctl -w net.ipv6.neigh.default.gc_thresh1=512 net.ipv6.neigh.default.gc_thresh2=1024 net.ipv6.neigh.default.gc_thresh3=2048, and the same in /etc/sysctl.d]",
		},
		{
			name: "it was full", config: two, is: values{neigh3: "1024"}, load: Load{Neighbours: [2]int{10, 0}, Overflows: [2]int{7, 0}},
			want: "warning: net.ipv4.neigh.default.gc_thresh3 is 1024, and the table was full 7 times since the boot: 2048 are needed " +
				"[sysctl -w net.ipv4.neigh.default.gc_thresh1=512 net.ipv4.neigh.default.gc_thresh2=1024 net.ipv4.neigh.default.gc_thresh3=2048, and the same in /etc/sysctl.d]",
		},
		{
			name: "long lists of connections", config: two, load: Load{ConnTable: 4096, Connections: 1_000_000},
			want: "warning: conn_tab_bits of ip_vs is 12, with 1000000 connections now: 20 are needed " +
				"[echo options ip_vs conn_tab_bits=20 >/etc/modprobe.d/ip_vs.conf, and boot again, or load the module again while there is no table]",
		},
		{name: "a table that grows", config: two, is: values{"net/ipv4/vs/conn_lfactor": "-4"}, load: Load{ConnTable: 4096, Connections: 1_000_000}},
		{
			name: "checks fill conntrack", config: rack.String(), is: values{max: "65536"}, load: Load{Tracked: 5000},
			want: "warning: net.netfilter.nf_conntrack_max is 65536, with 5000 connections tracked now and 120000 by this file's checks and clients: 262144 are needed " +
				"[sysctl -w net.netfilter.nf_conntrack_max=262144, and the same in /etc/sysctl.d]",
		},
		{
			name: "clients fill conntrack", config: two, is: values{max: "65536", "net/ipv4/vs/conntrack": "1"}, load: Load{Tracked: 65000, Connections: 60000},
			want: "error: net.netfilter.nf_conntrack_max is 65536, with 65000 connections tracked now and 65000 by this file's checks and clients: 131072 are needed " +
				"[sysctl -w net.netfilter.nf_conntrack_max=131072, and the same in /etc/sysctl.d]",
		},
		{name: "conntrack is not used", config: rack.String(), is: values{max: "65536"}},
		{
			name: "estimators in threads", config: two, is: values{"net/ipv4/vs/run_estimation": "1"}, load: Load{CPUs: 128, Entries: 20000},
			want: "warning: 20000 virtual services and real servers on 128 CPUs are 2560000 counters to estimate rates from, at most 2000000 are good " +
				"[sysctl -w net.ipv4.vs.run_estimation=0: show --rate has no rates then; or net.ipv4.vs.est_cpulist=CPUS that get no packets]",
		},
		{name: "no estimators", config: two, is: values{"net/ipv4/vs/run_estimation": "0"}, load: Load{CPUs: 128, Entries: 20000}},
		{
			name: "estimators in an interrupt, by the file", config: rack.String(), load: Load{CPUs: 256},
			want: "warning: 1001 virtual services and real servers on 256 CPUs are 256256 counters to estimate rates from, at most 200000 are good " +
				"[Linux 6.2 or later, which has threads for that and net.ipv4.vs.run_estimation=0]",
		},
		{
			name: "little room for netlink", config: two, is: values{rmem: "4096"}, load: Load{Entries: 3},
			want: "note: net.core.rmem_default is 4096, with 3 entries in the table: 65536 are needed [sysctl -w net.core.rmem_default=212992, the kernel's own value]",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := wellSurvey(tt.is)
			s.Load = tt.load
			if diff := cmp.Diff(tt.want, strings.Join(short(DiagnoseDirector(parse(t, tt.config), s)), "\n")); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

// TestLoad reads the kernel's files.
func TestLoad(t *testing.T) {
	lists, connections, entries := parseTable(`IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  0A000050:0050 rr 
  -> 0A00010B:0050      Masq    1      12         3         
  -> 0A00010C:0050      Route   1      0          5         
FWM  00000007 wlc 
`)
	if lists != 4096 || connections != 20 || entries != 4 {
		t.Errorf("the table: %d lists, %d connections, %d entries", lists, connections, entries)
	}
	known, full := parseCache(`entries  allocs   destroys hash_grows lookups  hits     res_failed rcv_probes_mcast rcv_probes_ucast periodic_gc_runs forced_gc_runs unresolved_discards table_fulls
0000000c 00000001 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000002
0000000c 00000001 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000010
`)
	if known != 12 || full != 18 {
		t.Errorf("the cache: %d entries, full %d times", known, full)
	}
	cfg := parse(t, "virtual=10.0.0.80:80\n    real=10.0.1.11:80 masq\n    real=10.0.1.12:80 masq\n    real=10.9.0.1:80 masq\n"+
		"virtual=10.0.0.80:81\n    real=10.0.1.11:81 masq\nvirtual6=[fd00::80]:80\n    real6=[fd00::11]:80 masq\n")
	n := networks{addresses: []onDevice{
		{netip.MustParsePrefix("10.0.1.1/24"), "eth1"}, {netip.MustParsePrefix("10.0.0.80/32"), "eth0"}, {netip.MustParsePrefix("fd00::1/64"), "eth0"},
	}}
	if got := onLink(cfg, n); got != [2]int{2, 1} {
		t.Errorf("servers in networks of this host: %v", got)
	}
	if lists, connections, entries := parseTable(""); lists+connections+entries != 0 {
		t.Error("an empty file has numbers")
	}
}
