package logfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/report"
)

// A record is a line of the log before it has a form.
type record struct {
	time  time.Time
	text  string
	event *event.Event // nil for a line that is no event's
}

// A format is the form of the records in one output.
type format func(record) string

// A sender is what all lines of a daemon share.
type sender struct {
	name string // of the daemon: its configuration file
	pid  int
	host string
}

// fields are the parts of a record for programs.
type fields struct {
	Time    time.Time    `json:"time"`
	Config  string       `json:"config"` // the name of the configuration file
	PID     int          `json:"pid"`
	Text    string       `json:"text"` // the line as the original has it
	Kind    string       `json:"kind,omitempty"`
	Virtual string       `json:"virtual,omitempty"`
	Real    string       `json:"real,omitempty"`
	Weight  *int         `json:"weight,omitempty"`
	Service string       `json:"service,omitempty"`
	Reason  string       `json:"reason,omitempty"`
	Cause   *event.Cause `json:"cause,omitempty"`
}

// weighted are the kinds of events whose line has a weight.
var weighted = map[event.Kind]bool{
	event.RealAdded: true, event.RealRestored: true, event.RealQuiesced: true, event.RealReaddQuiesced: true, event.FallbackAdded: true,
}

// fieldsOf are the fields of a record of a daemon.
func fieldsOf(s sender, r record) fields {
	f := fields{Time: r.time, Config: s.name, PID: s.pid, Text: oneLine(r.text)}
	e := r.event
	if e == nil {
		return f
	}
	f.Kind, f.Virtual, f.Real, f.Reason, f.Cause = e.Kind.String(), e.ID, e.R, oneLine(e.Reason), safeCause(e.Cause)
	if weighted[e.Kind] {
		f.Weight = &e.Weight
	}
	if e.Virtual != nil {
		f.Service = oneLine(e.Virtual.ServiceName)
	}
	return f
}

// safeCause is a cause whose words fit into one line.
func safeCause(c *event.Cause) *event.Cause {
	if c == nil {
		return nil
	}
	safe := *c
	safe.Detail = oneLine(c.Detail)
	return &safe
}

// jsonLine is a line of ldirectord.log with logformat = json.
func jsonLine(s sender, r record) string { return encoded(fieldsOf(s, r)) }

// monitorJSON is a line of the monitor log with monitorlogformat = json: the same as a
// notifycommand gets.
func monitorJSON(e event.Event, host string) string {
	m := report.MessageOf(e, host)
	m.Text, m.Cause = oneLine(m.Text), safeCause(m.Cause)
	return encoded(m)
}

// encoded is a value as a line of JSON. Of the values here none fails.
func encoded(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return ""
	}
	return b.String()
}

// structuredID is the name of the structured data. The number is the one for examples
// (RFC 5612): the project has none of its own.
const structuredID = "ldirectord@32473"

const structuredLayout = "2006-01-02T15:04:05.000000Z07:00"

// structuredLine is the message to the syslog daemon with logformat = json: RFC 5424,
// with the fields as structured data and the text as ever.
func structuredLine(s sender, priority int, r record) string {
	f := fieldsOf(s, r)
	var b strings.Builder
	fmt.Fprintf(&b, "<%d>1 %s %s ldirectord %d %s [%s", priority, f.Time.Format(structuredLayout),
		header(s.host, 255), f.PID, header(strings.ReplaceAll(f.Kind, " ", "-"), 32), structuredID)
	param := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, ` %s="%s"`, name, paramEscapes.Replace(strings.ToValidUTF8(oneLine(value), "\ufffd")))
		}
	}
	param("config", f.Config)
	param("kind", f.Kind)
	param("virtual", f.Virtual)
	param("real", f.Real)
	if f.Weight != nil {
		param("weight", strconv.Itoa(*f.Weight))
	}
	param("service", f.Service)
	param("reason", f.Reason)
	b.WriteString("] " + f.Text)
	return b.String()
}

// paramEscapes are the characters that end a parameter's value (RFC 5424, section 6.3.3).
var paramEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `]`, `\]`)

// header is a field of the header: ASCII that can be seen, "-" for none.
func header(text string, longest int) string {
	text = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, text)
	if text == "" {
		return "-"
	}
	return text[:min(len(text), longest)]
}

// hostName is the node's name, "" if the system has none.
func hostName() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
}
