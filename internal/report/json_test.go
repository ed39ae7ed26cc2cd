package report

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// TestRealStateJSON pins names and order of the fields that clients of the API read.
func TestRealStateJSON(t *testing.T) {
	now := time.Unix(1700000000, 0).UTC()
	text, err := json.Marshal(RealState{
		RealName: RealName{Host: "www"}, Unchecked: true, OutReason: "check", Fallback: true, Since: now, Maintenance: "all",
		Override: &Override{}, Last: &Last{}, Difference: "weight", Record: Record{CertificateEnds: now},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	d := json.NewDecoder(strings.NewReader(string(text)))
	for depth, key := 0, true; ; {
		token, err := d.Token()
		if err != nil {
			break
		}
		switch token := token.(type) {
		case json.Delim:
			if depth += map[json.Delim]int{'{': 1, '}': -1}[token]; depth == 1 {
				key = true
			}
		default:
			if depth == 1 && key {
				got = append(got, token.(string))
			}
			key = depth == 1 && !key
		}
	}
	want := "name at host forward state up unchecked in_service out_reason fallback since failures failure_count maintenance override last difference " +
		"present weight configured_weight wanted_weight active inactive persistent stats checks transitions certificate_ends availability availability_day"
	if strings.Join(got, " ") != want {
		t.Errorf("fields\n%s\nwant\n%s", strings.Join(got, " "), want)
	}
}
