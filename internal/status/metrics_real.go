package status

import (
	"strings"

	dto "github.com/prometheus/client_model/go"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/report"
)

// virtual adds the metrics of one virtual service and its real servers. Of a
// real server that is in it twice, the last counts, as in the kernel.
func (m *families) virtual(v *report.VirtualState) {
	virtual, check := pair("virtual", v.ID), pair("check", v.Check)
	labels := []*dto.LabelPair{virtual}
	m.gauge("ldirectord_virtual_present", "Whether the virtual service is in the kernel.", labels, truth(v.Present))
	m.counter("ldirectord_virtual_connections_total", "Connections of the virtual service, as the kernel counts them.", labels, float64(v.Stats.Connections))
	m.counter("ldirectord_virtual_receive_packets_total", "Packets to the virtual service.", labels, float64(v.Stats.InPackets))
	m.counter("ldirectord_virtual_transmit_packets_total", "Packets from the virtual service (masq only).", labels, float64(v.Stats.OutPackets))
	m.counter("ldirectord_virtual_receive_bytes_total", "Bytes to the virtual service.", labels, float64(v.Stats.InBytes))
	m.counter("ldirectord_virtual_transmit_bytes_total", "Bytes from the virtual service (masq only).", labels, float64(v.Stats.OutBytes))
	last := make(map[string]int, len(v.Reals))
	configured := 0
	for i, r := range v.Reals {
		last[r.Name] = i
		if !r.Fallback && r.State != report.StateForeign {
			if r.OutReason != report.OutAsBackup {
				configured++
			}
		}
	}
	for i := range v.Reals {
		if last[v.Reals[i].Name] == i {
			m.real(&v.Reals[i], virtual, check)
		}
	}
	if v.Foreign {
		return
	}
	m.gauge("ldirectord_virtual_reals", "Configured real servers, and backup servers while they are needed.", labels, float64(configured))
	m.gauge("ldirectord_virtual_reals_in", "Real servers that get connections.", labels, float64(v.In))
	m.gauge("ldirectord_virtual_fallback_in", "Whether the fallback server is in.", labels, truth(v.FallbackIn))
	if q := v.Quorum; q != nil && q.State != report.QuorumUnknown {
		m.gauge("ldirectord_virtual_quorum_met", "Whether enough servers are up for the quorum; missing without one, and until first checks have decided.", labels, truth(q.State == report.QuorumMet))
	}
	m.gauge("ldirectord_virtual_notices", "Refusals and differences of the kernel's table that stand.", labels, float64(len(v.Notices)))
	m.durations(v, []*dto.LabelPair{check, virtual})
}

// real adds the metrics of one real server. Labels are in the order of their
// names.
func (m *families) real(r *report.RealState, virtual, check *dto.LabelPair) {
	at := pair("real", r.Name)
	labels := []*dto.LabelPair{at, virtual}
	m.gauge("ldirectord_real_weight", "Weight in the kernel, 0 also if it is not there.", labels, float64(r.Weight))
	m.gauge("ldirectord_real_active_connections", "Active connections.", labels, float64(r.Active))
	m.gauge("ldirectord_real_inactive_connections", "Inactive connections.", labels, float64(r.Inactive))
	m.gauge("ldirectord_real_persistent_connections", "Persistence entries.", labels, float64(r.Persistent))
	m.counter("ldirectord_real_connections_total", "Connections, as the kernel counts them.", labels, float64(r.Stats.Connections))
	m.counter("ldirectord_real_receive_bytes_total", "Bytes to the real server.", labels, float64(r.Stats.InBytes))
	m.counter("ldirectord_real_transmit_bytes_total", "Bytes from the real server (masq only).", labels, float64(r.Stats.OutBytes))
	m.gauge("ldirectord_real_state", "1 for the state that the real server is in.", []*dto.LabelPair{at, pair("state", string(r.State)), virtual}, 1)
	if r.Fallback || r.State == report.StateForeign {
		return
	}
	if !r.Unchecked && check.GetValue() != conf.CheckOn.String() {
		m.gauge("ldirectord_real_up", "Whether the checks say that the real server works, also in maintenance; missing until the first one has finished, and with checktype = on.", labels, truth(r.Up))
	}
	m.gauge("ldirectord_real_in_service", "Whether the kernel sends the real server new connections.", labels, truth(r.InService))
	if !r.InService {
		m.gauge("ldirectord_real_out_reason", "1 for why the real server is out of service: "+outReasons+".",
			[]*dto.LabelPair{at, pair("reason", string(r.OutReason)), virtual}, 1)
	}
	m.gauge("ldirectord_real_configured_weight", "Weight in the configuration.", labels, float64(r.Configured))
	m.counter("ldirectord_real_transitions_total", "How often the real server was gone or back.", labels, float64(r.Transitions))
	if r.Override != nil {
		m.gauge("ldirectord_real_override", "Orders of operators in force.", []*dto.LabelPair{pair("order", r.Override.Verb), at, virtual}, 1)
	}
	if !r.CertificateEnds.IsZero() {
		m.gauge("ldirectord_real_certificate_end_time_seconds", "When the real server's certificate ends.", labels, seconds(r.CertificateEnds))
	}
	if r.Last != nil {
		asked := []*dto.LabelPair{check, at, virtual}
		m.gauge("ldirectord_check_last_duration_seconds", "How long the last check took.", asked, float64(r.Last.Took))
	}
	result := func(word string, n uint64) {
		labels := []*dto.LabelPair{check, at, pair("result", word), virtual}
		m.counter("ldirectord_checks_total", "Checks made, by what came of them.", labels, float64(n))
	}
	result("up", r.Checks.Up)
	result("down", r.Checks.Down)
	result("not_asked", r.Checks.Local)
}

// durations adds the durations of the checks of a virtual service, as a histogram over its
// real servers.
func (m *families) durations(v *report.VirtualState, labels []*dto.LabelPair) {
	var (
		sum    float64
		total  uint64
		bounds = report.LatencyBounds()
		counts = make([]uint64, len(bounds))
	)
	for _, r := range v.Reals {
		sum += float64(r.Checks.Took)
		for i, n := range r.Checks.Buckets {
			total += uint64(n)
			if i < len(counts) {
				counts[i] += uint64(n)
			}
		}
	}
	if total == 0 {
		return
	}
	h := &dto.Histogram{SampleSum: &sum, SampleCount: &total}
	cumulative := uint64(0)
	for i, n := range counts {
		cumulative += n
		count, bound := cumulative, bounds[i].Seconds()
		h.Bucket = append(h.Bucket, &dto.Bucket{CumulativeCount: &count, UpperBound: &bound})
	}
	m.add("ldirectord_check_duration_seconds", "How long checks take.", dto.MetricType_HISTOGRAM,
		&dto.Metric{Label: labels, Histogram: h})
}

// outReasons are all values of the label reason, for the help of the metric.
var outReasons = func() string {
	var list []string
	for _, r := range report.OutReasons() {
		list = append(list, string(r))
	}
	return strings.Join(list, ", ")
}()
