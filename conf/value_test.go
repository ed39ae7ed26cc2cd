package conf

import (
	"testing"
	"time"
)

func TestFirstDuration(t *testing.T) {
	tests := []struct {
		value string
		want  time.Duration
	}{
		{"3", 3 * time.Second},
		{"3 # seconds", 3 * time.Second},
		{"3s", 3 * time.Second},
		{"3 s", 3 * time.Second},
		{"-5", 5 * time.Second},
		{"1.5", time.Second},
		{".5", 5 * time.Second},
		{"0.5", 0},
		{"0.5s", 500 * time.Millisecond},
		{"1.5s\r", 1500 * time.Millisecond},
		{"500ms", 500 * time.Millisecond},
		{"500ms # half a second", 500 * time.Millisecond},
		{"500 ms", 500 * time.Second},
		{"500msec", 500 * time.Second},
		{"2m", 2 * time.Minute},
		{"1h", time.Hour},
		{"1h30m", time.Second},
		{"0ms", 0},
		{"0.0000001ms", 0},
		{"", 0},
		{"abc", 0},
		{"99999999999999999999999", longestNumber},
		{"99999999999999999999999h", longest},
	}
	for _, test := range tests {
		if got := firstDuration(test.value); got != test.want {
			t.Errorf("firstDuration(%q) = %v, want %v", test.value, got, test.want)
		}
	}
}

const longestNumber = (1<<31 - 1) * time.Second

func TestExactDuration(t *testing.T) {
	tests := []struct {
		value string
		want  time.Duration
		ok    bool
	}{
		{"0", 0, true},
		{"none", 0, true},
		{"30", 30 * time.Second, true},
		{"30 # x", 30 * time.Second, true},
		{"250ms", 250 * time.Millisecond, true},
		{"1.5", 0, false},
		{"-1", 0, false},
		{"", 0, false},
		{"soon", 0, false},
		{"1 m", 0, false},
	}
	for _, test := range tests {
		got, err := exactDuration("slowstart", test.value)
		if got != test.want || (err == nil) != test.ok {
			t.Errorf("exactDuration(%q) = %v, %v, want %v, ok %v", test.value, got, err, test.want, test.ok)
		}
	}
}

func TestDigits(t *testing.T) {
	for value, want := range map[string][3]string{
		"81abc": {"", "81", "abc"}, "-5": {"-", "5", ""}, "a": {"a", "", ""}, "": {}, "x 7 8": {"x ", "7", " 8"},
	} {
		before, run, after := digits(value)
		if got := [3]string{before, run, after}; got != want {
			t.Errorf("digits(%q) = %q, want %q", value, got, want)
		}
	}
}

func TestNumber(t *testing.T) {
	for run, want := range map[string]uint64{
		"": 0, "0": 0, "007": 7, "65535": 65535, "65536": 65535, "99999999999999999999999": 65535,
	} {
		if got := number(run, 65535); got != want {
			t.Errorf("number(%q) = %d, want %d", run, got, want)
		}
	}
}

func TestText(t *testing.T) {
	tests := []struct {
		value, unquoted, bare string
	}{
		{`"a b"`, "a b", "a b"},
		{`"a"b" c`, `a"b`, `a"b`},
		{`"a`, `"a`, `"a`},
		{`a"b"`, `a"b"`, `a"b"`},
		{`"a #b" # c`, "a #b", "a #b"},
		{"a#b # c", "a#b # c", "a#b"},
		{"# c", "# c", ""},
		{"a \r", "a \r", "a"},
		{"", "", ""},
	}
	for _, test := range tests {
		if got := unquoted(test.value); got != test.unquoted {
			t.Errorf("unquoted(%q) = %q, want %q", test.value, got, test.unquoted)
		}
		if got := bareText(test.value); got != test.bare {
			t.Errorf("bareText(%q) = %q, want %q", test.value, got, test.bare)
		}
	}
}

func TestWord(t *testing.T) {
	for value, want := range map[string]string{
		"http or so": "http", `"http"`: "http", "=http_proxy!": "http_proxy", "": "", "-": "", "ü tcp": "tcp", "external-perl": "external",
	} {
		if got := word(value, ""); got != want {
			t.Errorf("word(%q) = %q, want %q", value, got, want)
		}
	}
	if got := word("external-perl x", "-"); got != "external-perl" {
		t.Errorf("word with - = %q", got)
	}
}

func TestMinAlive(t *testing.T) {
	tests := []struct {
		name  string
		m     Portion
		total int
		want  int
	}{
		{"off", Portion{}, 10, 0},
		{"a number", Portion{Count: 3}, 10, 3},
		{"more than there are", Portion{Count: 3}, 2, 2},
		{"a share", Portion{Percent: 50}, 4, 2},
		{"a share is rounded up", Portion{Percent: 50}, 5, 3},
		{"all", Portion{Percent: 100}, 7, 7},
		{"of none", Portion{Percent: 50}, 0, 0},
	}
	for _, test := range tests {
		if got := test.m.Of(test.total); got != test.want {
			t.Errorf("%s: %+v of %d = %d, want %d", test.name, test.m, test.total, got, test.want)
		}
	}
}
