package conf

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// FuzzParse looks for files that make Parse and Check panic, hang or disagree.
func FuzzParse(f *testing.F) {
	example, err := os.ReadFile("../ldirectord.cf.example")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(example))
	files, err := filepath.Glob("../testdata/conf/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, a := range archive.Files {
			if strings.HasSuffix(a.Name, ".cf") {
				f.Add(string(a.Data))
			}
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse("t.cf", []byte(text), testOptions())
		checked, problems := CheckFile("t.cf", []byte(text), testOptions())
		if (err == nil) != (checked != nil) || (err == nil) != (problems.Err() == nil) {
			t.Fatalf("Parse says %v, Check says %v", err, problems)
		}
		for _, p := range problems {
			if p.Code == "" {
				t.Fatalf("a problem without a code: %#v", p)
			}
		}
		if err != nil {
			if p, ok := errors.AsType[*Problem](err); !ok || p.Line == 0 || strings.Contains(p.Text, "\n") {
				t.Fatalf("not the mistake of a line: %#v", err)
			}
			return
		}
		sane(t, c)
	})
}

// sane checks what the rest of the program relies on.
func sane(t *testing.T, c *Config) {
	ids := map[string]bool{}
	for _, v := range c.Virtuals {
		if ids[v.ID()] {
			t.Errorf("%s is there twice", v.ID())
		}
		ids[v.ID()] = true
		if v.CheckInterval <= 0 || v.CheckTimeout <= 0 || v.NegotiateTimeout <= 0 {
			t.Errorf("%s: interval %v, timeouts %v and %v", v.ID(), v.CheckInterval, v.CheckTimeout, v.NegotiateTimeout)
		}
		if v.CheckCount < 1 || v.ChkLoop < 1 || v.FailureCount < 1 || v.RiseCount < 1 {
			t.Errorf("%s: checkcount %d, chkloop %d, failurecount %d, risecount %d", v.ID(), v.CheckCount, v.ChkLoop, v.FailureCount, v.RiseCount)
		}
		if v.Service == "" || v.Scheduler == "" || !strings.HasPrefix(v.Request.Reveal(), "/") {
			t.Errorf("%s: service %q, scheduler %q, request %q", v.ID(), v.Service, v.Scheduler, v.Request)
		}
		if v.Protocol != FWM && v.Addr.Is4() == v.IPv6 {
			t.Errorf("%s: IPv6 is %v", v.ID(), v.IPv6)
		}
		for _, r := range v.Reals {
			if r.Addr.Is4() == v.IPv6 || r.Weight < 0 || !strings.HasPrefix(r.Request.Reveal(), "/") {
				t.Errorf("%s: real server %s, weight %d, request %q", v.ID(), r, r.Weight, r.Request)
			}
		}
		if f := v.Fallback; f != nil && f.Addr.Is4() == v.IPv6 {
			t.Errorf("%s: fallback %s", v.ID(), f)
		}
	}
}
