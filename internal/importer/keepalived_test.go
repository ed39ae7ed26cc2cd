package importer

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// in is a virtual_server with these lines before its real servers.
func in(lines string, reals ...string) string {
	return "virtual_server 10.0.0.1 80 { protocol TCP\n delay_loop 6\n" + lines + "\n" + strings.Join(reals, "\n") + "\n}\n"
}

func realOf(i int, checkers string) string {
	return fmt.Sprintf(" real_server 10.1.0.%d 8080 {\n  weight 1\n%s\n }", i, checkers)
}

func realOfWeight(i, weight int) string {
	return strings.Replace(realOf(i, tcpCheck), "weight 1", fmt.Sprint("weight ", weight), 1)
}

const (
	tcpCheck = "  TCP_CHECK {\n   connect_timeout 3\n  }"
	getA     = "  HTTP_GET {\n   url {\n    path /a\n   }\n  }"
	getB     = "  HTTP_GET {\n   url {\n    path /b\n   }\n  }"
)

// An importTest is a file, what the new one has to hold (a "!" before a line: not), and words of
// the notes.
type importTest struct {
	text      string
	want      []string
	notes     []string
	lossless  bool
	refused   []string // what keepalived says of it, "" of the text is accepted
	elsewhere bool     // it says so at other lines, too
	endless   bool     // keepalived never ends with it
}

