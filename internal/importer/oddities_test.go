package importer

import (
	"strings"
	"testing"
)

// oddityTests are as keepalivedTests, about what keepalived does by itself, and about what it refuses.
var oddityTests = map[string]importTest{
	"no protocol": {
		text:     "virtual_server 10.0.0.1 53 {\n real_server 10.1.0.1 53 {\n  PING_CHECK {\n  }\n }\n}\n",
		want:     []string{"protocol = udp"},
		notes:    []string{"line 1: virtual_server 10.0.0.1 53 has no protocol: keepalived serves udp then"},
		lossless: true,
	},
	"ranges and networks outside of groups": {
		text:     strings.Replace(in(" sorry_server 10.1.0.9/24 80", strings.Replace(realOf(1, tcpCheck), "10.1.0.1", "10.1.0.1-4", 1)), "10.0.0.1", "10.0.0.1/24", 1),
		want:     []string{"virtual = 10.0.0.1:80", "real = 10.1.0.1:8080 masq 1", "fallback = 10.1.0.9:80 masq"},
		lossless: true,
	},
	"ranges that keepalived refuses": {
		text: "virtual_server_group G {\n 10.0.0.9/29 80\n 10.0.0.3-3 80\n 10.0.0.5-4 80\n www 80\n 10.0.0.1 http\n fd00::1-ff 80\n 10.0.1.1-10.0.1.1 80\n}\n" +
			"virtual_server group G {\n protocol TCP\n lvs_method TUN\n real_server 10.1.0.1 {\n" + tcpCheck + "\n }\n}\n",
		want:    []string{"virtual = 10.0.1.1:80", "virtual6 = [fd00::1]:80"},
		notes:   []string{"line 2: 10.0.0.9/29 80 is left out", "line 3:", "line 4:", "line 5: www 80 is left out: it is no address and port; keepalived takes no names", "line 6:"},
		refused: []string{"mask bits not empty", "end is not greater", "Invalid virtual server group IP address", "invalid number 'http'"},
	},
	"values that keepalived refuses": {
		text: in(" ops\n ip_family inet6\n alpha x", realOf(1, "  smtp_alert 1\n  TCP_CHECK {\n   warmup x\n   connect_timeout 5000\n   bindto fd00::7\n   log_all_failures 1\n  }"),
			realOf(2, "  HTTP_GET {\n   http_protocol 2\n   url {\n    path /\n   }\n  }"), realOf(3, "  MISC_CHECK {\n   misc_path /c\n   misc_timeout 5000\n  }")),
		want: []string{"!ops", "!checksource", "httpversion = 1.0"},
		notes: []string{
			"ops is left out: keepalived takes it with udp", "ip_family inet6: that is not", "smtp_alert 1: that is neither yes nor no", "warmup x: that is no time",
			"connect_timeout 5000: that is no time up to 4294", "bindto fd00::7 is not", "log_all_failures 1: that is neither", "http_protocol 2: keepalived knows no such version",
			"misc_timeout 5000 is not",
		},
		refused: []string{
			"requires UDP", "conflicts with server family", "smtp_alert parameter 1", "invalid number 'x'", "outside range", "connect_timeout 5000 invalid", "does not match address family",
			"log_all_failures parameter 1", "Invalid http_protocol", "Invalid misc_timeout",
		},
	},
	"no real servers": {
		text:     "virtual_server 10.0.0.1 80 {\n protocol TCP\n}\n",
		want:     []string{"virtual = 10.0.0.1:80"},
		notes:    []string{"line 1: virtual_server 10.0.0.1 80 has no real servers: keepalived 2.2 leaves it out"},
		lossless: true,
	},
	"numbers that keepalived refuses": {
		text:    in(" persistence_timeout 2678401\n weight 0\n quorum 0", strings.Replace(realOf(1, tcpCheck), "weight 1", "weight 2147483648", 1)),
		want:    []string{"real = 10.1.0.1:8080 masq 1", "!persistent"},
		notes:   []string{"line 3: persistence_timeout 2678401: that is no time", "line 4: weight 0", "line 5: quorum 0: that is no number from 1 on", "line 7: weight 2147483648: that is no weight"},
		refused: []string{"number '2147483648' outside range", "number '2678401' outside range", "persistence_timeout invalid", "number '0' outside range", "Quorum 0 must be", "Virtual server weight 0", "Real server weight 2147483648"},
	},
	"a line that is too long": {
		text:    in(" virtualhost "+strings.Repeat("x", 1100), realOf(1, tcpCheck)),
		notes:   []string{"line 3: the line is longer than 1023 bytes"},
		refused: []string{"Unknown keyword"}, elsewhere: true,
	},
	"no port": {
		text:     "virtual_server 10.0.0.1 {\n protocol TCP\n real_server 10.1.0.1 {\n  PING_CHECK {\n  }\n }\n}\n",
		want:     []string{"virtual = 10.0.0.1:0", "real = 10.1.0.1:0 masq 1", "persistent = 360"},
		notes:    []string{"without a port it is persistent for 360 seconds there, too"},
		lossless: true,
	},
	"a netmask alone": {
		text:     in(" persistence_granularity 255.255.255.0", realOf(1, tcpCheck)),
		want:     []string{"persistent = 360", "netmask = 255.255.255.0"},
		notes:    []string{"persistence_granularity alone makes it persistent"},
		lossless: true,
	},
	"ports that DR cannot change": {
		text: in(" lvs_method DR\n sorry_server 10.1.0.9 81", realOf(1, "  SMTP_CHECK {\n  }"), realOf(2, "  SMTP_CHECK {\n   connect_port 25\n  }"),
			strings.Replace(realOf(3, "  SMTP_CHECK {\n  }"), "8080", "80", 1)),
		want: []string{
			"check = smtp", "checkport = 25", "real = 10.1.0.1:80 gate 1", "checkport = 8080", "real = 10.1.0.2:80 gate 1 check=smtp", "real = 10.1.0.3:80 gate 1 check=smtp-2",
			"fallback = 10.1.0.9:80 gate",
		},
		notes:    []string{"gate cannot change the port, and keepalived takes that of the virtual service; port 8080 is for the checks alone"},
		lossless: true,
	},
	"ports that DR cannot change, with a mark": {
		text:     "virtual_server fwmark 1 {\n lvs_method TUN\n real_server 10.1.0.1 8080 {\n" + getA + "\n }\n}\n",
		want:     []string{"real = 10.1.0.1 ipip 1", "checkport = 8080"},
		lossless: true,
	},
	"a pattern, a command and a path in quotes": {
		text: in("", realOf(1, "  HTTP_GET {\n   url {\n    path \"/a\"\n    regex \"a\\\\.b\\d\"\n   }\n   url {\n    path /b\n    regex a b\n   }\n  }"),
			realOf(2, "  MISC_CHECK {\n   misc_path /etc/k/a 1\n  }")),
		want: []string{`receive = "a\.bd"`, "checkcommand = /etc/k/a", "checkargumentsonly = yes", "!checkarguments ="},
		notes: []string{
			"regex a b: keepalived takes no regex that is not one word or in quotes", "misc_path /etc/k/a 1: keepalived takes /etc/k/a alone: arguments need quotes",
		},
	},
	"what no directive here has, with the reason": {
		text: in("", realOf(1, "  HTTP_GET {\n   bind_port 5\n   url {\n    path /\n    regex x\n    regex_stack 1 2\n    regex_min_offset 1\n    regex_max_offset 9\n   }\n  }")),
		want: []string{`receive = "x"`},
		notes: []string{
			"bind_port 5 is not carried over: the kernel chooses", "regex_stack 1 2 is not carried over: patterns need no stack",
			"regex_min_offset 1 is not carried over: the whole answer", "regex_max_offset 9 is not carried over: receivebytes",
		},
	},
	"not defined": {
		text:    in(" virtualhost ${P}.example", realOf(1, tcpCheck)),
		want:    []string{"real = 10.1.0.1:8080 masq 1"},
		notes:   []string{"line 3: ${P} is not defined"},
		refused: []string{"Unknown keyword", "Unexpected '{'"}, elsewhere: true,
	},
	"what keepalived refuses": {
		text: in(" lb_algo wrong\n conect_timeout 3\n persistence_timeout x\n protocol XTP\n $P = no", realOf(1, "  lb_kind DR\n  retry 0\n  HTTP_GET {\n   url {\n    path /\n    port 8\n   }\n  }"),
			" real_server web1 80 {\n }", " real_server 10.1.0.2 \\\n 80 {\n }"),
		want: []string{"scheduler = wlc", "protocol = tcp", "!lb_kind"},
		notes: []string{
			"lb_algo wrong: keepalived knows no such scheduler", "conect_timeout 3 is not carried over: keepalived knows no conect_timeout in virtual_server",
			"persistence_timeout x: that is no time", "protocol XTP: that is no protocol", "$P = no is not", "lb_kind DR is not",
			"retry 0: that is no number from 1 on", "keepalived knows no port in url", "keepalived takes no names", "keepalived joins no lines",
		},
		refused: []string{
			"Unknown protocol", "invalid number 'x'", "Unknown keyword", "Unexpected '{'", "Missing '{'", "Invalid lvs_scheduler", "persistence_timeout invalid", "retry value invalid", "number '0' outside range",
			"Invalid real server",
		},
	},
	"definitions without end": {
		text:    in("", realOf(1, tcpCheck)) + "$A= \\\n x \\\n" + strings.Repeat(" $A \\\n", 40) + "\n$A\n",
		notes:   []string{"definitions use each other more than 16 times", "definitions make more than 4 MiB: what follows is left out"},
		endless: true,
	},
	"the same twice": {
		text:    in("", realOf(1, tcpCheck), realOf(1, tcpCheck)) + in("", realOf(3, tcpCheck)),
		want:    []string{"# real = 10.1.0.1:8080 masq 1"},
		notes:   []string{"line 4 is the same real server", "10.0.0.1:80 is left out: line 1 is the same"},
		refused: []string{"is duplicated"},
	},
	"a group that keepalived refuses": {
		text:      "virtual_server_group G {\n 10.0.0.1 80\n fwmark 7\n fd00::1 80\n}\n" + strings.Replace(in("", realOf(1, tcpCheck)), "10.0.0.1 80", "group G", 1),
		want:      []string{"virtual = 10.0.0.1:80", "virtual = 7"},
		notes:     []string{"keepalived takes no group of IPv4, IPv6 and a mark without inet or inet6"},
		refused:   []string{"and fwmark without family"},
		elsewhere: true,
	},
}

func TestImportOddities(t *testing.T) {
	for name, tt := range oddityTests {
		t.Run(name, tt.run)
	}
}
