// Package logfile writes the logs that users and their scripts read: ldirectord.log
// (or syslog, or the standard output), the monitor log with its "is gone" and "is
// back", and the monitorfiles. No method blocks its caller or stops the daemon: a
// full, missing or hanging disk costs lines, is reported once, and is retried
// with the next line.
package logfile

import (
	"fmt"
	"io"
	"maps"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/event"
)

// Options are the daemon's identity and the outputs of its log.
type Options struct {
	Name   string    // of the daemon, in each line
	Stdout io.Writer // for supervised daemons and dry runs
	Stderr io.Writer // for -d, and for reports about logs that cannot be written; nil is none
	Debug  bool      // -d: all lines go to Stderr, Debugf's too
	DryRun bool      // all lines go to Stdout, the monitor log's too; no file is touched
	Syslog string    // the socket of the syslog daemon; "" is /dev/log
}

// A Log receives a daemon's lines. Its methods may be called from any goroutine and
// do not block, except Close.
type Log struct {
	options Options
	sender  sender
	logger  *logrus.Logger
	out     atomic.Pointer[output] // of ldirectord.log or its replacement; mu is held for a change

	mu      sync.Mutex
	target  string            // the path or name of out
	monitor string            // path of the monitor log, "" is none
	files   map[string]*queue // monitor log and monitorfiles, by path
	closing sync.WaitGroup    // queues being closed

	monitorIsJSON atomic.Bool // queues read it on their goroutines, for which Close waits with mu

	complaining sync.Mutex // the queues write to Stderr one at a time
}

// New returns a Log that writes to the outputs in cfg. A nil cfg (no usable
// configuration) means the default log file.
func New(options Options, cfg *conf.Config) *Log {
	if options.Syslog == "" {
		options.Syslog = "/dev/log"
	}
	if options.Stderr == nil {
		options.Stderr = io.Discard
	}
	s := sender{name: options.Name, pid: os.Getpid(), host: hostName()}
	l := &Log{options: options, sender: s, logger: logrus.New(), files: map[string]*queue{}}
	l.logger.SetOutput(io.Discard)
	l.logger.SetFormatter(nothing{})
	l.logger.AddHook(hook{l})
	l.logger.SetLevel(logrus.InfoLevel)
	if options.Debug {
		l.logger.SetLevel(logrus.DebugLevel)
	}
	if cfg == nil {
		cfg = &conf.Config{Logs: conf.Logs{LogFile: DefaultPath}}
	}
	l.Use(cfg)
	return l
}

// DefaultPath is the log file when the configuration has no logfile.
const DefaultPath = "/var/log/ldirectord.log"

// Printf writes a line of ldirectord.log.
func (l *Log) Printf(format string, args ...any) { l.logger.Infof(format, args...) }

// Debugf writes a line that only -d shows.
func (l *Log) Debugf(format string, args ...any) { l.logger.Debugf(format, args...) }

// Event writes the event's lines: the one of ldirectord.log, the one of the
// monitor log, or none. It is a director's Sink.
func (l *Log) Event(e event.Event) {
	if text := e.String(); text != "" {
		l.logger.WithField(eventField, &e).Info(text)
	}
	line := monitorLine(e)
	if line == "" {
		return
	}
	toTerminal := l.options.Debug && l.options.DryRun // among the text of -d
	if l.monitorIsJSON.Load() && !toTerminal {
		line = monitorJSON(e, l.sender.host)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.options.DryRun:
		l.out.Load().queue.put([]byte(line))
	case l.monitor != "":
		l.file(l.monitor, l.monitorMissing).put([]byte(line))
	}
}

// Checked writes the check's line into its virtual service's monitorfile, if it
// has one. As in the original, checktype=on has no lines.
func (l *Log) Checked(c event.Checked) {
	if c.Virtual.MonitorFile == "" || c.Virtual.CheckType == conf.CheckOn || l.options.DryRun {
		return
	}
	line := checkedLine(l.sender.pid, c)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.file(c.Virtual.MonitorFile, l.checkedMissing).put([]byte(line))
}

// Use directs all later lines to the outputs in cfg; others are closed.
func (l *Log) Use(cfg *conf.Config) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.useMain(cfg)
	l.monitor = cfg.MonitorLog
	l.monitorIsJSON.Store(cfg.MonitorLogFormat == conf.LogJSON)
	named := map[string]bool{cfg.MonitorLog: true}
	for _, v := range cfg.Virtuals {
		named[v.MonitorFile] = true
	}
	maps.DeleteFunc(l.files, func(path string, q *queue) bool {
		if !named[path] {
			l.closing.Go(q.close) // may wait for a disk
		}
		return !named[path]
	})
}

// The values of target for streams. No syslog facility has such a name.
const (
	toStderr = "<stderr>"
	toStdout = "<stdout>"
)