var keepalivedTests = map[string]importTest{
	"no checker": {
		text:     in("", realOf(1, ""), realOf(2, "")),
		want:     []string{"checktype = on", "!service", "!request"},
		notes:    []string{"no checker"},
		lossless: true,
	},
	"one checker": {
		text: in(" lb_algo rr\n lb_kind DR", realOf(1, tcpCheck), realOf(2, tcpCheck)),
		want: []string{
			"real = 10.1.0.1:80 gate 1", "checkport = 8080", "scheduler = rr", "checktype = connect", "checktimeout = 3", "checkinterval = 6",
			"failurecount = 2", "fastinterval = 1",
		},
		lossless: true,
	},
	"two kinds in one block": {
		text: in("", realOf(1, getA), realOf(2, "  SMTP_CHECK {\n   connect_port 25\n   connect_timeout 9\n  }")),
		want: []string{
			"check = smtp", "service = smtp", "checkport = 25", "negotiatetimeout = 9", "real = 10.1.0.1:8080 masq 1",
			"real = 10.1.0.2:8080 masq 1 check=smtp", "service = http", `request = "/a"`,
		},
		lossless: true,
	},
	"two commands in one block": {
		text: in("", realOf(1, "  MISC_CHECK {\n   misc_path \"/etc/k/a.sh 10.1.0.1\"\n  }"), realOf(2, "  MISC_CHECK {\n   misc_path \"/etc/k/b.sh 10.1.0.2\"\n  }")),
		want: []string{
			"checkcommand = /etc/k/a.sh", "checkarguments = 10.1.0.1", "check = b.sh", "checkcommand = /etc/k/b.sh", "checkargumentsonly = yes",
			`real = 10.1.0.2:8080 masq 1 check="b.sh 10.1.0.2"`,
		},
		lossless: true,
	},
	"one command with other arguments": {
		text: in("", realOf(1, "  MISC_CHECK {\n   misc_path \"/etc/k/a 'x y' 1\"\n  }"), realOf(2, "  MISC_CHECK {\n   misc_path \"/etc/k/a 'x y' 2\"\n  }"),
			realOf(3, "  MISC_CHECK {\n   misc_path \"/etc/k/a 'x y' 1\"\n  }")),
		want: []string{
			"checkcommand = /etc/k/a", "checkarguments = 'x y' 1", "check = a", `real = 10.1.0.2:8080 masq 1 check="a 'x y' 2"`, "real = 10.1.0.3:8080 masq 1",
		},
		lossless: true,
	},
	"the check that most have": {
		text:     in("", realOf(1, getA), realOf(2, tcpCheck), realOf(3, tcpCheck)),
		want:     []string{"check = http", "real = 10.1.0.1:8080 masq 1 check=http", "checktype = connect", "real = 10.1.0.3:8080 masq 1"},
		lossless: true,
	},
	"one of several without a checker": {
		text:     in("", realOf(1, tcpCheck), realOf(2, "")),
		want:     []string{"check = connect", "real = 10.1.0.1:8080 masq 1 check=connect", "real = 10.1.0.2:8080 masq 1", "checktype = on"},
		notes:    []string{"has no checker", "the checks are those of alsocheck and of the real lines"},
		lossless: true,
	},
	"other times": {
		text:     in("", realOf(1, tcpCheck), realOf(2, strings.Replace(tcpCheck, "3", "9", 1)), realOf(3, "  TCP_CHECK {\n   delay_loop 2\n   retry 0\n  }")),
		want:     []string{"checktimeout = 3", "check = connect", "checktimeout = 9", "check = connect-2", "checkinterval = 2", "failurecount = 1", "real = 10.1.0.3:8080 masq 1 check=connect-2"},
		lossless: true,
	},
	"requests that differ are in the real servers": {
		text:     in("", realOf(1, getA), realOf(2, getB)),
		want:     []string{`real = 10.1.0.1:8080 masq 1 "/a", ""`, `real = 10.1.0.2:8080 masq 1 "/b", ""`, "service = http", "!request"},
		lossless: true,
	},
	"two checkers of a real server": {
		text:     in("", realOf(1, "  PING_CHECK {\n  }\n"+getA)),
		want:     []string{"service = http", "check = ping", "checktype = ping", "alsocheck = ping"},
		lossless: true,
	},
	"checkers of all and of one": {
		text:     in("", realOf(1, "  PING_CHECK {\n  }\n"+getA), realOf(2, "  PING_CHECK {\n  }\n"+tcpCheck), realOf(3, "  PING_CHECK {\n  }\n"+getB)),
		want:     []string{"service = http", `request = "/a"`, "real = 10.1.0.2:8080 masq 1 check=connect", "real = 10.1.0.3:8080 masq 1 check=http", "alsocheck = ping"},
		lossless: true,
	},
	"one of several with fewer": {
		text:     in("", realOf(1, "  PING_CHECK {\n  }\n"+getA), realOf(2, "  PING_CHECK {\n  }")),
		want:     []string{"checktype = on", "real = 10.1.0.1:8080 masq 1 check=http", "real = 10.1.0.2:8080 masq 1", "alsocheck = ping"},
		lossless: true,
	},
	"several of one": {
		text:  in("", realOf(1, "  PING_CHECK {\n  }\n"+getA), realOf(2, tcpCheck)),
		want:  []string{"real = 10.1.0.1:8080 masq 1", "service = http", "real = 10.1.0.2:8080 masq 1 check=connect", "!alsocheck", "!ping"},
		notes: []string{"PING_CHECK is not carried over: a real server has one check of its own here, and this one has HTTP_GET /a; others are alsocheck of all real servers"},
	},
	"a connect is part of every request": {
		text:     in("", realOf(1, tcpCheck+"\n"+getA)),
		want:     []string{"service = http", "!connect"},
		lossless: true,
	},
	"two URLs": {
		text:  in("", realOf(1, "  HTTP_GET {\n   url {\n    path /a\n    digest 9b3a0c85a887a256d6939da88aabd8cd\n   }\n   url {\n    path /b\n   }\n  }")),
		want:  []string{`request = "/a"`, "check = http", `request = "/b"`, "alsocheck = http"},
		notes: []string{"digest 9b3a0c85a887a256d6939da88aabd8cd is not carried over"},
	},
	"http": {
		text: in("", realOf(1, `  HTTP_GET {
   http_protocol 1.1
   url {
    path "/a b" # no path
   }
   retry 2
   delay_before_retry 0.5
   connect_port 81
  }`)),
		want: []string{
			`request = "/"`, "httpversion = 1.1", "httpfollow = no", "failurecount = 3", "fastinterval = 500ms", "checkport = 81", "negotiatetimeout = 5",
		},
		notes: []string{"that is no path"},
	},
	"codes and text": {
		text: in("", realOf(1, `  HTTP_GET {
   url {
    path /
    status_code 200-299 404 # either
    regex "a#b \x22[0-9]{2}\x22 {} \\."
    regex_options caseless ucp
   }
  }`)),
		want:  []string{"httpstatus = 200-299,404", `receive = "(?i)a\x23b "[0-9]{2}" {} \."`},
		notes: []string{"regex_options ucp"},
	},
	"text that must not be": {
		text:     in("", realOf(1, "  HTTP_GET {\n   url {\n    path /\n    regex broken\n    regex_no_match\n   }\n  }")),
		want:     []string{`receivenot = "broken"`, "!receive ="},
		lossless: true,
	},
	"virtual hosts are inherited": {
		text:     in(" virtualhost www.example.com", realOf(1, getA)),
		want:     []string{"virtualhost = www.example.com"},
		lossless: true,
	},
	"the nearest virtual host": {
		text:     in(" virtualhost a.example", realOf(1, "  virtualhost b.example\n  SSL_GET {\n   sni_name s.example\n   url {\n    path /\n    virtualhost c.example\n   }\n  }")),
		want:     []string{"service = https", "sslverify = no", "sslname = s.example", "virtualhost = c.example"},
		lossless: true,
	},
	"inherited times": {
		text:     in(" retry 4\n connect_timeout 2.5", realOf(1, "  delay_before_retry 2\n  TCP_CHECK {\n  }")),
		want:     []string{"checktimeout = 2500ms", "failurecount = 5", "fastinterval = 2"},
		lossless: true,
	},
	"flags": {
		text:     in(" lvs_sched mh\n mh-fallback\n mh-port\n ops\n protocol UDP\n inhibit_on_failure", realOf(1, "  PING_CHECK {\n  }")),
		want:     []string{"scheduler = mh", "schedflags = mh-fallback,mh-port", "ops = yes", "protocol = udp", "quiescent = yes"},
		lossless: true,
	},
	"weight 0": {
		text:  in("", realOf(1, tcpCheck), strings.Replace(realOf(2, tcpCheck), "weight 1", "weight 0", 1)),
		want:  []string{"real = 10.1.0.1:8080 masq 1", "# real = 10.1.0.2:8080 masq 0", "!    real = 10.1.0.2"},
		notes: []string{"weight 0 gets no connections"},
	},
	"mark": {
		text:     "virtual_server fwmark 1 {\n protocol TCP\n persistence_timeout 900\n real_server 10.1.0.1 {\n TCP_CHECK {\n connect_port 80\n }\n }\n}\n",
		want:     []string{"virtual = 1", "real = 10.1.0.1 masq 1", "checktype = connect", "checkport = 80", "persistent = 900", "checkinterval = 60", "!protocol"},
		lossless: true,
	},
	"mark of IPv6": {
		text:     "virtual_server fwmark 1 {\n real_server fd00::1 0 {\n TCP_CHECK {\n connect_port 80\n }\n }\n}\n",
		want:     []string{"virtual6 = 1", "real6 = [fd00::1] masq 1"},
		lossless: true,
	},
	"families": {
		text:  "virtual_server fd00::80 80 {\n lvs_method TUN\n real_server fd00::1 80 {\n }\n real_server 10.1.0.1 80 {\n }\n sorry_server 10.1.0.9 80\n}\n",
		want:  []string{"virtual6 = [fd00::80]:80", "real6 = [fd00::1]:80 ipip 1", "!real6 = 10", "!fallback"},
		notes: []string{"real_server 10.1.0.1 80 is left out: it is of another address family", "sorry_server 10.1.0.9 80 is left out"},
	},
	"sorry server": {
		text:     in(" sorry_server 10.1.0.9 81\n sorry_server_lvs_method DR", realOf(1, tcpCheck)),
		want:     []string{"fallback = 10.1.0.9:80 gate"},
		lossless: true,
	},
	"what is not here": {
		text: "global_defs {\n router_id A\n vrrp_garp_master_delay 1\n}\nvrrp_instance V {\n interface lo\n virtual_router_id 1\n}\n" + in(" ha_suspend\n persistence_engine sip\n sorry_server 10.1.0.9 80\n sorry_server_inhibit",
			realOf(1, "  notify_up /bin/up\n"+tcpCheck)),
		notes: []string{
			"line 1: vrrp_garp_master_delay of global_defs", "vrrp_instance V", "ha_suspend", "notify_up /bin/up", "sip engine", "sorry_server_inhibit",
		},
	},
	"parameters, quotes and lines": {
		text:     "$VIP=10.0.0.1\n$PORT=8${LAST}\n$LAST=0\nvirtual_server $VIP ${PORT}\r\n{\r\n protocol TCP\n real_server 10.1.0.1 80 {\n MISC_CHECK {\n misc_path \"/bin/a\"\n }\n }\n}\n",
		want:     []string{"virtual = 10.0.0.1:80", "real = 10.1.0.1:80 masq 1", "checkcommand = /bin/a", "failurecount = 1", "checktimeout = 60"},
		lossless: true,
	},
	"definitions of several lines": {
		text: "$RS= \\\n real_server 10.1.0.${N} 80 { \\\n weight 2 \\\n inhibit_on_failure \\\n TCP_CHECK { \\\n } \\\n }\n" +
			"$VS= \\\n virtual_server 10.0.0.${V} 80 { \\\n protocol TCP \\\n lb_algo rr \\\n $N=1 \\\n $RS \\\n $N=2 \\\n ${RS} \\\n }\n$V=1\n$VS\n$V=2\n$VS\n",
		want: []string{
			"virtual = 10.0.0.1:80", "virtual = 10.0.0.2:80", "real = 10.1.0.1:80 masq 2", "real = 10.1.0.2:80 masq 2", "scheduler = rr", "quiescent = yes",
		},
		lossless: true,
	},
	"a group": {
		text: "virtual_server_group G {\n 10.0.0.1 80\n 10.0.0.3-4 80\n 10.0.0.8/31 81\n fwmark 7 inet\n fd00::1 80\n}\n" +
			strings.Replace(in("", realOf(1, tcpCheck)), "10.0.0.1 80", "group G", 1),
		notes: []string{"real_server 10.1.0.1 8080 is left out: it is of another address family"},
	},
}

