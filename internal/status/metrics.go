package status

import (
	"net/http"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"

	"github.com/ldirectord/ldirectord/internal/report"
)

// metricTime bounds one scrape.
const metricTime = 20 * time.Second

// serveMetrics answers a scrape of Prometheus.
func (s *Server) serveMetrics(w http.ResponseWriter, r *http.Request) {
	process := prometheus.NewRegistry()
	process.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	all := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		others, err := process.Gather()
		return append(s.gather(), others...), err
	})
	promhttp.HandlerFor(all, promhttp.HandlerOpts{Timeout: metricTime}).ServeHTTP(w, r)
}

// gather makes the metrics of a snapshot. It does not use the collectors of a Registry:
// they would sort and check metrics that are in order already, which with 10,000 real
// servers takes longer than all the rest. For a stalled director it makes the metrics that
// need no snapshot.
func (s *Server) gather() []*dto.MetricFamily {
	m := &families{byName: map[string]*dto.MetricFamily{}}
	snap, err := s.known()
	m.gauge("ldirectord_alive", "Whether the director and the schedule come round; if not, most metrics are missing.", nil, truth(err == nil))
	if err == nil {
		m.daemon(snap)
		for i := range snap.Virtuals {
			m.virtual(&snap.Virtuals[i])
		}
	}
	m.gauge("ldirectord_dry_run", "Whether the table is kept in memory and nothing is written to the kernel.", nil, truth(s.o.DryRun))
	m.reloads(s)
	for _, q := range s.queues() {
		labels := pairs("queue", q.Name)
		m.gauge("ldirectord_queue_waiting", "What waits in a queue of the daemon's.", labels, float64(q.Waiting))
		m.counter("ldirectord_queue_dropped_total", "What was dropped because a queue was full.", labels, float64(q.Dropped))
	}
	m.gauge("ldirectord_build_info", "Which program this is.", pairs("goversion", runtime.Version(), "version", s.o.Version), 1)
	return m.sorted()
}

func (s *Server) queues() []Queue {
	if s.o.Queues == nil {
		return nil
	}
	return s.o.Queues()
}

// families are the metrics of one scrape.
type families struct {
	byName map[string]*dto.MetricFamily
}

func (m *families) sorted() []*dto.MetricFamily {
	list := make([]*dto.MetricFamily, 0, len(m.byName))
	for _, f := range m.byName {
		list = append(list, f)
	}
	slices.SortFunc(list, func(a, b *dto.MetricFamily) int { return strings.Compare(a.GetName(), b.GetName()) })
	return list
}

// add adds a metric to its family.
func (m *families) add(name, help string, kind dto.MetricType, metric *dto.Metric) {
	f := m.byName[name]
	if f == nil {
		f = &dto.MetricFamily{Name: &name, Help: &help, Type: kind.Enum()}
		m.byName[name] = f
	}
	f.Metric = append(f.Metric, metric)
}

// A single is a metric of one value, in one piece of memory.
type single struct {
	metric  dto.Metric
	gauge   dto.Gauge
	counter dto.Counter
	value   float64
}

func (m *families) gauge(name, help string, labels []*dto.LabelPair, value float64) {
	s := &single{value: value}
	s.gauge.Value, s.metric.Gauge, s.metric.Label = &s.value, &s.gauge, labels
	m.add(name, help, dto.MetricType_GAUGE, &s.metric)
}

func (m *families) counter(name, help string, labels []*dto.LabelPair, value float64) {
	s := &single{value: value}
	s.counter.Value, s.metric.Counter, s.metric.Label = &s.value, &s.counter, labels
	m.add(name, help, dto.MetricType_COUNTER, &s.metric)
}

// pairs are labels, given as names and values in turn, in the order of names.
func pairs(words ...string) []*dto.LabelPair {
	list := make([]*dto.LabelPair, 0, len(words)/2)
	for i := 0; i+1 < len(words); i += 2 {
		name, value := words[i], strings.ToValidUTF8(words[i+1], "?")
		list = append(list, &dto.LabelPair{Name: &name, Value: &value})
	}
	return list
}

