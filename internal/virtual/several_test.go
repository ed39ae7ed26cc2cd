package virtual

import (
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/policy"
)

// severalOf are the checks of the only real server of a service with these lines.
func severalOf(t *testing.T, lines string) *Several {
	t.Helper()
	text := "check=app\n    checktype=external\n    checkcommand=/bin/app\ncheck=db\n    checktype=ping\n" +
		"virtual=10.0.0.1:80\n    checktype=connect\n    real=10.1.0.1:80 masq\n" + lines
	c, err := conf.Parse("t.cf", []byte(text), conf.Options{Hostname: "director"})
	if err != nil {
		t.Fatal(err)
	}
	return SeveralOf(New(c.Virtuals[0], 0, time.Now()).Reals[0])
}

// TestSeveralOfOneBlock has a reload keep what is known of each use of one block, by its
// arguments.
func TestSeveralOfOneBlock(t *testing.T) {
	const a, b, c = "    alsocheck=app a\n", "    alsocheck=app b\n", "    alsocheck=app c\n"
	before := severalOf(t, a+b)
	for i, verdict := range []policy.Verdict{policy.Down, policy.Down, policy.Up} {
		before.Parts[i].Verdict, before.Parts[i].Check = verdict, &Check{}
	}
	for _, tt := range []struct {
		name, lines string
		want        []policy.Verdict
	}{
		{"the first is gone", b, []policy.Verdict{policy.Down, policy.Up}},
		{"the other order", b + a, []policy.Verdict{policy.Down, policy.Up, policy.Down}},
		{"a new one before", c + b, []policy.Verdict{policy.Down, policy.Down, policy.Up}},
		{"other arguments of the second", a + c, []policy.Verdict{policy.Down, policy.Down, policy.Up}},
	} {
		after := severalOf(t, tt.lines)
		after.inherit(before)
		for i, want := range tt.want {
			if got := after.Parts[i].Verdict; got != want {
				t.Errorf("%s: check %d has the verdict %v, want %v", tt.name, i, got, want)
			}
		}
	}
}

func TestLabelsOfSeveral(t *testing.T) {
	s := severalOf(t, "    alsocheck=app a\n    alsocheck=db\n    alsocheck=app b\n")
	for i, want := range []string{"connect", "app#1", "db", "app#2"} {
		if got := s.Parts[i].label(); got != want {
			t.Errorf("check %d is called %s, want %s", i, got, want)
		}
	}
}
