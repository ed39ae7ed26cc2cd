package host

import "testing"

func TestFindingText(t *testing.T) {
	for _, tt := range []struct {
		f    Finding
		want string
	}{
		{Finding{Code: "c", Severity: Warning, What: "what"}, "warning  what [c]"},
		{Finding{Code: "c", Severity: Note, What: "what", Cure: "cure"}, "note     what [c]\n         cure: cure"},
		{Finding{Code: "c", Severity: Error, What: "what", Why: "why", Cure: "cure"}, "error    what [c]\n         why\n         cure: cure"},
	} {
		if got := tt.f.String(); got != tt.want {
			t.Errorf("%+v is printed as %q, want %q", tt.f, got, tt.want)
		}
	}
}
