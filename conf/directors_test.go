package conf

import (
	"slices"
	"strings"
	"testing"
)

func TestDirectors(t *testing.T) {
	for value, want := range map[string]string{
		"d1:9180 d2:9180":                 "d1:9180 d2:9180",
		"D1.Example.com:9180":             "d1.example.com:9180",
		"[fd00::1]:9180 10.0.0.2:9180":    "[fd00::1]:9180 10.0.0.2:9180",
		"[FD00:0::1]:9180, d2:1":          "[fd00::1]:9180 d2:1",
		"[::ffff:10.0.0.1]:9180":          "10.0.0.1:9180",
		"none":                            "",
		"":                                "directors must be HOST:PORT of each director, with blanks between them, or none",
		"d1":                              `directors: "d1" is not HOST:PORT, as d1.example.com:9180 or [2001:db8::1]:9180`,
		"fd00::1":                         "directors: fd00::1 has no port: [fd00::1]:9180",
		"10.0.0.1":                        "directors: 10.0.0.1 has no port: 10.0.0.1:9180",
		"d1:0":                            "directors: the port of d1:0 must be 1 to 65535",
		"d1:http":                         "directors: the port of d1:http must be 1 to 65535",
		"d1:9180 D1:9180":                 "directors has d1:9180 twice",
		"[fd00::1]:9180 [fd00:0::1]:9180": "directors has [fd00::1]:9180 twice",
		"0.0.0.0:9180":                    "directors: 0.0.0.0:9180 is no address of a director",
		"http://d1:9180":                  `directors: "http://d1:9180" is not HOST:PORT, as d1.example.com:9180 or [2001:db8::1]:9180`,
		"a/b:9180":                        `directors: "a/b" is neither a name nor an address`,
		"user@d1:9180":                    `directors: "user@d1" is neither a name nor an address`,
		":9180":                           `directors: "" is neither a name nor an address`,
		strings.Repeat("d:1 ", 65):        "directors has 65 entries, and at most 64 are possible",
	} {
		list, err := readDirectors(nil, value)
		got := strings.Join(list, " ")
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: %s, want %s", value, got, want)
		}
	}
}

// TestFleetAdvice warns of a fleet that cannot work as it is written.
func TestFleetAdvice(t *testing.T) {
	const listen, tls, token = "statuslisten=10.0.0.1:9180\n", "statuscert=/c\nstatusca=/ca\n", "statuscontrol=yes\nstatustoken=/t\n"
	for name, tt := range map[string]struct{ text, want string }{
		"all is well":          {listen + tls + token + "directors=d1:9180 d2:9180\n", ""},
		"on one host":          {listen + token + "directors=127.0.0.1:9180 [::1]:9180 localhost:1\n", ""},
		"without tokens":       {listen + "directors=d1:9180\n", ""},
		"tokens in plain text": {listen + token + "directors=127.0.0.1:9180 d1:9180\n", "no token is sent to other directors in plain text"},
		"no listener":          {"directors=d1:9180\n", "the other directors cannot ask this one: there is no statuslisten"},
		"half of TLS":          {listen + "statusca=/ca\ndirectors=d1:9180\n", "this one does not speak it: there is no statuscert"},
		"no directors":         {listen + "statusca=/ca\n", "statusca is not used: there are no directors"},
		"TLS of a socket":      {"statuslisten=/s\nstatuscert=/c\n", "statuscert is not used: statuslisten is no address"},
		"key alone":            {listen + "statuskey=/k\n", "statuskey needs a statuscert"},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := CheckFile("t.cf", []byte(tt.text), testOptions())
			var got []string
			for _, problem := range problems {
				if problem.Code == CodeMissingDirective || problem.Code == CodeUnusedDirective {
					got = append(got, problem.Text)
				}
			}
			if text := strings.Join(got, "\n"); (tt.want == "") != (text == "") || !strings.Contains(text, tt.want) || len(got) > 1 {
				t.Errorf("%q, want %q", text, tt.want)
			}
		})
	}
}

// TestFingerprint is equal for files that say the same, and does not depend on secrets.
func TestFingerprint(t *testing.T) {
	const base = "statuslisten=10.0.0.1:9180\nvirtual=10.0.0.1:80\n    real=10.1.0.1:80 gate 1 \"/a?key=x\", \"ok\"\n    service=http\n    passwd=\"short\"\n"
	of := func(text string) string {
		t.Helper()
		cfg, err := Parse("t.cf", []byte(text), testOptions())
		if err != nil {
			t.Fatal(err)
		}
		return cfg.Fingerprint()
	}
	want := of(base)
	if len(want) != 2*fingerprintSize {
		t.Errorf("the fingerprint is %q", want)
	}
	for name, text := range map[string]string{
		"a comment":     "# d1\n\n" + base,
		"its address":   strings.Replace(base, "10.0.0.1:9180", "10.0.0.2:9180", 1),
		"a password":    strings.Replace(base, "short", "other", 1),
		"a query value": strings.Replace(base, "key=x", "key=y", 1),
	} {
		if got := of(text); got != want {
			t.Errorf("%s makes a difference", name)
		}
	}
	sums := []string{want}
	for name, text := range map[string]string{
		"a real server":     strings.Replace(base, "10.1.0.1", "10.1.0.2", 1),
		"a virtual service": strings.Replace(base, "10.0.0.1:80", "10.0.0.2:80", 1),
		"a weight":          strings.Replace(base, "gate 1", "gate 2", 1),
		"a global":          "checkinterval=3\n" + base,
	} {
		got := of(text)
		if slices.Contains(sums, got) {
			t.Errorf("%s makes no difference", name)
		}
		sums = append(sums, got)
	}
}
