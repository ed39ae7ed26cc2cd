package virtual

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/table"
)

// jointly is a virtual service with lines of its block, all of its real servers up.
func jointly(tb testing.TB, reals int, lines string) *Service {
	tb.Helper()
	var text strings.Builder
	text.WriteString("virtual=10.0.0.1:80\n    service=http\n    fallback=127.0.0.1:80\n")
	for i := range reals {
		fmt.Fprintf(&text, "    real=10.1.%d.%d:80 masq\n", i/250, 1+i%250)
	}
	text.WriteString(lines)
	c, err := conf.Parse("t.cf", []byte(text.String()), conf.Options{Hostname: "director"})
	if err != nil {
		tb.Fatal(err)
	}
	v := New(c.Virtuals[0], 0, time.Unix(1_800_000_000, 0))
	for _, r := range v.Reals {
		r.Verdict, r.Unchecked = policy.Up, false
	}
	return v
}

// The first decision about a virtual service ends no external change of a real server that it neither
// takes out nor lets in.
func TestJudgeLeavesExternalChanges(t *testing.T) {
	for _, lines := range []string{"    minalive=1\n", "    quorum=1\n"} {
		v := jointly(t, 2, lines)
		v.Joint.Quorum = policy.QuorumMet
		at := v.Reals[0].At()
		v.Respect(at, table.External{Slot: table.Slot{At: at, Role: table.Real, Weight: 5}})
		Judge(v)
		if _, stays := v.External[at]; !stays {
			t.Errorf("%q: the external change of %s has ended", lines, at)
		}
	}
}

// BenchmarkJudge measures the decision about a virtual service of 1,000 real servers.
func BenchmarkJudge(b *testing.B) {
	for _, bm := range []struct{ name, lines string }{
		{"minalive", "    minalive=3\n"},
		{"quorum", "    quorum=3\n"},
		{"all", "    minalive=3\n    quorum=3\n    backupbelow=3\n    backup=10.2.0.1:80 masq\n"},
	} {
		b.Run(bm.name, func(b *testing.B) {
			v := jointly(b, 1000, bm.lines)
			b.ReportAllocs()
			for b.Loop() {
				Judge(v)
			}
		})
	}
}
