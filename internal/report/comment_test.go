package report

import "testing"

// TestCommentsThatMislead has comments that would look like something else
// where they are shown.
func TestCommentsThatMislead(t *testing.T) {
	for name, comment := range map[string]string{
		"a newline": "a\nb", "an escape": "a\x1b[2Jb", "DEL": "a\x7fb", "a C1 escape": "a\u009b2Jb", "NEL": "a\u0085b",
		"right to left": "a\u202eb", "an isolate": "a\u2066b", "a mark": "a\u200fb", "a line separator": "a\u2028b", "no UTF-8": "a\x9bb",
	} {
		if err := (Order{Verb: Drain, Real: "10.1.0.1", Comment: comment}).Check(); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if err := (Order{Verb: Drain, Real: "10.1.0.1", Comment: "Wartung für Jürgen, 保守, שלום"}).Check(); err != nil {
		t.Errorf("an ordinary comment: %v", err)
	}
}
