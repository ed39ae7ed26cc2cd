package announce

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
)

// faults are those that last. Each is logged when it comes, and again each minute.
type faults struct {
	mu     sync.Mutex
	listed []*lastingFault
}

type lastingFault struct {
	report.Fault
	logged time.Time
}

// set notes a fault, and logs it if that is due.
func (f *faults) set(log func(string, ...any), what, format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	i := slices.IndexFunc(f.listed, func(l *lastingFault) bool { return l.What == what })
	if i < 0 {
		i, f.listed = len(f.listed), append(f.listed, &lastingFault{Fault: report.Fault{What: what, Since: now, Logged: true}})
	}
	l := f.listed[i]
	l.Error = fmt.Sprintf(format, args...)
	if l.logged.IsZero() || now.Sub(l.logged) >= repeatTime {
		l.logged = now
		log(format, args...)
	}
}

// clear ends a fault.
func (f *faults) clear(log func(string, ...any), what string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	before := len(f.listed)
	f.listed = slices.DeleteFunc(f.listed, func(l *lastingFault) bool { return l.What == what })
	if len(f.listed) < before {
		log(lineWorks, what)
	}
}

// drop ends a fault that has lost its object, without a line.
func (f *faults) drop(what string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.listed = slices.DeleteFunc(f.listed, func(l *lastingFault) bool { return l.What == what })
}

func (f *faults) list() (list []report.Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, l := range f.listed {
		list = append(list, l.Fault)
	}
	return list
}
