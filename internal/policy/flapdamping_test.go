package policy

import (
	"strings"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/conf"
)

// TestDamping goes down at given seconds, with 3 in 60s.
func TestDamping(t *testing.T) {
	start := time.Unix(1_800_000_000, 0)
	f := conf.FlapDamping{Count: 3, Within: time.Minute}
	for name, tt := range map[string]struct {
		downs []int // at these seconds; a negative one is at its amount, while no other is in service
		want  string
	}{
		"twice":                   {[]int{0, 10}, ""},
		"three times":             {[]int{0, 10, 20}, "20+60"},
		"at the end of the time":  {[]int{0, 10, 60}, "60+60"},
		"beyond the time":         {[]int{0, 10, 61}, ""},
		"the last three count":    {[]int{0, 50, 70, 90}, "90+60"},
		"as the last in service":  {[]int{0, 10, -20}, ""},
		"no more the last one":    {[]int{0, 10, -20, 30}, "30+60"},
		"once after it":           {[]int{0, 10, 20, 90}, "20+60"},
		"again":                   {[]int{0, 10, 20, 90, 95, 100}, "20+60 100+120"},
		"again and again":         {[]int{0, 1, 2, 70, 71, 72, 200, 201, 202, 500, 501, 502, 1000, 1001, 1002, 2000, 2001, 2002, 3000, 3001, 3002}, "2+60 72+120 202+240 502+480 1002+960 2002+960 3002+960"},
		"long after it":           {[]int{0, 1, 2, 1030, 1031, 1032}, "2+60 1032+60"},
		"just not long after it":  {[]int{0, 1, 2, 1020, 1021, 1022}, "2+60 1022+120"},
		"long after the last one": {[]int{0, 1, 2, 70, 71, 72, 2000, 2001, 2002}, "2+60 72+120 2002+60"},
	} {
		t.Run(name, func(t *testing.T) {
			var d Damping
			var got []string
			for _, second := range tt.downs {
				now := start.Add(time.Duration(max(second, -second)) * time.Second)
				if d.Now() && !now.Before(d.Until) {
					d = d.Ended()
				}
				before := d.Now()
				if d = d.Down(f, second >= 0, now); d.Now() && !before {
					if !d.Since.Equal(now) || !d.Until.Equal(now.Add(d.Lasts)) {
						t.Errorf("%+v at %v", d, now)
					}
					got = append(got, strings.TrimSuffix(now.Sub(start).String(), "s")+"+"+d.Lasts.String())
				}
				if len(d.Downs) > f.Count {
					t.Errorf("%d times are kept", len(d.Downs))
				}
			}
			var want []string
			for w := range strings.FieldsSeq(tt.want) {
				at, lasts, _ := strings.Cut(w, "+")
				a, _ := time.ParseDuration(at + "s")
				l, _ := time.ParseDuration(lasts + "s")
				want = append(want, strings.TrimSuffix(a.String(), "s")+"+"+l.String())
			}
			if strings.Join(got, " ") != strings.Join(want, " ") {
				t.Errorf("kept out %q, want %q", got, want)
			}
		})
	}
}
