package checkspec

import (
	"cmp"
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/conf"
)

// configured is the configuration of a text, which is one without names.
func configured(t *testing.T, text string) *conf.Config {
	t.Helper()
	c, err := conf.Parse("t.cf", []byte(text), conf.Options{Hostname: "director"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// keyOf is the key of v's real server r.
func keyOf(v *conf.VirtualService, r *conf.RealServer) (Key, bool) {
	at, ok := At(v, r)
	return Key{Of(v, cmp.Or(r.RequestURL(), r.Request), r.Receive), at}, ok
}

// firstKey is the key of v's first real server.
func firstKey(v *conf.VirtualService) (Key, bool) { return keyOf(v, v.Reals[0]) }

// TestShared compares the checks of two virtual services.
func TestShared(t *testing.T) {
	const first = "virtual=10.0.0.1:80\n    real=10.1.0.1:80 masq 1\n    service=http\n"
	tests := []struct {
		name, second string
		shared       bool
	}{
		{"the same question", "    real=10.1.0.1:80 masq 1\n    service=http\n", true},
		{"another weight and way of forwarding", "    real=10.1.0.1:80 gate 7\n    service=http\n", true},
		{"another failurecount", "    real=10.1.0.1:80 masq 1\n    service=http\n    failurecount=3\n", true},
		{"another server", "    real=10.1.0.2:80 masq 1\n    service=http\n", false},
		{"another page", "    real=10.1.0.1:80 masq 1\n    service=http\n    request=\"x\"\n", false},
		{"another text", "    real=10.1.0.1:80 masq 1\n    service=http\n    receive=\"x\"\n", false},
		{"its own page", "    real=10.1.0.1:80 masq 1 \"x\", \"y\"\n    service=http\n", false},
		{"another host", "    real=10.1.0.1:80 masq 1\n    service=http\n    virtualhost=www.example.com\n", false},
		{"another timeout", "    real=10.1.0.1:80 masq 1\n    service=http\n    negotiatetimeout=9\n", false},
		{"another interval", "    real=10.1.0.1:80 masq 1\n    service=http\n    checkinterval=3\n", false},
		{"another port", "    real=10.1.0.1:80 masq 1\n    service=http\n    checkport=81\n", false},
		{"only a connection", "    real=10.1.0.1:80 masq 1\n    service=http\n    checktype=connect\n", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := configured(t, first+"virtual=10.0.0.2:80\n"+tt.second)
			a, _ := firstKey(c.Virtuals[0])
			b, _ := firstKey(c.Virtuals[1])
			if got := a == b; got != tt.shared {
				t.Errorf("shared: %t, want %t\n%s %+v\n%s %+v", got, tt.shared, a.At, a.Spec.Value(), b.At, b.Spec.Value())
			}
		})
	}
}

// TestCheckers makes a checker for every service and type of check of the
// configuration.
func TestCheckers(t *testing.T) {
	var text strings.Builder
	block := func(port, lines string) {
		text.WriteString("virtual=10.0.0.1:" + port + "\n    real=10.1.0.1:" + port + " masq\n    login=\"u\"\n    passwd=\"p\"\n" + lines)
	}
	for i, service := range conf.Services() {
		block(string(rune('1'+i/10))+string(rune('0'+i%10)), "    service="+service+"\n")
	}
	for i, kind := range []string{"connect", "ping", "external", "external-perl", "agent", "3"} {
		block("20"+string(rune('0'+i)), "    service=http\n    checktype="+kind+"\n")
	}
	for _, v := range configured(t, text.String()).Virtuals {
		q, ok := firstKey(v)
		if !ok {
			t.Errorf("%s %s: nothing is asked", v.CheckType, v.Service)
			continue
		}
		check, _ := Maker{}.Checkers(New(q.Spec), q.At, nil)
		if broken, ok := check.(Unusable); ok {
			t.Errorf("%s %s: %v", v.CheckType, v.Service, broken.err)
		}
		if s := check.String(); s == "" || strings.Contains(s, "\n") {
			t.Errorf("%s %s calls itself %q", v.CheckType, v.Service, s)
		}
	}
}