// pair is one label.
func pair(name, value string) *dto.LabelPair { return pairs(name, value)[0] }

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// daemon adds the metrics of the daemon as a whole.
func (m *families) daemon(s *report.Snapshot) {
	m.gauge("ldirectord_ready", "Whether every check has been made once since the start or reload.", nil, truth(s.Ready))
	m.gauge("ldirectord_start_time_seconds", "When the daemon was started.", nil, seconds(s.Started))
	m.gauge("ldirectord_config_loaded_time_seconds", "When the configuration in force was loaded.", nil, seconds(s.Loaded))
	m.gauge("ldirectord_kernel_readable", "Whether the kernel's table could be read last time.", nil, truth(s.Kernel.Error == ""))
	for op, n := range s.Kernel.Changes {
		m.counter("ldirectord_kernel_changes_total", "Changes made to the kernel's table, by ipvsadm's option.", pairs("op", op), float64(n))
	}
	for op, n := range s.Kernel.Refused {
		m.counter("ldirectord_kernel_errors_total", "Changes that the kernel refused, by ipvsadm's option.", pairs("op", op), float64(n))
	}
	m.counter("ldirectord_kernel_repairs_total", "What others had removed from the table and was put back.", nil, float64(s.Kernel.Repairs))
	m.gauge("ldirectord_schedule_checks", "Distinct checks in the schedule.", nil, float64(s.Lag.Checks))
	m.gauge("ldirectord_schedule_running_checks", "Checks under way.", nil, float64(s.Lag.Running))
	m.gauge("ldirectord_schedule_overdue_checks", "Checks that should have begun and have not.", nil, float64(s.Lag.Overdue))
	m.gauge("ldirectord_schedule_worst_delay_seconds", "The longest delay of a check's begin in the last 30 to 60 s.", nil, float64(s.Lag.Worst))
	m.gauge("ldirectord_director_worst_turn_seconds", "The longest that the director did one thing and heard nothing else, in the last 30 to 60 s.", nil, float64(s.Lag.Turn))
	m.gauge("ldirectord_schedule_silent_seconds", "Time since the schedule last came round.", nil, float64(s.Lag.Silent))
	m.gauge("ldirectord_unused_overrides", "Overrides of real servers that are in no configuration.", nil, float64(len(s.Overrides)))
	for _, at := range s.Addresses {
		m.gauge("ldirectord_served", "Whether the virtual address is served: 0 also while an operator has withdrawn it.", pairs("address", at.Address.String()), truth(at.Served))
	}
	for _, f := range s.Outside {
		m.gauge("ldirectord_fault", "What the daemon depends on and is wrong now: sockets, listeners, files.", pairs("what", f.What), 1)
	}
	if s.Maintenance != nil {
		m.maintenance(s.Maintenance)
	}
	if s.Beside != nil {
		m.beside(s.Beside)
	}
}

// beside adds the metrics of the kernel's state beside the table.
func (m *families) beside(s *report.Beside) {
	for _, d := range s.SyncDaemons {
		if d.Wanted {
			m.gauge("ldirectord_sync_daemon", "Whether the kernel's sync daemon of this role runs as syncdaemon has it.", pairs("role", d.Role), truth(d.AsWanted))
		}
	}
	if t := s.Timeouts; t != nil {
		const help = "How long the kernel remembers connections without packets, if there is ipvstimeouts."
		m.gauge("ldirectord_connection_timeout_seconds", help, pairs("kind", "tcp"), float64(t.TCP))
		m.gauge("ldirectord_connection_timeout_seconds", help, pairs("kind", "tcp_fin"), float64(t.TCPFin))
		m.gauge("ldirectord_connection_timeout_seconds", help, pairs("kind", "udp"), float64(t.UDP))
	}
}

// maintenance adds the metrics of the maintenance directory.
func (m *families) maintenance(s *report.MaintenanceState) {
	m.gauge("ldirectord_maintenancedir_readable", "Whether maintenancedir could be read last time; if not, maintenance stays as it is.", nil, truth(s.Error == ""))
	for _, f := range s.Unmatched {
		m.gauge("ldirectord_maintenance_file_unmatched", "Files in maintenancedir that take no real server out of service.", pairs("file", f.Name), 1)
	}
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func (m *families) reloads(s *Server) {
	const help = "Reloads of the configuration."
	m.counter("ldirectord_config_reloads_total", help, pairs("result", "done"), float64(s.reloads.Load()))
	m.counter("ldirectord_config_reloads_total", help, pairs("result", "failed"), float64(s.failedReloads.Load()))
	m.gauge("ldirectord_config_last_reload_successful", "Whether the last reload succeeded.", nil, truth(!s.lastReloadFail.Load()))
}
