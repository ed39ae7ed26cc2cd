package director

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/ipvs"
)

const driftFile = `checkinterval=5
driftcheck=SECONDS
virtual=10.0.0.1:80
    scheduler=rr
    quiescent=QUIESCENT
    real=10.1.0.1:80 masq 2 u:9
    real=10.1.0.2:80 masq 3
    real=10.1.0.3:80 masq 4
    fallback=127.0.0.1:80 masq
    service=http
`

// driftRows are the rows of the table in docs/compatibility.md. 10.1.0.3 is dead,
// and with alone the others are, too.
var driftRows = map[string][]driftRow{
	"weight of a real server in service": {
		{do: "-e -t 10.0.0.1:80 -r 10.1.0.2:80 -m -w 7", want: "10.1.0.1:80 -w 2, 10.1.0.2:80 -w 7", stays: true},
		{do: "-e -t 10.0.0.1:80 -r 10.1.0.2:80 -m -w 0", want: "10.1.0.1:80 -w 2, 10.1.0.2:80 -w 0", stays: true},
	},
	"forwarding method or thresholds of a real server in service": {
		{do: "-e -t 10.0.0.1:80 -r 10.1.0.2:80 -g -w 7", want: "10.1.0.1:80 -w 2, 10.1.0.2:80 -w 7", stays: true, back: true},
		{do: "-e -t 10.0.0.1:80 -r 10.1.0.1:80 -m -w 2", want: "10.1.0.1:80 -w 2, 10.1.0.2:80 -w 3", back: true},
	},
	"real server in service deleted": {
		{do: "-d -t 10.0.0.1:80 -r 10.1.0.2:80", want: "10.1.0.1:80 -w 2, 10.1.0.2:80 -w 3", back: true},
	},
	"weight above 0 for a dead real server, unless `minalive` keeps it in service": {
		{quiescent: true, do: "-e -t 10.0.0.1:80 -r 10.1.0.3:80 -m -w 4", want: "10.1.0.1:80 -w 2, 10.1.0.2:80 -w 3, 10.1.0.3:80 -w 0", back: true},
		{quiescent: true, alone: true, do: "-e -t 10.0.0.1:80 -r 10.1.0.3:80 -m -w 1", want: "10.1.0.1:80 -w 0, 10.1.0.2:80 -w 0, 10.1.0.3:80 -w 0, 127.0.0.1:80 -w 1", back: true},
	},
	"dead real server added again": {
		{do: "-a -t 10.0.0.1:80 -r 10.1.0.3:80 -m -w 4", want: "10.1.0.1:80 -w 2, 10.1.0.2:80 -w 3", back: true},
		{alone: true, do: "-a -t 10.0.0.1:80 -r 10.1.0.3:80 -m -w 4", want: "127.0.0.1:80 -w 1", back: true},
		{do: "-a -t 10.0.0.1:80 -r 10.1.0.3:80 -m -w 0", want: "10.1.0.1:80 -w 2, 10.1.0.2:80 -w 3", back: true},
	},
	"dead real server with weight 0 deleted": {
		{quiescent: true, do: "-d -t 10.0.0.1:80 -r 10.1.0.3:80", want: "10.1.0.1:80 -w 2, 10.1.0.2:80 -w 3", stays: true},
	},
	"fallback added beside real servers in service": {
		{do: "-a -t 10.0.0.1:80 -r 127.0.0.1:80 -m -w 1", want: "10.1.0.1:80 -w 2, 10.1.0.2:80 -w 3", back: true},
	},
	"fallback deleted while it is needed": {
		{alone: true, do: "-d -t 10.0.0.1:80 -r 127.0.0.1:80", want: "127.0.0.1:80 -w 1", back: true},
	},
	"fallback changed while it is needed": {
		{alone: true, do: "-e -t 10.0.0.1:80 -r 127.0.0.1:80 -m -w 0", want: "127.0.0.1:80 -w 1", back: true},
		{alone: true, do: "-e -t 10.0.0.1:80 -r 127.0.0.1:80 -g -w 1", want: "127.0.0.1:80 -w 1", back: true},
	},
	"destination added that is not in the file": {
		{do: "-a -t 10.0.0.1:80 -r 10.1.0.9:80 -m -w 1", want: "10.1.0.1:80 -w 2, 10.1.0.2:80 -w 3, 10.1.0.9:80 -w 1", stays: true},
	},
	"scheduler, flags or persistence of a service": {
		{do: "-E -t 10.0.0.1:80 -s wlc", want: "10.1.0.1:80 -w 2, 10.1.0.2:80 -w 3", back: true},
	},
	"service deleted": {
		{do: "-D -t 10.0.0.1:80", want: "10.1.0.1:80 -w 2, 10.1.0.2:80 -w 3", back: true},
		{quiescent: true, do: "-D -t 10.0.0.1:80", want: "10.1.0.1:80 -w 2, 10.1.0.2:80 -w 3, 10.1.0.3:80 -w 0", back: true},
	},
	"service that is not in the file": {
		{do: "-A -t 10.0.0.9:80 -s rr", want: "10.1.0.1:80 -w 2, 10.1.0.2:80 -w 3"},
	},
}

