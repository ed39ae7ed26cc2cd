package wire

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/internal/report"
)

// TestOrdersKeepTheirMeaning sends orders as JSON: the daemon reads the order that the
// client wrote, also a weight of 0.
func TestOrdersKeepTheirMeaning(t *testing.T) {
	for name, order := range map[string]report.Order{
		"drain":            {Verb: report.Drain, Real: "10.1.0.1:80", For: 90 * time.Second, Comment: "disk"},
		"of one virtual":   {Verb: report.Disable, Real: "web1", Virtual: "tcp:10.0.0.1:80"},
		"enable":           {Verb: report.Enable, Real: "10.1.0.1"},
		"a weight":         {Verb: report.Weight, Real: "10.1.0.1", Weight: 7, For: time.Hour},
		"a share":          {Verb: report.Weight, Real: "10.1.0.1", Percent: 50},
		"a weight of zero": {Verb: report.Weight, Real: "10.1.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := json.Marshal(RequestOf(order))
			if err != nil {
				t.Fatal(err)
			}
			var request OrderRequest
			if err := json.Unmarshal(text, &request); err != nil {
				t.Fatal(err)
			}
			got, err := request.Order()
			if diff := cmp.Diff(order, got); diff != "" || err != nil {
				t.Errorf("%s: %v (-want +got):\n%s", text, err, diff)
			}
		})
	}
}
