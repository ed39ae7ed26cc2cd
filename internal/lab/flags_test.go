package lab

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRunPattern(t *testing.T) {
	tests := []struct{ name, outside, want string }{
		{"TestKernel", "", "^TestKernel$"},
		{"TestKernel", "Kern", "^TestKernel$"},
		{"TestKernel", "Kern/dr", "^TestKernel$/dr"},
		{"TestKernel", "Kern/dr/v6", "^TestKernel$/dr/v6"},
		{"TestKernel", "Kern/dr|Other/x", "^TestKernel$"},
		{"TestKernel/a+b", "Kern", `^TestKernel$/^a\+b$`},
		{"TestKernel/dr", "Kern/d/v4", "^TestKernel$/^dr$/v4"},
	}
	for _, tt := range tests {
		if got := runPattern(tt.name, tt.outside); got != tt.want {
			t.Errorf("runPattern(%q, %q) = %q, want %q", tt.name, tt.outside, got, tt.want)
		}
	}
}

func TestTranscript(t *testing.T) {
	tests := []struct {
		name    string
		pieces  []string
		want    string
		ran     bool
		skipped bool
	}{
		{
			name: "passed",
			pieces: []string{
				"=== RUN   TestX\n=== RUN   Tes", "tX/a\n--- PASS: TestX (0.00s)\n",
				"    --- PASS: TestX/a (0.00s)\nPASS\n",
			},
			want: "=== RUN   TestX/a\n--- PASS: TestX (0.00s)\n    --- PASS: TestX/a (0.00s)\n",
			ran:  true,
		},
		{
			name:    "skipped",
			pieces:  []string{"=== RUN   TestX\n--- SKIP: TestX (0.00s)\nPASS\n"},
			want:    "--- SKIP: TestX (0.00s)\n",
			ran:     true,
			skipped: true,
		},
		{
			name:   "a subtest skipped",
			pieces: []string{"=== RUN   TestX\n    --- SKIP: TestX/a (0.00s)\n"},
			want:   "    --- SKIP: TestX/a (0.00s)\n",
			ran:    true,
		},
		{
			name:   "a benchmark",
			pieces: []string{"goos: linux\nTestX\nTestX/a\nTestX/a \t 1 \t 2.0 s\nPASS\n"},
			want:   "goos: linux\nTestX/a\nTestX/a \t 1 \t 2.0 s\n",
			ran:    true,
		},
		{
			name:   "no such test",
			pieces: []string{"testing: warning: no tests to run\nPASS\n"},
			want:   "testing: warning: no tests to run\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			s := &transcript{to: &out, name: "TestX"}
			for _, p := range tt.pieces {
				if n, err := s.Write([]byte(p)); n != len(p) || err != nil {
					t.Fatalf("Write(%q) = %d, %v", p, n, err)
				}
			}
			if diff := cmp.Diff(tt.want, out.String()); diff != "" {
				t.Errorf("passed on (-want +got):\n%s", diff)
			}
			if s.ran != tt.ran || s.skipped != tt.skipped {
				t.Errorf("ran %t, skipped %t; want %t, %t", s.ran, s.skipped, tt.ran, tt.skipped)
			}
		})
	}
}

func TestMissing(t *testing.T) {
	have := Package{Name: "go", File: "/proc/self/ex*"}
	lacks := Package{Name: "no-such-package", File: "/nonexistent/file"}
	if diff := cmp.Diff([]string{"no-such-package"}, missing([]Package{have, lacks})); diff != "" {
		t.Errorf("missing (-want +got):\n%s", diff)
	}
}