type driftRow struct {
	quiescent, alone bool
	do               string // what somebody does, in ipvsadm's words
	want             string // the destinations afterwards
	stays            bool   // part of it stays, which is logged once
	back             bool   // part of it is undone
}

// The table of docs/compatibility.md, whole: each of its rows happens, and there
// are no other rows.
func TestDriftTable(t *testing.T) {
	text, err := os.ReadFile("../../docs/compatibility.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "| external change |")
	table, _, _ = strings.Cut(table, "A start or a reload")
	var rows []string
	for _, m := range regexp.MustCompile(`(?m)^ *\| ([^|-].*?) \| `).FindAllStringSubmatch(table, -1) {
		rows = append(rows, m[1])
	}
	slices.Sort(rows)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(driftRows)), rows); diff != "" {
		t.Errorf("the rows of docs/compatibility.md (-tested +written):\n%s", diff)
	}
	for name, rows := range driftRows {
		for _, row := range rows {
			t.Run(name+": "+row.do, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { testDrift(t, row) })
			})
			t.Run("never: "+row.do, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { testNoDrift(t, row) })
			})
		}
	}
}

// drifted is a director whose table somebody changes.
func drifted(t *testing.T, row driftRow, seconds string) (l *live, before string) {
	text := strings.Replace(driftFile, "SECONDS", seconds, 1)
	quiescent := "no"
	if row.quiescent {
		quiescent = "yes"
	}
	text = strings.Replace(text, "QUIESCENT", quiescent, 1)
	l = goLive(t, ipvs.NewMemory(), text)
	l.text = text
	time.Sleep(time.Minute)
	l.set(true, "10.1.0.3:80")
	if row.alone {
		l.set(true, "10.1.0.1:80", "10.1.0.2:80")
	}
	time.Sleep(time.Minute)
	synctest.Wait()
	before = saved(t, l.table)
	l.logged()
	if err := l.table.Apply(parseIpvsadm(t, strings.Fields(row.do))); err != nil {
		t.Fatal(err)
	}
	return l, before
}

func testDrift(t *testing.T, row driftRow) {
	l, before := drifted(t, row, "2")
	defer l.end()
	time.Sleep(3 * time.Second)
	synctest.Wait()
	if got := destinations(saved(t, l.table)); got != row.want {
		t.Errorf("destinations %q, want %q", got, row.want)
	}
	time.Sleep(time.Minute)
	synctest.Wait()
	log := l.logged()
	if n := strings.Count(log, "Left as it is: "); n > 1 || (n == 1) != row.stays {
		t.Errorf("what stays is logged %d times:\n%s", n, log)
	}
	if n := strings.Count(log, "Repaired: "); n > 1 || (n == 1) != row.back {
		t.Errorf("what is undone is logged %d times:\n%s", n, log)
	}
	after := saved(t, l.table)
	l.reload(l.text)
	if row.stays {
		if after == before {
			t.Error("nothing stays")
		}
		after = saved(t, l.table)
	}
	if row.stays && !strings.Contains(row.do, "10.1.0.3") { // which is away and stays away, until it is well
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("the table after a reload (-before +now):\n%s", diff)
		}
	}
	if !row.stays && !strings.Contains(row.do, "10.0.0.9") && after != before {
		t.Errorf("the table afterwards (-before +now):\n%s", cmp.Diff(before, after))
	}
}

// testNoDrift: with driftcheck = 0 the table is not looked at.
func testNoDrift(t *testing.T, row driftRow) {
	l, _ := drifted(t, row, "0")
	defer l.end()
	changed := saved(t, l.table)
	time.Sleep(time.Hour)
	synctest.Wait()
	if diff := cmp.Diff(changed, saved(t, l.table)); diff != "" {
		t.Errorf("driftcheck = 0 undoes what somebody did (-want +got):\n%s", diff)
	}
}