// An output is a queue, and the form of its lines.
type output struct {
	queue  *queue
	format atomic.Pointer[format]
}

// useMain replaces the output behind the logger, or the form of its lines.
func (l *Log) useMain(cfg *conf.Config) {
	target := cfg.LogFile
	switch {
	case l.options.Debug:
		target = toStderr
	case l.options.DryRun || cfg.Supervised:
		target = toStdout
	}
	sink, form := l.outputOf(target, cfg.LogFormat)
	old := l.out.Load()
	if old != nil && target == l.target {
		old.format.Store(&form)
		return
	}
	l.target = target
	o := &output{}
	o.format.Store(&form)
	o.queue = newQueue(sink, func(n uint64, why error) []byte {
		return []byte(o.line(record{time: time.Now(), text: fmt.Sprintf(linesMissing, n, why)}))
	}, l.complain)
	l.out.Store(o)
	if old != nil {
		l.closing.Go(old.queue.close)
	}
}

// outputOf is the sink of a target, and the form of its lines. What -d shows is for eyes.
func (l *Log) outputOf(target string, f conf.LogFormat) (sink, format) {
	s, inJSON := l.sender, f == conf.LogJSON
	json := func(r record) string { return jsonLine(s, r) }
	switch {
	case target == toStderr:
		return stream{l.options.Stderr}, attachedLine
	case target == toStdout && inJSON:
		return stream{l.options.Stdout}, json
	case target == toStdout:
		return stream{l.options.Stdout}, streamLine
	case strings.HasPrefix(target, "/") && inJSON:
		return &file{path: target}, json
	case strings.HasPrefix(target, "/"):
		return &file{path: target}, func(r record) string { return fileLine(s, r) }
	}
	p := priority(target, severityInfo)
	if inJSON {
		return &datagrams{socket: l.options.Syslog}, func(r record) string { return structuredLine(s, p, r) }
	}
	return &datagrams{socket: l.options.Syslog}, func(r record) string { return syslogLine(s, p, r) }
}

func (o *output) line(r record) string { return (*o.format.Load())(r) }

// Reopen reopens all files, as after a rotation.
func (l *Log) Reopen() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.out.Load().queue.reopen()
	for _, q := range l.files {
		q.reopen()
	}
}

// Close writes the queued lines and closes all outputs. It takes a few seconds at
// most, even if an output hangs. No method may be called after it.
func (l *Log) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, q := range l.files {
		l.closing.Go(q.close)
	}
	l.closing.Go(l.out.Load().queue.close)
	l.closing.Wait()
}

// file is the queue of a path, created at its first use. l.mu is held.
func (l *Log) file(path string, missing func(uint64, error) []byte) *queue {
	q := l.files[path]
	if q == nil {
		q = newQueue(&file{path: path}, missing, l.complain)
		l.files[path] = q
	}
	return q
}

func (l *Log) monitorMissing(n uint64, why error) []byte {
	r := record{time: time.Now(), text: fmt.Sprintf(linesMissing, n, why)}
	if l.monitorIsJSON.Load() {
		return []byte(jsonLine(l.sender, r))
	}
	return fmt.Appendf(nil, "%s, %s\n", r.time.Format(monitorLayout), r.text)
}

func (l *Log) checkedMissing(n uint64, why error) []byte {
	return fmt.Appendf(nil, "[%s] [%d] "+linesMissing+"\n", time.Now().Format(time.ANSIC), l.sender.pid, n, why)
}

// complain reports, outside the log, that a log cannot be written. Queues call it,
// on goroutines that may block.
func (l *Log) complain(err error) {
	text := "ldirectord: " + err.Error()
	l.complaining.Lock()
	defer l.complaining.Unlock()
	fmt.Fprintln(l.options.Stderr, oneLine(text))
	d := datagrams{socket: l.options.Syslog}
	defer d.close()
	// Without syslog too, no output is left.
	_ = d.send([]byte(syslogLine(l.sender, priority("daemon", severityErr), record{time: time.Now(), text: err.Error()})))
}

// eventField is the field of a logrus entry with its event.
const eventField = "event"

// A hook passes each entry of the logger to the output.
type hook struct{ log *Log }

// Levels implements logrus.Hook.
func (hook) Levels() []logrus.Level { return logrus.AllLevels }

// Fire implements logrus.Hook.
func (h hook) Fire(e *logrus.Entry) error {
	o := h.log.out.Load()
	if e.Level == logrus.DebugLevel {
		o.queue.put([]byte(debugLine(e.Message)))
		return nil
	}
	r := record{time: e.Time, text: e.Message}
	r.event, _ = e.Data[eventField].(*event.Event)
	o.queue.put([]byte(o.line(r)))
	return nil
}

// nothing is the formatter of a logger that writes by its hook.
type nothing struct{}

// Format implements logrus.Formatter.
func (nothing) Format(*logrus.Entry) ([]byte, error) { return nil, nil }
