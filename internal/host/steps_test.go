package host

import (
	"flag"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/lab"
)

var update = flag.Bool("update", false, "write what the cases give into testdata")

// TestDirectorSteps computes, for every NAME.cf in testdata/host, the steps of the
// director (NAME.steps) and its packet marks (NAME.iptables, NAME.nft).
func TestDirectorSteps(t *testing.T) {
	lab.Cases(t, "../../testdata/host/*.txtar", *update, runCases)
}

func runCases(t *testing.T, archive *txtar.Archive) {
	text := map[string]string{}
	for _, f := range archive.Files {
		text[f.Name] = string(f.Data)
	}
	for i, f := range archive.Files {
		name, kind, _ := strings.Cut(f.Name, ".")
		if kind == "cf" || kind == "flags" {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			cfg := parse(t, text[name+".cf"])
			var got string
			switch kind {
			case "steps":
				steps, err := directorOf(t, cfg, text[name+".flags"]).Steps()
				if err != nil {
					t.Fatal(err)
				}
				got = lines(steps)
			case "iptables", "nft":
				got = lines(markSteps(cfg, Filter(kind)))
			default:
				t.Fatalf("what is %s?", f.Name)
			}
			if *update {
				archive.Files[i].Data = []byte(got)
			} else if diff := cmp.Diff(string(f.Data), got); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
		})
	}
}

func parse(t *testing.T, text string) *conf.Config {
	t.Helper()
	cfg, err := conf.Parse("t.cf", []byte(text), conf.Options{TryOpen: func(string) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// directorOf is a director with virtual addresses on eth0 and masq real servers
// behind eth1.
func directorOf(t *testing.T, cfg *conf.Config, flags string) Director {
	t.Helper()
	d := Director{Config: cfg, Filter: Iptables, Place: Place{VIPs: map[netip.Addr]string{}, Advertised: []string{"eth0"}}}
	for _, vip := range VIPs(cfg) {
		d.Place.VIPs[vip] = "eth0"
	}
	if len(masqReals(cfg)) > 0 {
		d.Place.Reals = []string{"eth1"}
	}
	words := strings.Fields(flags)
	for i := 0; i+1 < len(words); i += 2 {
		switch words[i] {
		case "--masquerade":
			d.Masquerade = append(d.Masquerade, netip.MustParsePrefix(words[i+1]))
		case "--prefix":
			d.PrefixLen, _ = strconv.Atoi(words[i+1])
		}
	}
	return d
}

func lines(steps []Step) string {
	var b strings.Builder
	for _, s := range steps {
		b.WriteString(s.String() + "\n")
	}
	return b.String()
}

func TestDirectorWithoutDevice(t *testing.T) {
	d := Director{Config: parse(t, "virtual=10.0.0.1:80\n    real=10.1.0.1 gate\n")}
	if _, err := d.Steps(); err == nil || !strings.Contains(err.Error(), "10.0.0.1") {
		t.Errorf("got %v, want an error that names the address", err)
	}
}

func TestRealServerSteps(t *testing.T) {
	vip, vip6 := netip.MustParseAddr("10.0.0.80"), netip.MustParseAddr("fd00::80")
	tests := []struct {
		name string
		real RealServer
		want string
	}{
		{"gate", RealServer{VIP: vip}, `
sysctl net.ipv4.conf.all.arp_ignore 1
sysctl net.ipv4.conf.all.arp_announce 2
sysctl net.ipv4.conf.lo.arp_ignore 1
sysctl net.ipv4.conf.lo.arp_announce 2
address add 10.0.0.80/32 dev lo label lo:80
route add 10.0.0.80/32 dev lo
`},
		{"a device with a dot and a long name", RealServer{VIP: netip.MustParseAddr("10.0.0.180"), Dev: "dummyvips.1"}, `
sysctl net.ipv4.conf.all.arp_ignore 1
sysctl net.ipv4.conf.all.arp_announce 2
sysctl net/ipv4/conf/dummyvips.1/arp_ignore 1
sysctl net/ipv4/conf/dummyvips.1/arp_announce 2
address add 10.0.0.180/32 dev dummyvips.1 label dummyvips.1:180
route add 10.0.0.180/32 dev dummyvips.1
`},
		{"a label that is too long", RealServer{VIP: netip.MustParseAddr("10.0.0.180"), Dev: "dummyvips.12"}, `
sysctl net.ipv4.conf.all.arp_ignore 1
sysctl net.ipv4.conf.all.arp_announce 2
sysctl net/ipv4/conf/dummyvips.12/arp_ignore 1
sysctl net/ipv4/conf/dummyvips.12/arp_announce 2
address add 10.0.0.180/32 dev dummyvips.12
route add 10.0.0.180/32 dev dummyvips.12
`},
		{"gate, IPv6", RealServer{VIP: vip6}, `
address add fd00::80/128 dev lo preferred_lft 0
`},
		{"ipip", RealServer{VIP: vip, Forward: conf.IPIP}, `
module ipip
link up tunl0
sysctl net.ipv4.conf.tunl0.rp_filter 2
sysctl net.ipv4.conf.all.arp_ignore 1
sysctl net.ipv4.conf.all.arp_announce 2
sysctl net.ipv4.conf.tunl0.arp_ignore 1
sysctl net.ipv4.conf.tunl0.arp_announce 2
address add 10.0.0.80/32 dev tunl0 label tunl0:80
route add 10.0.0.80/32 dev tunl0
`},
		{"ipip, IPv6", RealServer{VIP: vip6, Forward: conf.IPIP}, `
module ip6_tunnel
link up ip6tnl0
address add fd00::80/128 dev ip6tnl0 preferred_lft 0
`},
		{"masq", RealServer{Forward: conf.Masq}, `
route default via the director
`},
		{"masq by one director", RealServer{Forward: conf.Masq, Gateway: netip.MustParseAddr("10.0.1.1")}, `
route default via 10.0.1.1
`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			steps, err := tt.real.Steps()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.TrimPrefix(tt.want, "\n"), lines(steps)); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRealServerRefuses(t *testing.T) {
	for _, vip := range []netip.Addr{{}, netip.MustParseAddr("0.0.0.0"), netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("224.0.0.1")} {
		if steps, err := (RealServer{VIP: vip}).Steps(); err == nil {
			t.Errorf("%v: got %d steps, want an error", vip, len(steps))
		}
	}
}
