package status

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"

	"github.com/ldirectord/ldirectord/internal/maintenance"
	"github.com/ldirectord/ldirectord/internal/report"
)

// everything is a snapshot in which each thing that has a metric is there.
func everything() *report.Snapshot {
	took := make([]uint32, len(report.LatencyBounds())+1)
	took[0] = 1
	drained := report.RealState{
		RealName: report.RealName{Name: "10.1.0.1:80"}, State: report.StateDrained, OutReason: "order",
		Override: &report.Override{Verb: report.Drain}, Last: &report.Last{},
		Record: report.Record{CertificateEnds: time.Now(), Checks: report.Checks{Buckets: took}},
	}
	return &report.Snapshot{
		Kernel:      report.KernelState{Changes: map[string]uint64{"-a": 1}, Refused: map[string]uint64{"-a": 1}},
		Outside:     []report.Fault{{What: "control socket"}},
		Beside:      &report.Beside{SyncDaemons: []report.SyncDaemon{{Role: "master", Wanted: true}}, Timeouts: &report.Timeouts{}},
		Maintenance: &report.MaintenanceState{Unmatched: []maintenance.File{{Name: "web4"}}},
		Virtuals:    []report.VirtualState{{ID: "tcp:10.0.0.1:80", Check: "http", Quorum: &report.Quorum{State: report.QuorumMet}, Reals: []report.RealState{drained}}},
	}
}

// metricRow is the row of a metric in docs/reference.md.
func metricRow(f *dto.MetricFamily) string {
	var labels []string
	for _, label := range f.Metric[0].Label {
		labels = append(labels, "`"+label.GetName()+"`")
	}
	return fmt.Sprintf("| `%s` | %s | %s | %s |", f.GetName(), strings.ToLower(f.GetType().String()), strings.Join(labels, ", "), f.GetHelp())
}

// TestMetricsAreDocumented wants exactly the metrics that there are in docs/reference.md,
// each with its type, labels and help.
func TestMetricsAreDocumented(t *testing.T) {
	h := newHouse(t, plainConfig)
	metrics := map[string]*dto.MetricFamily{}
	all := &families{byName: metrics}
	snap := everything()
	all.daemon(snap)
	for i := range snap.Virtuals {
		all.virtual(&snap.Virtuals[i])
	}
	h.o.Queues = func() []Queue { return []Queue{{Name: "log"}} }
	for _, f := range h.gather() {
		if metrics[f.GetName()] == nil {
			metrics[f.GetName()] = f
		}
	}
	want := []string{}
	for _, f := range metrics {
		want = append(want, metricRow(f))
	}
	slices.SortFunc(want, func(a, b string) int { return strings.Compare(name(a), name(b)) })
	if diff := cmp.Diff(namesInSource(t), names(want)); diff != "" {
		t.Errorf("everything has not what there is in the source (-source +everything):\n%s", diff)
	}
	text, err := os.ReadFile("../../docs/reference.md")
	if err != nil {
		t.Fatal(err)
	}
	got := regexp.MustCompile("(?m)^\\| `ldirectord_.*$").FindAllString(string(text), -1)
	for _, row := range want {
		if !slices.Contains(got, row) {
			t.Errorf("docs/reference.md lacks the row\n%s", row)
		}
	}
	if diff := cmp.Diff(names(want), names(got)); diff != "" {
		t.Errorf("the metrics in docs/reference.md (-there are +documented):\n%s", diff)
	}
}

// name is the name of the metric in a row.
func name(row string) string { return strings.Split(row, "`")[1] }

// names are the names of the metrics in rows.
func names(rows []string) []string {
	list := make([]string, len(rows))
	for i, row := range rows {
		list[i] = name(row)
	}
	return list
}

// namesInSource are the names of metrics in the files that make them, sorted.
func namesInSource(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("metrics*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := []string{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range regexp.MustCompile(`"(ldirectord_[a-z_]+)"`).FindAllStringSubmatch(string(text), -1) {
			found = append(found, name[1])
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}
