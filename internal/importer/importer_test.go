package importer

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/conf"
)

const dump = `-A -t 10.0.0.1:80 -s wrr -p 600 -M 255.255.255.0
-a -t 10.0.0.1:80 -r 10.1.0.1:80 -g -w 5
-a -t 10.0.0.1:80 -r 10.1.0.2:80 -i -w 0 -x 100 -y 50 --tun-type ipip
-A -u 10.0.0.1:53 -s rr -o
-a -u 10.0.0.1:53 -r 10.1.0.3:53 -m -w 1
-A -t [fd00::1]:443 -s sh -b sh-fallback,sh-port
-a -t [fd00::1]:443 -r [fd00::11]:8443 -m -w 2
-A -f 8 -s wlc --pe sip
-a -f 8 -r 10.1.0.1:0 -g -w 1
-A -f 9 -6 -s wlc
-a -t 10.9.9.9:80 -r 10.1.0.1:80 -g -w 1
-A -t www:http -s rr
-Z
`

const fromDumpWant = `
virtual = 10.0.0.1:80
    real = 10.1.0.1:80 gate 5
    # line 3: the weight was 0, as it is while a real server is down or drained; 5 is a choice
    real = 10.1.0.2:80 ipip 5 l:50 u:100
    protocol = tcp
    scheduler = wrr
    persistent = 600
    netmask = 255.255.255.0
    checktype = connect

virtual = 10.0.0.1:53
    real = 10.1.0.3:53 masq 1
    protocol = udp
    scheduler = rr
    ops = yes
    checktype = ping

virtual6 = [fd00::1]:443
    real6 = [fd00::11]:8443 masq 2
    protocol = tcp
    scheduler = sh
    schedflags = sh-fallback,sh-port
    checktype = connect

virtual = 8
    # line 8: --pe sip is not carried over
    real = 10.1.0.1 gate 1
    scheduler = wlc
    checktype = ping

virtual6 = 9
    scheduler = wlc
    checktype = ping

# line 11: is left out: its service was not added before

# line 12: -A -t www:http -s rr is left out: "www:http" is no address and port: make the dump with -n

# line 13: -Z is left out: "-Z" is neither -A nor -a
`

// load reads the new file as "check" does, and fails the test if it is not usable, or
// has a directive twice or in vain.
func load(t *testing.T, text string) *conf.Config {
	t.Helper()
	cfg, problems := conf.CheckFile("t.cf", []byte(text), conf.Options{
		Hostname:   "director",
		LookupHost: func(string, bool) (netip.Addr, error) { return netip.Addr{}, errors.New("no names here") },
	})
	if err := problems.Err(); err != nil {
		t.Fatalf("ldirectord does not take it: %v\n%s", err, text)
	}
	for _, p := range problems {
		if strings.Contains(p.Text, "twice") || strings.Contains(p.Text, "already") || strings.Contains(p.Text, "not used by") {
			t.Errorf("check warns of line %d: %s\n%s", p.Line, p.Text, text)
		}
	}
	return cfg
}

func TestImportDump(t *testing.T) {
	r, err := Import(dump, Source{})
	if err != nil {
		t.Fatal(err)
	}
	_, blocks, _ := strings.Cut(r.Config, "quiescent = no\n")
	if diff := cmp.Diff(fromDumpWant, blocks); diff != "" {
		t.Errorf("file (-want +got):\n%s", diff)
	}
	if !r.Lost || len(r.Notes) != 5 {
		t.Errorf("lost %v, notes %q", r.Lost, r.Notes)
	}
	load(t, r.Config)
}

func TestImportNothing(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"neither":     {"nothing\nof that\n", "neither"},
		"listing":     {"IP Virtual Server version 1.2.1\nTCP  10.0.0.1:80 rr\n  -> 10.1.0.1:80 Route 1 0 0\n", "with ipvsadm -S -n"},
		"ldirectord":  {"checkinterval=5\nvirtual=10.0.0.1:80\n\treal=10.1.0.1:80 gate\n", "already"},
		"all left":    {"virtual_server 10.0.0.1 80 {\n protocol SCTP\n real_server 10.1.0.1 80 { }\n}\n", "no virtual service"},
		"names":       {"-A -t www:http -s rr\n", "no virtual service"},
		"no group":    {"virtual_server group nosuch {\n}\n", "no virtual service"},
		"in comments": {"# virtual_server 10.0.0.1 80 {\n", "neither"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Import(tt.text, Source{})
			if err == nil || !strings.Contains(err.Error(), tt.want) || r.Config != "" {
				t.Errorf("error %v, want one with %q, and no file; got %q", err, tt.want, r.Config)
			}
		})
	}
}

func FuzzImport(f *testing.F) {
	f.Add(dump)
	f.Add("virtual_server { { } } }\nvirtual_server 10.0.0.1 80 { real_server")
	f.Add("$A=${B}${B}\n$B=$A\nvirtual_server $A ${B} {\n@main real_server 10.0.0.1 {\n")
	for _, tests := range []map[string]importTest{keepalivedTests, oddityTests, checkerTests, policyTests} {
		for _, tt := range tests {
			f.Add(tt.text)
		}
	}
	for _, tt := range lineTests {
		f.Add("virtual_server 10.0.0.1 80 {\n" + tt.lines + "\n}\n")
	}
	for _, text := range endlessTexts {
		if len(text) < 8<<10 { // a long seed makes each execution slow
			f.Add("virtual_server 10.0.0.1 80 {\n}\n" + text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Import(text, Source{})
		if err != nil {
			return
		}
		load(t, r.Config)
		if r.Lost && !strings.Contains(r.Config, "# line ") {
			t.Errorf("something is lost without a comment:\n%s", r.Config)
		}
	})
}
