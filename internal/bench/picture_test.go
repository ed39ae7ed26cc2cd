package bench

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The page has all tables and notes, and shows pictures that are there.
func TestWriteReport(t *testing.T) {
	r := &report{
		columns: []string{"ours", "keepalived"},
		ticks:   []float64{1, 0.99, 1.01},
		notes:   []string{"keepalived, 10: ended early: it fell over"},
	}
	r.add(sectionCPU, "connect, 10", "ours", nil, 12.3)
	r.add(sectionCPU, "connect, 10", "keepalived", nil, 45.6)
	for _, name := range []string{"10 real servers", "100 real servers"} {
		r.add(sectionGrowth, name+": "+growthCPU, "ours", nil, 78.9)
		r.add(sectionGrowth, name+": "+growthMemory, "ours", nil, 21.5)
	}
	file := filepath.Join(t.TempDir(), "page.md")
	if err := writeReport(file, r, 90*time.Second); err != nil {
		t.Fatal(err)
	}
	page := read(t, file)
	for _, want := range []string{"in one run of 1m30s", "| connect, 10 | 12.3 | 45.6 |", "it fell over"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q:\n%s", want, page)
		}
	}
	for name, want := range map[string][]string{
		"page.svg":         {"connect, 10, ours", "12.3", "45.6"},
		"page-growth.svg":  {"100 real servers", "78.9"},
		"page-memory.svg":  {"100 real servers", "21.5"},
		"page-million.svg": {"starts ÷ even share", "<polyline"},
	} {
		picture := read(t, filepath.Join(filepath.Dir(file), name))
		if !strings.Contains(page, "]("+name+")") {
			t.Errorf("the page does not show %s", name)
		}
		if err := wellFormed(picture); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, want := range want {
			if !strings.Contains(picture, want) {
				t.Errorf("%s has no %q:\n%s", name, want, picture)
			}
		}
	}
}

// A step that cannot go on is noted, and the next one follows.
func TestStepEnds(t *testing.T) {
	began := 0
	testing.Benchmark(func(b *testing.B) {
		c := &comparison{B: b, file: filepath.Join(t.TempDir(), "page.md"), began: time.Now(), until: time.Now().Add(time.Hour)}
		c.step("bad", func(tb testing.TB) {
			tb.Fatalf("no %s", "way\nout")
			t.Error("the step went on")
		})
		c.step("good", func(testing.TB) { began++ })
		c.until = c.began
		c.step("late", func(testing.TB) { t.Error("a step was begun when the time was up") })
		if got := strings.Join(c.notes, "; "); !strings.HasPrefix(got, "bad: ended early: no way; ") || !strings.Contains(got, "late: left out after ") {
			t.Errorf("notes: %s", got)
		}
		if page := read(t, c.file); !strings.Contains(page, "no way") {
			t.Errorf("the page says nothing of it:\n%s", page)
		}
	})
	if began == 0 {
		t.Error("the step after it did not begin")
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// wellFormed returns why text is no XML.
func wellFormed(text string) error {
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}
