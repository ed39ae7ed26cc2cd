package view

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestScreen(t *testing.T) {
	want := `1 of 3 real servers is out, and 1 more as planned
1 virtual service, 1 of 3 real servers in, 2 orders; 0 checks, 0 overdue; runni…
! real server 10.1.0.3:80 (10.0.0.1:80) has weight 4 in the kernel, set by some…
! 10.1.0.9:80 of tcp:10.0.0.9:80 is in no configuration, but has an order: disa…
by trouble   [q quit  s sort  w only wrong  / filter  Esc no filter  arrows spa…
STATE        REAL SERVER           VIRTUAL SERVICE        W   ACT  TOOK LAST CH…
✕ down       10.1.0.3:80           10.0.0.1:80            -     0 200µs 
             for 1m30s; connection refused
● up         10.1.0.1:8080         10.0.0.1:80            5    10   3ms 
             for 1d02h; 200 OK [31m (failure 1 of 3); in the kernel as 10.1.0.1…
▽ drained    10.1.0.2:80           10.0.0.1:80            0     0       
             for 1m00s; drain by alice for 1h0m0s: disk, 30m00s left
– foreign    [fd00::1]:0                                  1     0       `
	if diff := cmp.Diff(strings.Split(want, "\n"), new(Screen).Draw(sample(), 80, 0)); diff != "" {
		t.Errorf("80 columns (-want +got):\n%s", diff)
	}
	for width := range 200 {
		for height := 1; height < 30; height += 7 {
			lines := (&Screen{first: 1000}).Draw(sample(), width, height)
			if len(lines) > max(height, 7) {
				t.Errorf("%d lines on a screen of %d", len(lines), height)
			}
			for _, line := range lines {
				if n := utf8.RuneCountInString(line); n > width {
					t.Errorf("%d columns on a screen of %d: %q", n, width, line)
				}
			}
		}
	}
}

func TestScreenKeys(t *testing.T) {
	tests := map[string]struct {
		keys string // separated by blanks
		want string // the first column of addresses
	}{
		"nothing":          {"", "10.1.0.3 10.1.0.1 10.1.0.2 [fd00"},
		"order":            {"s", "10.1.0.1 10.1.0.2 10.1.0.3 [fd00"},
		"only wrong":       {"w", "10.1.0.3 10.1.0.1 10.1.0.2"},
		"filter":           {"/ D R A I N \r", "10.1.0.2"},
		"filter corrected": {"/ x \x7f f d 0 0", "[fd00"},
		"filter undone":    {"/ x \x1b", "10.1.0.3 10.1.0.1 10.1.0.2 [fd00"},
		"filter with q":    {"/ q", ""},
		"no filter":        {"/ x \r \x1b", "10.1.0.3 10.1.0.1 10.1.0.2 [fd00"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var s Screen
			for key := range strings.FieldsSeq(strings.ReplaceAll(tt.keys, "\r", "<return>")) {
				if s.Key(strings.ReplaceAll(key, "<return>", "\r")) {
					t.Fatalf("%q quits", key)
				}
			}
			var got []string
			for _, l := range s.list(sample()) {
				got = append(got, strings.SplitN(l.Real.Name, ":", 2)[0])
			}
			if text := strings.Join(got, " "); text != tt.want {
				t.Errorf("shown: %s, want %s", text, tt.want)
			}
		})
	}
	for _, key := range []string{"q", "\x03"} {
		if !new(Screen).Key(key) {
			t.Errorf("%q does not quit", key)
		}
	}
	if !(&Screen{typing: true}).Key("\x03") {
		t.Error("Control-C does not quit while a filter is typed")
	}
}

func TestScreenColours(t *testing.T) {
	for _, colour := range []bool{false, true} {
		text := strings.Join((&Screen{Colour: colour}).Draw(sample(), 80, 0), "\n")
		if strings.Contains(text, "\x1b[31m") != colour {
			t.Errorf("colour %v:\n%q", colour, text)
		}
	}
}
