package status

import (
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"

	"github.com/ldirectord/ldirectord/internal/cli/view"
	"github.com/ldirectord/ldirectord/internal/maintenance"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/status/words"
)

// TestMaintenanceFaults has a maintenance directory that cannot be read and a file
// that no real server is named after: the table, the page and the metrics say so.
func TestMaintenanceFaults(t *testing.T) {
	s := &report.Snapshot{Ready: true}
	s.Maintenance = &report.MaintenanceState{
		Dir: "/m", Error: "permission denied",
		Unmatched: []maintenance.File{{Name: "web4", Why: "it is no real server's address or name"}},
	}
	want := []string{
		"maintenance directory /m cannot be read, maintenance stays as it is: permission denied",
		"maintenance file web4 takes no real server out of service: it is no real server's address or name",
	}
	var table strings.Builder
	if err := view.WriteTable(&table, s); err != nil {
		t.Fatal(err)
	}
	page := newDrawing(&overview{snap: s, health: words.Judge(s)}, pageView{}, nil, "build").body()
	for _, w := range want {
		if !strings.Contains(table.String(), "\n! "+w+"\n") {
			t.Errorf("the table does not say %q:\n%s", w, &table)
		}
		if !slices.Contains(words.Judge(s).Troubles, w) || !strings.Contains(page, text(w)) {
			t.Errorf("the page does not say %q:\n%s", w, page)
		}
	}
	m := &families{byName: map[string]*dto.MetricFamily{}}
	m.daemon(s)
	if got := m.byName["ldirectord_maintenancedir_readable"].GetMetric()[0].GetGauge().GetValue(); got != 0 {
		t.Errorf("ldirectord_maintenancedir_readable is %v, want 0", got)
	}
	if got := m.byName["ldirectord_maintenance_file_unmatched"].GetMetric()[0].GetLabel()[0].GetValue(); got != "web4" {
		t.Errorf("the unmatched file is %q, want web4", got)
	}
}
