package policy

import (
	"strings"
	"testing"
	"time"
)

// TestServed plays a virtual service second by second. The letters of have are what it has: f
// first checks go on, r a real server in service, q its quorum is lost, b the fallback counts;
// those of want are - not served, w waits, S served.
func TestServed(t *testing.T) {
	tests := map[string]struct {
		begin Served
		delay time.Duration
		have  string
		want  string
	}{
		"start":                    {Served{}, 2, "f fr r r r r", "--wwSS"},
		"start without delay":      {Served{}, 0, "f fr r r", "--SS"},
		"a restart is as before":   {Served{Is: true}, 2, "f fr r r", "SSSS"},
		"a restart, all are dead":  {Served{Is: true}, 2, "f f . r r r r", "SS-wwSS"},
		"loss is at once":          {Served{Is: true}, 2, "r . r . r r r", "S-w-wwS"},
		"reload of new servers":    {Served{Is: true}, 2, "r f f r", "SSSS"},
		"a reload while it waits":  {Served{}, 2, "r f r r r", "w-wwS"},
		"quorum lost":              {Served{Is: true}, 2, "r rq rq r r r", "S--wwS"},
		"quorum lost, by fallback": {Served{Is: true}, 2, "r rqb rqb r", "SSSS"},
		"fallback alone":           {Served{}, 2, "fb b b b .", "-wwS-"},
		"the quorum does not help": {Served{Is: true}, 2, "q .", "--"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s, now, got := tt.begin, time.Unix(1000, 0), ""
			for have := range strings.FieldsSeq(tt.have) {
				has := func(c string) bool { return strings.Contains(have, c) }
				s = s.Next(now, Serving{Pending: has("f"), InService: has("r"), Lost: has("q"), Fallback: has("b")}, tt.delay*time.Second)
				switch {
				case s.Is:
					got += "S"
				case s.Waits:
					got += "w"
				default:
					got += "-"
				}
				now = now.Add(time.Second)
			}
			if got != tt.want {
				t.Errorf("%s: %s, want %s", tt.have, got, tt.want)
			}
		})
	}
}

// TestShare joins the virtual services of an address.
func TestShare(t *testing.T) {
	tests := map[string]struct {
		Share
		want bool
	}{
		"none":               {Share{}, false},
		"any of two":         {Share{Any: 2, AnyServed: 1}, true},
		"none of two":        {Share{Any: 2}, false},
		"all":                {Share{All: 2, AllServed: 2}, true},
		"not all":            {Share{All: 2, AllServed: 1}, false},
		"all and one of any": {Share{All: 1, AllServed: 1, Any: 2, AnyServed: 1}, true},
		"all, none of any":   {Share{All: 1, AllServed: 1, Any: 2}, false},
		"any, not all":       {Share{All: 1, Any: 1, AnyServed: 1}, false},
	}
	for name, tt := range tests {
		if got := tt.Served(); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}
