package host

import (
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/ldirectord/ldirectord/conf"
)

// load reads what has to fit into the kernel's tables. What cannot be read is 0.
func (h *Host) load(cfg *conf.Config) Load {
	l := Load{CPUs: runtime.NumCPU()}
	l.ConnTable, l.Connections, l.Entries = parseTable(h.procFile("net/ip_vs"))
	l.Tracked, _ = strconv.Atoi(h.sysctl("net/netfilter/nf_conntrack_count"))
	for i, name := range []string{"arp_cache", "ndisc_cache"} {
		l.Neighbours[i], l.Overflows[i] = parseCache(h.procFile("net/stat/" + name))
	}
	if n, err := readDevices(); err == nil {
		l.OnLink = onLink(cfg, n)
	}
	return l
}

func (h *Host) procFile(name string) string {
	text, _ := os.ReadFile(filepath.Join(h.machine.proc, name))
	return string(text)
}

// parseTable reads /proc/net/ip_vs: the lists of the table of connections, the connections, and the
// virtual services and real servers.
//
//	IP Virtual Server version 1.2.1 (size=4096)
//	Prot LocalAddress:Port Scheduler Flags
//	  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
//	TCP  0A000050:0050 rr
//	  -> 0A00010B:0050      Masq    1      12         3
func parseTable(text string) (lists, connections, entries int) {
	for i, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		switch {
		case i == 0:
			_, size, _ := strings.Cut(line, "(size=")
			lists, _ = strconv.Atoi(strings.TrimSuffix(size, ")"))
		case i < 3 || len(words) == 0:
		case words[0] != "->":
			entries++
		case len(words) >= 6:
			entries++
			for _, word := range words[4:6] {
				n, _ := strconv.Atoi(word)
				connections += n
			}
		}
	}
	return lists, connections, entries
}

// parseCache reads /proc/net/stat/arp_cache or ndisc_cache: a heading and a line of hexadecimal numbers for
// each CPU. The entries are the same in each line.
func parseCache(text string) (entries, overflows int) {
	var columns []string
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if columns == nil {
			columns = words
			continue
		}
		for i, word := range words[:min(len(words), len(columns))] {
			n, _ := strconv.ParseInt(word, 16, 64)
			switch columns[i] {
			case "entries":
				entries = int(n)
			case "table_fulls":
				overflows += int(n)
			}
		}
	}
	return entries, overflows
}

// onLink counts the servers of cfg in the networks of this host: each needs an entry for its hardware address.
func onLink(cfg *conf.Config, n networks) (count [2]int) {
	byNetwork := map[netip.Prefix]bool{}
	for _, a := range n.addresses {
		if network := a.prefix.Masked(); a.dev != "lo" && !network.IsSingleIP() {
			byNetwork[network] = true
		}
	}
	seen := map[netip.Addr]bool{}
	for _, v := range cfg.Virtuals {
		for _, r := range v.Reals {
			if seen[r.Addr] {
				continue
			}
			seen[r.Addr] = true
			for network := range byNetwork {
				if network.Contains(r.Addr) {
					if r.Addr.Is6() {
						count[1]++
					} else {
						count[0]++
					}
					break
				}
			}
		}
	}
	return count
}
