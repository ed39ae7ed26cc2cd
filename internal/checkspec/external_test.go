package checkspec

import (
	"slices"
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/checker"
)

// TestExternalWords compares the four arguments of a command with the original's.
func TestExternalWords(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"IPv4", "virtual=10.0.0.1:80\n    real=10.1.0.1:8080 masq\n", []string{"10.0.0.1", "80", "10.1.0.1", "8080"}},
		{"IPv6", "virtual6=[fd00::1]:443\n    real6=[fd00:0::2]:443 gate\n", []string{"[fd00::1]", "443", "[fd00::2]", "443"}},
		{"an IPv6 mark", "virtual6=7\n    real6=[fd00::2]:80 gate\n", []string{"7", "0", "[fd00::2]", "80"}},
		{"no port", "virtual=7\n    real=10.1.0.1 gate\n", []string{"7", "0", "10.1.0.1", "0"}},
		{"arguments", "virtual=10.0.0.1:80\n    real=10.1.0.1:81 masq\n    checkarguments=-a 'b c' \"\"\n", []string{"10.0.0.1", "80", "10.1.0.1", "81", "-a", "b c", ""}},
		{"no addresses", "virtual=10.0.0.1:80\n    real=10.1.0.1:81 masq\n    checkarguments=-a 'b c'\n    checkargumentsonly=yes\n", []string{"-a", "b c"}},
		{"nothing at all", "virtual=10.0.0.1:80\n    real=10.1.0.1:81 masq\n    checkargumentsonly=yes\n", nil},
		{"checkport", "virtual=10.0.0.1:80\n    real=10.1.0.1:81 masq\n    checkport=99\n", []string{"10.0.0.1", "80", "10.1.0.1", "81"}},
	}
	for _, tt := range tests {
		for _, kind := range []string{"external", "external-perl"} {
			t.Run(tt.name+" "+kind, func(t *testing.T) {
				c := configured(t, tt.text+"    checktype="+kind+"\n    checkcommand=/c\n")
				q, _ := firstKey(c.Virtuals[0])
				check, _ := Maker{}.Checkers(New(q.Spec), q.At, nil)
				var e checker.External
				switch check := check.(type) {
				case checker.External:
					e = check
				case checker.ExternalPerl:
					e = checker.External(check)
				}
				got := []string{e.VAddr, e.VPort, e.RAddr, e.RPort}
				if e.ArgsOnly {
					got = nil
				}
				if e.Args != "" {
					got = append(got, strings.Split(e.Args, "\x00")...)
				}
				if !slices.Equal(got, tt.want) {
					t.Errorf("the arguments are %q, want %q", got, tt.want)
				}
			})
		}
	}
}

// TestURLServer has requests with a URL: the one of a block goes to the real
// server, the one in a real= line to the URL's own host.
func TestURLServer(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{
			"a block's URL is a path", "    real=10.1.0.1:80 masq\n    request=\"http://127.0.0.1:8002/x\"\n",
			"http GET http://10.1.0.1:80/http://127.0.0.1:8002/x",
		},
		{
			"a real server's own URL", "    real=10.1.0.1:80 masq 1 \"http://127.0.0.1:8002/x\", \"OK\"\n",
			"http GET http://127.0.0.1:8002/x",
		},
		{
			"the same URL in both", "    real=10.1.0.1:80 masq 1 \"http://127.0.0.1:8002/x\", \"OK\"\n    request=\"http://127.0.0.1:8002/x\"\n    receive=\"OK\"\n",
			"http GET http://127.0.0.1:8002/x",
		},
		{"blanks at the end", "    real=10.1.0.1:80 masq\n    request=\"/a \"\n", "http GET http://10.1.0.1:80/a"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := configured(t, "virtual=10.0.0.1:80\n    service=http\n"+tt.text)
			q, _ := firstKey(c.Virtuals[0])
			check, _ := Maker{}.Checkers(New(q.Spec), q.At, nil)
			if got := check.String(); got != tt.want {
				t.Errorf("the check is %s, want %s", got, tt.want)
			}
		})
	}
}
