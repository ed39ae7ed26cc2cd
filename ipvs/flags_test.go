package ipvs

import "testing"

// ipvsadm 1.31 accepts and refuses these flags.
func TestParseSchedFlags(t *testing.T) {
	tests := map[string]struct {
		scheduler, text string
		want            Flags
		err             string
	}{
		"none":                  {"rr", "", 0, ""},
		"one":                   {"sh", "sh-port", FlagSched2, ""},
		"all of sh":             {"sh", "sh-port,sh-fallback,flag-3", FlagSched1 | FlagSched2 | FlagSched3, ""},
		"all of mh":             {"mh", "mh-fallback,mh-port", FlagSched1 | FlagSched2, ""},
		"numbers for any":       {"wlc", "flag-1,flag-3", FlagSched1 | FlagSched3, ""},
		"numbers for sh":        {"sh", "flag-2", FlagSched2, ""},
		"twice":                 {"sh", "sh-port,sh-port", FlagSched2, ""},
		"empty words":           {"sh", ",sh-port,", FlagSched2, ""},
		"of another scheduler":  {"rr", "sh-port", 0, "scheduler flag sh-port is for scheduler sh, not for rr"},
		"mh's for sh":           {"sh", "flag-1,mh-port", 0, "scheduler flag mh-port is for scheduler mh, not for sh"},
		"unknown":               {"rr", "bogus", 0, `unknown scheduler flag "bogus": known are sh-fallback, sh-port, mh-fallback, mh-port, flag-1, flag-2, flag-3`},
		"capitals":              {"sh", "SH-PORT", 0, `unknown scheduler flag "SH-PORT": known are sh-fallback, sh-port, mh-fallback, mh-port, flag-1, flag-2, flag-3`},
		"blank for comma":       {"sh", "sh-port sh-fallback", 0, `unknown scheduler flag "sh-port sh-fallback": known are sh-fallback, sh-port, mh-fallback, mh-port, flag-1, flag-2, flag-3`},
		"known, but after junk": {"sh", "x,sh-port", 0, `unknown scheduler flag "x": known are sh-fallback, sh-port, mh-fallback, mh-port, flag-1, flag-2, flag-3`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := ParseSchedFlags(tt.scheduler, tt.text)
			if errorText(err) != tt.err {
				t.Errorf("got error %q, want %q", errorText(err), tt.err)
			}
			if got != tt.want {
				t.Errorf("got flags %#x, want %#x", got, tt.want)
			}
		})
	}
}

func TestSchedFlagNamesParseBack(t *testing.T) {
	for _, scheduler := range []string{"rr", "sh", "mh"} {
		for f := Flags(0); f <= flagsSched; f += FlagSched1 {
			names := schedFlagNames(scheduler, f)
			if got, err := ParseSchedFlags(scheduler, names); err != nil || got != f {
				t.Errorf("%s: flags %#x are named %q, which is parsed as %#x, error %v", scheduler, f, names, got, err)
			}
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
