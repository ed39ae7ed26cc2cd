// Package logfile writes the logs that users and their scripts read: ldirectord.log
// (or syslog, or the standard output), the monitor log with its "is gone" and "is
// back", and the monitorfiles. No method blocks its caller or stops the daemon: a
// disk that is full, gone or hanging costs lines, is reported once, and is retried
// with the next line.
package logfile

import (
	"fmt"
	"io"
	"maps"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/event"
)

// Options are the daemon's identity and the outputs of its log.
type Options struct {
	Name   string    // of the daemon, in each line
	Stdout io.Writer // for supervised daemons and dry runs
	Stderr io.Writer // for -d, and for reports about logs that cannot be written
	Debug  bool      // -d: all lines go to Stderr, Debugf's too
	DryRun bool      // all lines go to Stdout, the monitor log's too; no file is touched
	Syslog string    // the socket of the syslog daemon; "" is /dev/log
}

// A Log receives a daemon's lines. Its methods may be called from any goroutine and
// do not block, except Close.
type Log struct {
	options Options
	pid     int
	logger  *logrus.Logger

	mu      sync.Mutex
	target  string            // the path or name of main's output
	main    *queue            // of ldirectord.log or its replacement
	monitor string            // path of the monitor log, "" is none
	files   map[string]*queue // monitor log and monitorfiles, by path
	closing sync.WaitGroup    // queues being closed

	complaining sync.Mutex // the queues write to Stderr one at a time
}

// New returns a Log that writes to the outputs in cfg. A nil cfg (no usable
// configuration) means the default log file.
func New(options Options, cfg *conf.Config) *Log {
	if options.Syslog == "" {
		options.Syslog = "/dev/log"
	}
	l := &Log{options: options, pid: os.Getpid(), logger: logrus.New(), files: map[string]*queue{}}
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
		l.Printf("%s", text)
	}
	line := monitorLine(e)
	if line == "" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.options.DryRun:
		l.main.put([]byte(line))
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
	line := checkedLine(l.pid, c)
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

// useMain replaces the queue behind the logger.
func (l *Log) useMain(cfg *conf.Config) {
	target := cfg.LogFile
	switch {
	case l.options.Debug:
		target = toStderr
	case l.options.DryRun || cfg.Supervised:
		target = toStdout
	}
	if l.main != nil && target == l.target {
		return
	}
	if l.main != nil {
		l.closing.Go(l.main.close)
	}
	l.target = target
	l.logger.ReplaceHooks(logrus.LevelHooks{})
	switch {
	case target == toStderr:
		l.toQueue(stream{l.options.Stderr}, attachedLine)
	case target == toStdout:
		l.toQueue(stream{l.options.Stdout}, streamLine)
	case strings.HasPrefix(target, "/"):
		l.toQueue(&file{path: target}, func(t time.Time, text string) string {
			return fileLine(t, l.options.Name, l.pid, text)
		})
	default:
		l.toSyslog(target)
	}
}

// toQueue directs the logger's formatted lines to a queue in front of s.
func (l *Log) toQueue(s sink, format func(time.Time, string) string) {
	l.main = newQueue(s, func(n uint64, why error) []byte {
		return []byte(format(time.Now(), fmt.Sprintf(linesMissing, n, why)))
	}, l.complain)
	l.logger.SetFormatter(formatter(format))
	l.logger.SetOutput(l.main)
}

// toSyslog directs the logger's lines to the syslog daemon.
func (l *Log) toSyslog(facility string) {
	p := priority(facility, severityInfo)
	l.main = newQueue(&datagrams{socket: l.options.Syslog}, func(n uint64, why error) []byte {
		return []byte(syslogLine(time.Now(), p, l.pid, fmt.Sprintf(linesMissing, n, why)))
	}, l.complain)
	l.logger.SetOutput(io.Discard)
	l.logger.AddHook(syslogHook{queue: l.main, priority: p, pid: l.pid})
}

// Reopen reopens all files, as after a rotation.
func (l *Log) Reopen() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.main.reopen()
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
	l.closing.Go(l.main.close)
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
	return fmt.Appendf(nil, "%s, "+linesMissing+"\n", time.Now().Format(monitorLayout), n, why)
}

func (l *Log) checkedMissing(n uint64, why error) []byte {
	return fmt.Appendf(nil, "[%s] [%d] "+linesMissing+"\n", time.Now().Format(time.ANSIC), l.pid, n, why)
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
	_ = d.send([]byte(syslogLine(time.Now(), priority("daemon", severityErr), l.pid, err.Error())))
}

// A formatter makes logrus write lines in the original's format.
type formatter func(time.Time, string) string

// Format implements logrus.Formatter.
func (f formatter) Format(e *logrus.Entry) ([]byte, error) {
	if e.Level == logrus.DebugLevel {
		return []byte(debugLine(e.Message)), nil
	}
	return []byte(f(e.Time, e.Message)), nil
}
