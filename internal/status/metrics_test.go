package status

import (
	"net/http"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/ldirectord/ldirectord/internal/report"
)

// TestRealUpIsOfChecks has no ldirectord_real_up of a real server that nothing is asked.
func TestRealUpIsOfChecks(t *testing.T) {
	for check, want := range map[string]bool{"http": true, "on": false} {
		m := &families{byName: map[string]*dto.MetricFamily{}}
		m.virtual(&report.VirtualState{Check: check, Reals: []report.RealState{{State: report.StateUp, Up: true}}})
		if _, got := m.byName["ldirectord_real_up"]; got != want || m.byName["ldirectord_real_in_service"] == nil {
			t.Errorf("check %s: ldirectord_real_up is there: %t, want %t", check, got, want)
		}
	}
}

// Prometheus' own parser reads what is served, and finds there what is.
func TestMetrics(t *testing.T) {
	t.Parallel()
	h := newHouse(t, plainConfig)
	h.breaks("10.1.0.2:80", "no")
	h.await(t, func(s *report.Snapshot) bool { return s.Virtuals[0].In == 1 })
	h.Reloaded(true)
	h.Reloaded(false)
	w := h.get(outside, "/metrics")
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(w.Body.String()))
	if err != nil {
		t.Fatalf("Prometheus cannot read it: %v\n%s", err, w.Body)
	}
	got := map[string]float64{}
	for name, f := range families {
		if f.GetHelp() == "" {
			t.Errorf("%s has no help", name)
		}
		for _, m := range f.GetMetric() {
			var key strings.Builder
			key.WriteString(name)
			for _, l := range m.GetLabel() {
				key.WriteString(" " + l.GetName() + "=" + l.GetValue())
			}
			if _, twice := got[key.String()]; twice {
				t.Errorf("%s is there twice", key.String())
			}
			got[key.String()] = m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	for key, want := range map[string]float64{
		"ldirectord_ready": 1,
		"ldirectord_real_up real=10.1.0.1:80 virtual=tcp:10.0.0.1:80":                1,
		"ldirectord_real_up real=10.1.0.2:80 virtual=tcp:10.0.0.1:80":                0,
		"ldirectord_real_state real=10.1.0.2:80 state=down virtual=tcp:10.0.0.1:80":  1,
		"ldirectord_real_weight real=10.1.0.1:80 virtual=tcp:10.0.0.1:80":            5,
		"ldirectord_real_transitions_total real=10.1.0.1:80 virtual=tcp:10.0.0.1:80": 0, // the first check is none
		"ldirectord_real_transitions_total real=10.1.0.2:80 virtual=tcp:10.0.0.1:80": 1,
		"ldirectord_virtual_reals_in virtual=tcp:10.0.0.1:80":                        1,
		"ldirectord_virtual_reals virtual=fwm:8":                                     1,
		"ldirectord_kernel_changes_total op=-A":                                      2,
		"ldirectord_queue_dropped_total queue=mail":                                  3,
		"ldirectord_config_reloads_total result=done":                                1,
		"ldirectord_config_reloads_total result=failed":                              1,
		"ldirectord_config_last_reload_successful":                                   0,
	} {
		if value, ok := got[key]; !ok || value != want {
			t.Errorf("%s is %v (there: %v), want %v", key, value, ok, want)
		}
	}
	for _, key := range []string{
		"ldirectord_check_duration_seconds check=http virtual=tcp:10.0.0.1:80",
		"ldirectord_checks_total check=http real=10.1.0.1:80 result=up virtual=tcp:10.0.0.1:80",
		"ldirectord_check_last_duration_seconds check=connect real=10.1.0.3:443 virtual=fwm:8",
		"ldirectord_build_info goversion=",
		"go_goroutines", "process_open_fds",
	} {
		if !anyHasPrefix(got, key) {
			t.Errorf("%s is missing", key)
		}
	}
}

func anyHasPrefix(values map[string]float64, prefix string) bool {
	for key, value := range values {
		if strings.HasPrefix(key, prefix) && value > 0 {
			return true
		}
	}
	return false
}
