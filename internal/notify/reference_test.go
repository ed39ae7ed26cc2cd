package notify

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/report"
)

// TestEventsAreDocumented wants exactly the kinds of events that there are in
// docs/reference.md, each with the beginning of its line in ldirectord.log, and who
// receives it.
func TestEventsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/reference.md")
	if err != nil {
		t.Fatal(err)
	}
	_, events, _ := strings.Cut(string(text), "\n## Events\n")
	events, _, _ = strings.Cut(events, "\n## ")
	rows := map[string][]string{}
	for _, line := range regexp.MustCompile("(?m)^\\| `.*$").FindAllString(events, -1) {
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		rows[strings.Trim(cells[0], "`")] = cells
	}
	receivers := map[string]map[string]bool{} // by kind; two kinds may have one word
	for kind := event.Kind(0); !kind.Silent(); kind++ {
		e := event.Event{Kind: kind, R: "REAL", V: "VIRTUAL", ID: "VIRTUAL"}
		to := receivers[kind.String()]
		if to == nil {
			to = map[string]bool{"monitor log": false, "notifications": false, "mail": false}
			receivers[kind.String()] = to
		}
		ofDaemon := kind == event.DaemonStarted || kind == event.DaemonStopped // of no virtual service
		to["monitor log"] = to["monitor log"] || report.NoteOf(e).Verdict() && !ofDaemon
		to["notifications"] = to["notifications"] || reported[kind]
		to["mail"] = to["mail"] || subjectOf(e) != ""
		first, _, _ := strings.Cut(e.String(), ":")
		first, _, _ = strings.Cut(first, " (")
		if cells := rows[kind.String()]; len(cells) != 4 || !strings.Contains(cells[1], first) || first == "" && cells[1] != "" {
			t.Errorf("docs/reference.md has no row of %q with the line %q, a cell for its receivers and one for its meaning: %q", kind, first, cells)
		}
	}
	for kind, to := range receivers {
		for name, is := range to {
			if cells := rows[kind]; len(cells) == 4 && strings.Contains(cells[2], name) != is {
				t.Errorf("%q goes to the %s: %v, docs/reference.md has %q", kind, name, is, cells[2])
			}
		}
	}
	for kind := range rows {
		if receivers[kind] == nil {
			t.Errorf("docs/reference.md has the kind %q, which there is not", kind)
		}
	}
}
