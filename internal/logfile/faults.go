package logfile

import (
	"maps"
	"slices"

	"github.com/ldirectord/ldirectord/internal/report"
)

// Faults are the logs whose last write failed. It also starts another try.
func (l *Log) Faults() []report.Fault {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []report.Fault
	add := func(target string, q *queue) {
		if err := q.broken(); err != nil {
			list = append(list, report.Fault{What: "the log " + target + " cannot be written", Error: err.Error()})
			q.retry()
		}
	}
	add(l.target, l.out.Load().queue)
	for _, path := range slices.Sorted(maps.Keys(l.files)) {
		add(path, l.files[path])
	}
	return list
}
