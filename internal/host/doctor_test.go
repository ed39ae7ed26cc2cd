package host

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/lab"
)

// wellSurvey is a host on which nothing is wrong.
func wellSurvey(parameters map[string]string) Survey {
	values := map[string]string{
		"net/ipv4/ip_forward": "1", "net/ipv6/conf/all/forwarding": "1",
		"net/ipv4/vs/expire_quiescent_template": "1", "net/ipv4/vs/expire_nodest_conn": "1",
		"net/ipv4/conf/all/arp_ignore": "1", "net/ipv4/conf/all/arp_announce": "2",
	}
	maps.Copy(values, parameters)
	return Survey{
		IPVS: true,
		Addresses: map[netip.Addr]Placed{
			netip.MustParseAddr("10.0.0.1"):  {"eth0", 24},
			netip.MustParseAddr("10.0.0.80"): {"eth0", 32},
			netip.MustParseAddr("fd00::80"):  {"eth0", 128},
		},
		Sysctl:  func(name string) string { return values[name] },
		Devices: []string{"eth0", "eth1"},
	}
}

func TestDiagnoseDirector(t *testing.T) {
	const gate = "quiescent=yes\nvirtual=10.0.0.80:80\n    real=10.0.1.11:80 gate\n    persistent=300\n"
	const masq = "virtual=10.0.0.80:80\n    real=10.0.1.11:8080 masq\n"
	vip, real := netip.MustParseAddr("10.0.0.80"), netip.MustParseAddrPort("10.0.1.11:80")
	tests := []struct {
		name       string
		config     string
		parameters map[string]string
		change     func(*Survey)
		want       []string
	}{
		{name: "all is well", config: gate},
		{name: "all is well with masq", config: masq},
		{
			name: "no IPVS", config: gate, change: func(s *Survey) { s.IPVS = false },
			want: []string{"error: IPVS is not in this kernel [modprobe ip_vs]"},
		},
		{
			name: "no virtual address", config: gate, change: func(s *Survey) { delete(s.Addresses, vip) },
			want: []string{"error: the virtual address 10.0.0.80 is on no device [ldirectord t.cf host director up]"},
		},
		{
			name: "on lo", config: gate, change: func(s *Survey) { s.Addresses[vip] = Placed{"lo", 32} },
			want: []string{"warning: the virtual address 10.0.0.80 is on lo [ip address delete 10.0.0.80/32 dev lo; ldirectord t.cf host director up]"},
		},
		{
			name: "answered by another", config: gate,
			change: func(s *Survey) {
				s.Strangers = map[netip.Addr][]string{vip: {"02:00:00:00:00:01 (10.0.1.11)"}}
			},
			want: []string{"error: 02:00:00:00:00:01 (10.0.1.11) answers ARP for the virtual address 10.0.0.80, too [there: ldirectord host realserver up --vip 10.0.0.80]"},
		},
		{
			name: "no forwarding, redirects", config: masq,
			parameters: map[string]string{"net/ipv4/ip_forward": "0", "net/ipv4/conf/all/send_redirects": "0", "net/ipv4/conf/eth1/send_redirects": "1"},
			want: []string{
				"error: this host does not forward packets (ip_forward is 0) [ldirectord t.cf host director up]",
				"warning: ICMP redirects are sent at eth1 [ldirectord t.cf host director up]",
			},
		},
		{name: "gate needs no forwarding", config: gate, parameters: map[string]string{"net/ipv4/ip_forward": "0"}},
		{
			name: "no IPv6 forwarding", config: "virtual6=[fd00::80]:80\n    real6=[fd00::11]:80 masq\n",
			parameters: map[string]string{"net/ipv6/conf/all/forwarding": "0"},
			want:       []string{"error: this host does not forward IPv6 packets [ldirectord t.cf host director up]"},
		},
		{
			name: "pinned clients", config: gate, parameters: map[string]string{"net/ipv4/vs/expire_quiescent_template": "0"},
			want: []string{"warning: quiescent and persistent keep clients at a dead real server: tcp:10.0.0.80:80 " +
				"[net.ipv4.vs.expire_quiescent_template = 1 (host director up sets it); or quiescent = no]"},
		},
		{
			name: "a scheduler that refuses", config: "quiescent=yes\nvirtual=10.0.0.80:80\n    real=10.0.1.11:80 gate\n    scheduler=mh\n",
			want: []string{"warning: mh refuses its share of the clients while a real server has weight 0: tcp:10.0.0.80:80 " +
				"[schedflags = mh-fallback, or quiescent = no]"},
		},
		{
			name: "a scheduler that falls back", config: "quiescent=yes\nvirtual=10.0.0.80:80\n    real=10.0.1.11:80 gate\n    scheduler=mh\n    schedflags=mh-fallback\n",
		},
		{
			name: "silent drops", config: masq, parameters: map[string]string{"net/ipv4/vs/expire_nodest_conn": "0"},
			want: []string{"note: expire_nodest_conn is 0 [ldirectord t.cf host director up]"},
		},
		{
			name: "port mapping", config: "quiescent=yes\nvirtual=10.0.0.80:80\n    real=10.0.1.11:8080 gate\n",
			want: []string{"warning: line 3 asks for port 8080 of 10.0.1.11, whose service has port 80 [masq, or the same port and checkport]"},
		},
		{
			name: "this director", config: "quiescent=yes\nvirtual=10.0.0.80:80\n    real=10.0.0.1:80 gate\n",
			want: []string{"note: the real server 10.0.0.1 is this director itself []"},
		},
		{
			name: "no route", config: gate, change: func(s *Survey) { s.Reals = map[netip.AddrPort]Reach{real: {}} },
			want: []string{"error: there is no route to the real server 10.0.1.11 [ip route get 10.0.1.11]"},
		},
		{
			name: "no answer", config: gate,
			change: func(s *Survey) {
				s.Reals = map[netip.AddrPort]Reach{real: {Dev: "eth0", From: netip.MustParseAddr("10.0.0.1"), Error: "no answer within 2s"}}
			},
			want: []string{"warning: the real server 10.0.1.11:80 cannot be reached: no answer within 2s [ip route get 10.0.1.11 from 10.0.0.1]"},
		},
		{
			name: "refused", config: gate,
			change: func(s *Survey) {
				s.Reals = map[netip.AddrPort]Reach{real: {Dev: "eth0", From: netip.MustParseAddr("10.0.0.1"), Error: notListening}}
			},
			want: []string{"warning: the real server 10.0.1.11:80 cannot be reached: no process listens at that port [start the service there]"},
		},
		{
			name: "clocks", config: gate,
			change: func(s *Survey) {
				s.Reals = map[netip.AddrPort]Reach{real: {Dev: "eth0", Ahead: -3 * time.Minute}}
				s.ClockOff = "is not synchronized (NTP)"
			},
			want: []string{
				"warning: the clocks of this host and of the real server 10.0.1.11:80 differ by 3m0s [timedatectl set-ntp true, on both]",
				"note: the clock is not synchronized (NTP) [timedatectl set-ntp true]",
			},
		},
		{
			name: "rivals", config: gate, change: func(s *Survey) { s.Rivals = []Rival{{"keepalived runs as process 7", "stop it"}} },
			want: []string{"warning: keepalived runs as process 7 [stop it]"},
		},
		{
			name: "marks", config: gate, change: func(s *Survey) { s.Marks = []Condition{{Step: &Device{"x"}}, {Step: &Device{"y"}, Done: true}} },
			want: []string{"error: a packet mark is not set: link up x [ldirectord t.cf host marks up]"},
		},
		{
			name: "packet filter", config: gate, change: func(s *Survey) { s.Rules = []string{"-P INPUT DROP"} },
			want: []string{"error: the packet filter drops what clients send to 10.0.0.80:80: -P INPUT DROP [iptables -I INPUT -d 10.0.0.80 -p tcp --dport 80 -j ACCEPT]"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			survey := wellSurvey(tt.parameters)
			if tt.change != nil {
				tt.change(&survey)
			}
			if diff := cmp.Diff(tt.want, short(DiagnoseDirector(parse(t, tt.config), survey))); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

// short is one line for each finding, without why.
func short(findings []Finding) []string {
	var lines []string
	for _, f := range findings {
		lines = append(lines, f.Severity.String()+": "+f.What+" ["+f.Cure+"]")
	}
	return lines
}

func TestDiagnoseRealServers(t *testing.T) {
	const up = "ldirectord host realserver up --vip 10.0.0.80 --mode "
	vip := netip.MustParseAddr("10.0.0.80")
	placed := func(dev string, bits int) func(*Survey) {
		return func(s *Survey) { s.Addresses[vip] = Placed{dev, bits} }
	}
	tests := []struct {
		name       string
		real       RealServer
		parameters map[string]string
		change     func(*Survey)
		want       []string
	}{
		{name: "all is well", real: RealServer{VIP: vip}, change: placed("lo", 32)},
		{
			name: "not here", real: RealServer{VIP: vip}, change: func(s *Survey) { delete(s.Addresses, vip) },
			want: []string{"error: the virtual address 10.0.0.80 is not on this host [" + up + "gate]"},
		},
		{
			name: "prefix", real: RealServer{VIP: vip}, change: placed("lo", 24),
			want: []string{"error: 10.0.0.80 is on lo with a prefix of 24 bits [ip address delete 10.0.0.80/24 dev lo; " + up + "gate]"},
		},
		{
			name: "on the network", real: RealServer{VIP: vip}, change: placed("eth0", 32),
			want: []string{"warning: 10.0.0.80 is on eth0, not on lo [" + up + "gate]"},
		},
		{
			name: "of a tunnel, asked as gate", real: RealServer{VIP: vip}, change: placed("tunl0", 32),
			want: []string{"warning: 10.0.0.80 is on tunl0, not on lo [ldirectord doctor --vip 10.0.0.80 --mode ipip]"},
		},
		{
			name: "ARP", real: RealServer{VIP: vip}, change: placed("lo", 32),
			parameters: map[string]string{"net/ipv4/conf/all/arp_ignore": "0", "net/ipv4/conf/all/arp_announce": "0"},
			want: []string{
				"error: arp_ignore of all devices is 0 [" + up + "gate]",
				"error: arp_announce of all devices is 0 [" + up + "gate]",
			},
		},
		{
			name: "tunnel", real: RealServer{VIP: vip, Forward: conf.IPIP},
			change:     func(s *Survey) { s.Addresses[vip] = Placed{"tunl0", 32}; s.Down = map[string]bool{"tunl0": true} },
			parameters: map[string]string{"net/ipv4/conf/all/rp_filter": "1", "net/ipv4/conf/tunl0/rp_filter": "0"},
			want: []string{
				"error: the device tunl0 is down [" + up + "ipip]",
				"error: rp_filter of tunl0 is strict [" + up + "ipip]",
			},
		},
		{
			name: "loose tunnel", real: RealServer{VIP: vip, Forward: conf.IPIP}, change: placed("tunl0", 32),
			parameters: map[string]string{"net/ipv4/conf/all/rp_filter": "1", "net/ipv4/conf/tunl0/rp_filter": "2"},
		},
		{
			name: "no gateway", real: RealServer{Forward: conf.Masq},
			want: []string{"error: there is no default route [ip route replace default via DIRECTOR]"},
		},
		{
			name:   "another gateway",
			real:   RealServer{Forward: conf.Masq, Gateway: netip.MustParseAddr("10.0.1.1")},
			change: func(s *Survey) { s.Gateway = netip.MustParseAddr("10.0.1.254") },
			want:   []string{"error: the default route goes by 10.0.1.254 [ip route replace default via 10.0.1.1]"},
		},
		{
			name: "another IPv6 gateway",
			real: RealServer{Forward: conf.Masq, Gateway: netip.MustParseAddr("fd00::1")},
			change: func(s *Survey) {
				s.Gateway, s.Gateway6 = netip.MustParseAddr("10.0.1.254"), netip.MustParseAddr("fd00::2")
			},
			want: []string{"error: the default route goes by fd00::2 [ip route replace default via fd00::1]"},
		},
		{
			name:   "no IPv6 gateway",
			real:   RealServer{Forward: conf.Masq, Gateway: netip.MustParseAddr("fd00::1")},
			change: func(s *Survey) { s.Gateway = netip.MustParseAddr("10.0.1.254") },
			want:   []string{"error: there is no default route [ip route replace default via fd00::1]"},
		},
		{
			name: "the IPv6 gateway", real: RealServer{Forward: conf.Masq, Gateway: netip.MustParseAddr("fd00::1")},
			change: func(s *Survey) { s.Gateway6 = netip.MustParseAddr("fd00::1") },
		},
		{
			name: "not on its device", real: RealServer{VIP: vip, Dev: "dummy7"}, change: func(s *Survey) { delete(s.Addresses, vip) },
			want: []string{"error: the virtual address 10.0.0.80 is not on this host [" + up + "gate --dev dummy7]"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			survey := wellSurvey(tt.parameters)
			if tt.change != nil {
				tt.change(&survey)
			}
			if diff := cmp.Diff(tt.want, short(DiagnoseRealServers([]RealServer{tt.real}, survey))); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFirewall(t *testing.T) {
	tests := []struct {
		name    string
		rules   string
		begins  string // the rule that drops the first packet
		follows string // and that of the second
	}{
		{name: "none", rules: ""},
		{name: "accepted", rules: "-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT\n-A INPUT -j DROP"},
		{name: "another address", rules: "-A INPUT -d 10.0.0.81/32 -j DROP"},
		{name: "another port", rules: "-A INPUT -p tcp -m multiport --dports 443,8000:8010 -j REJECT"},
		{name: "some clients", rules: "-A INPUT -s 10.9.0.0/16 -j DROP\n-A INPUT ! -d 10.0.0.80 -j DROP"},
		{name: "policy", rules: "-P INPUT DROP\n-A INPUT -i lo -j ACCEPT", begins: "-P INPUT DROP", follows: "-P INPUT DROP"},
		{
			name: "dropped", rules: "-A INPUT -d 10.0.0.0/24 -p tcp -m tcp --dport 1:100 -j REJECT --reject-with icmp-port-unreachable",
			begins:  "-A INPUT -d 10.0.0.0/24 -p tcp -m tcp --dport 1:100 -j REJECT --reject-with icmp-port-unreachable",
			follows: "-A INPUT -d 10.0.0.0/24 -p tcp -m tcp --dport 1:100 -j REJECT --reject-with icmp-port-unreachable",
		},
		{
			name: "in another chain", rules: "-A INPUT -j own\n-A own -p udp -j ACCEPT\n-A own -m comment --comment rest -j DROP",
			begins: "-A own -m comment --comment rest -j DROP", follows: "-A own -m comment --comment rest -j DROP",
		},
		{name: "a chain that returns", rules: "-A INPUT -j own\n-A own -j RETURN\n-A own -j DROP"},
		{name: "a chain that calls itself", rules: "-A INPUT -j own\n-A own -j own"},
		{
			// As the how-tos have it: connections begin, and their packets are new
			// to conntrack and is no SYN.
			name: "state", rules: "-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT\n" +
				"-A INPUT -p tcp -m tcp --dport 80 --tcp-flags FIN,SYN,RST,ACK SYN -m state --state NEW -j ACCEPT\n-A INPUT -j REJECT",
			follows: "-A INPUT -j REJECT",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := packet{to: netip.MustParseAddr("10.0.0.80"), port: 80, protocol: "tcp", begins: true}
			rules := strings.Split("-P FORWARD DROP\n"+tt.rules, "\n")
			if rule, dropped := p.dropped(rules); rule != tt.begins && dropped || dropped != (tt.begins != "") {
				t.Errorf("the first packet: %q, dropped %v; want %q", rule, dropped, tt.begins)
			}
			p.begins = false
			if rule, dropped := p.dropped(rules); rule != tt.follows && dropped || dropped != (tt.follows != "") {
				t.Errorf("the second packet: %q, dropped %v; want %q", rule, dropped, tt.follows)
			}
		})
	}
	p := packet{to: netip.MustParseAddr("10.0.0.80"), port: 80, protocol: "tcp", tracked: true}
	if _, dropped := p.dropped([]string{"-A INPUT -m state --state ESTABLISHED -j ACCEPT", "-A INPUT -j DROP"}); dropped {
		t.Error("with conntrack=1 the second packet is not ESTABLISHED")
	}
}

func FuzzFirewall(f *testing.F) {
	f.Add("-A INPUT -p tcp -m tcp --dport 80 --tcp-flags FIN,SYN,RST,ACK SYN -m state --state NEW -j ACCEPT")
	f.Add("-A INPUT -d 10.0.0.0/99 --dport : -j own\n-A own -g INPUT\n-A INPUT -j")
	f.Fuzz(func(_ *testing.T, rules string) {
		p := packet{to: netip.MustParseAddr("10.0.0.80"), port: 80, protocol: "tcp", begins: true}
		p.dropped(strings.Split(rules, "\n"))
	})
}

// TestReach checks the findings about real servers on loopback: one answers an
// hour late, one refuses.
func TestReach(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
	}))
	defer web.Close()
	refused := lab.HoldPort(t)
	answers := netip.MustParseAddrPort(strings.TrimPrefix(web.URL, "http://"))
	cfg := parse(t, "virtual=10.0.0.80:80\n    real="+answers.String()+" masq\n    real="+refused.String()+" masq\n")
	got := reachAll(t.Context(), cfg)
	if r := got[answers]; r.Dev != "lo" || r.Error != "" || r.Ahead.Round(time.Minute) != -time.Hour {
		t.Errorf("the one that answers: %+v", r)
	}
	if r := got[refused]; r.Dev != "lo" || r.Error != notListening {
		t.Errorf("the one that refuses: %+v", r)
	}
}

func TestFindingIsShown(t *testing.T) {
	f := Finding{CodeVIPMissing, Error, "it is so", "it matters", "mend it"}
	if got, want := f.String(), "error    it is so [vip-missing]\n         it matters\n         cure: mend it"; got != want {
		t.Errorf("text %q, want %q", got, want)
	}
	text, err := json.Marshal(f)
	if want := `{"code":"vip-missing","severity":"error","what":"it is so","why":"it matters","cure":"mend it"}`; err != nil || string(text) != want {
		t.Errorf("JSON %s, %v; want %s", text, err, want)
	}
	if got := Worst([]Finding{{Severity: Note}, {Severity: Warning}, {Severity: Note}}); got != Warning {
		t.Errorf("the worst is %v", got)
	}
}

// TestReuseOfPorts has the warning only where real servers drain themselves.
func TestReuseOfPorts(t *testing.T) {
	for _, tt := range []struct {
		extra, value string
		want         bool
	}{
		{"    httpdrain=404\n", "1", true},
		{"    httpdrain=404\n", "3", false},
		{"    httpdrain=404\n", "", false}, // unknown
		{"", "1", false},
		{"    checktype=agent\n", "0", true},
	} {
		cfg, err := conf.Parse("t.cf", []byte("virtual=10.0.0.80:80\n    real=10.0.1.11:80 gate\n    service=http\n"+tt.extra), conf.Options{})
		if err != nil {
			t.Fatal(err)
		}
		s := wellSurvey(map[string]string{"net/ipv4/vs/conn_reuse_mode": tt.value})
		found := slices.ContainsFunc(DiagnoseDirector(cfg, s), func(f Finding) bool { return strings.HasPrefix(f.What, "conn_reuse_mode is "+tt.value) })
		if found != tt.want {
			t.Errorf("%q with %q: found %t, want %t", tt.extra, tt.value, found, tt.want)
		}
	}
}