func TestImportKeepalived(t *testing.T) {
	for name, tt := range keepalivedTests {
		t.Run(name, tt.run)
	}
}

func (tt importTest) run(t *testing.T) {
	r, err := Import(tt.text, Source{})
	if err != nil {
		t.Fatal(err)
	}
	load(t, r.Config)
	lines := strings.Split(r.Config, "\n")
	for _, want := range tt.want {
		if not, ok := strings.CutPrefix(want, "!"); ok {
			if slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(withoutNote(l), not) }) {
				t.Errorf("%q is in\n%s", not, r.Config)
			}
		} else if !slices.ContainsFunc(lines, func(l string) bool { return l == want || strings.TrimSpace(l) == want }) {
			t.Errorf("no line %q in\n%s", want, r.Config)
		}
	}
	notes := strings.Join(r.Notes, "\n")
	for _, want := range tt.notes {
		if !strings.Contains(notes, want) {
			t.Errorf("no %q in the notes\n%s", want, notes)
		}
	}
	for _, n := range r.Notes {
		if !strings.Contains(r.Config, "# "+n+"\n") {
			t.Errorf("note %q is no comment of\n%s", n, r.Config)
		}
	}
	if r.Lost == tt.lossless {
		t.Errorf("lost is %v; notes\n%s", r.Lost, notes)
	}
	onceInABlock(t, r.Config)
}

