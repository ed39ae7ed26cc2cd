package conf

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestDefaultsAreShown writes each default that is a value of the directive: the file
// means the same as without the line.
func TestDefaultsAreShown(t *testing.T) {
	const block = "virtual = 192.0.2.1:80\n    real = 192.0.2.11:80 gate\n"
	value := regexp.MustCompile(`^(/\S*|[A-Za-z]+|[0-9][0-9a-z.-]*)$`) // others are sentences
	written := 0
	for _, d := range Directives() {
		if !value.MatchString(d.Default) {
			continue
		}
		line := d.Name + " = " + d.Default + "\n"
		if strings.HasPrefix(d.Value, `"`) {
			line = d.Name + ` = "` + d.Default + "\"\n"
		}
		text := line + "\n" + block
		if !d.Outside {
			text = block + "    " + line
		}
		written++
		if diff := cmp.Diff(meaning(t, block), meaning(t, text)); diff != "" && !unlike[d.Name] {
			t.Errorf("%s = %s is not the default (-without +with):\n%s", d.Name, d.Default, diff)
		}
	}
	if written < 40 {
		t.Errorf("%d defaults were written, which are too few", written)
	}
}

// unlike are the directives of which 0 or none in the Config stands for the default, or
// that are the default of another one.
var unlike = map[string]bool{"httpstatus": true, "receivebytes": true, "checktimeout": true, "negotiatetimeout": true}

// meaning is the configuration of a text, without its warnings.
func meaning(t *testing.T, text string) string {
	t.Helper()
	c, err := Parse("t.cf", []byte(text), testOptions())
	if err != nil {
		t.Errorf("%v in\n%s", err, text)
		return ""
	}
	var b strings.Builder
	printConfig(&b, c)
	return b.String()
}

// TestShownDuration reads each shown duration back.
func TestShownDuration(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0": 0, "500ms": 500 * time.Millisecond, "10s": 10 * time.Second, "1m": time.Minute, "90s": 90 * time.Second, "10m": 10 * time.Minute,
		"1h": time.Hour, "3605s": time.Hour + 5*time.Second, "90m": 90 * time.Minute, "1500ms": 1500 * time.Millisecond, "20h": 20 * time.Hour,
	} {
		if got := shownDuration(d); got != want {
			t.Errorf("%v is shown as %q, want %q", d, got, want)
		}
		if back, err := exactDuration("resolve", shownDuration(d)); back != d || err != nil {
			t.Errorf("%q is read as %v, %v", shownDuration(d), back, err)
		}
	}
}

// TestDirectives sees that each row has what users read of it.
func TestDirectives(t *testing.T) {
	for _, d := range Directives() {
		if d.Value == "" && !d.Gone || d.Help == "" || !d.Outside && !d.InBlock {
			t.Errorf("the row of %s lacks a value, a help or a place: %+v", d.Name, d)
		}
		if strings.HasSuffix(d.Help, ".") {
			t.Errorf("the help of %s ends with a full stop, which the manual adds", d.Name)
		}
	}
}