// withoutNote is a line, "" if it is a comment.
func withoutNote(l string) string {
	if strings.HasPrefix(strings.TrimSpace(l), "#") {
		return ""
	}
	return l
}

// onceInABlock fails if a directive is repeated in a block.
func onceInABlock(t *testing.T, text string) {
	t.Helper()
	seen := map[string]bool{}
	for l := range strings.Lines(text) {
		name, _, ok := strings.Cut(strings.TrimSpace(l), " = ")
		if strings.HasPrefix(name, "virtual") && name != "virtualhost" || name == "check" {
			seen = map[string]bool{}
		}
		if withoutNote(l) == "" || !ok || strings.HasPrefix(name, "real") || strings.HasPrefix(name, "also") {
			continue
		}
		if seen[name] {
			t.Errorf("%s is repeated in\n%s", name, text)
		}
		seen[name] = true
	}
}

// TestImportGroup: each address and mark of a group is a virtual service of its
// own.
func TestImportGroup(t *testing.T) {
	r, err := Import(keepalivedTests["a group"].text, Source{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, v := range load(t, r.Config).Virtuals {
		got = append(got, fmt.Sprint(v, " ", len(v.Reals)))
	}
	want := []string{
		"10.0.0.1:80 1", "10.0.0.3:80 1", "10.0.0.4:80 1", "10.0.0.8:81 1", "10.0.0.9:81 1", "7 1", "[fd00::1]:80 0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("virtual services (-want +got):\n%s", diff)
	}
}

// TestImportOwnRequest: the checks use the requests of the real servers.
func TestImportOwnRequest(t *testing.T) {
	r, err := Import(keepalivedTests["requests that differ are in the real servers"].text, Source{})
	if err != nil {
		t.Fatal(err)
	}
	reals := load(t, r.Config).Virtuals[0].Reals
	if len(reals) != 2 || reals[0].Request != "/a" || reals[1].Request != "/b" || reals[0].Receive != "" {
		t.Errorf("real servers %+v of\n%s", reals, r.Config)
	}
}
