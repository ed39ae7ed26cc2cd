package host

import (
	"fmt"
	"strings"
)

// A Severity is how much a finding matters.
type Severity uint8

// The severities, from information to faults that break the cluster.
const (
	Note Severity = iota
	Warning
	Error
)

// String is "note", "warning" or "error".
func (s Severity) String() string {
	switch s {
	case Note:
		return "note"
	case Warning:
		return "warning"
	}
	return "error"
}

// MarshalText implements encoding.TextMarshaler.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// A Finding is one fault, or possible fault, of a host.
type Finding struct {
	Code     Code     `json:"code"`
	Severity Severity `json:"severity"`
	What     string   `json:"what"`           // is so
	Why      string   `json:"why"`            // it matters
	Cure     string   `json:"cure,omitempty"` // a command that mends it, or what else does
}

// String is the finding in a line, with one for each of its reason and its cure.
func (f Finding) String() string {
	text := fmt.Sprintf("%-8s %s [%s]", f.Severity, f.What, f.Code)
	if f.Why != "" {
		text += "\n         " + f.Why
	}
	if f.Cure != "" {
		text += "\n         cure: " + f.Cure
	}
	return text
}

// Worst is the highest severity of findings, Note if there are none.
func Worst(findings []Finding) Severity {
	worst := Note
	for _, f := range findings {
		worst = max(worst, f.Severity)
	}
	return worst
}

// A chart collects findings.
type chart struct{ findings []Finding }

func (c *chart) add(code Code, s Severity, what, why, cure string) {
	c.findings = append(c.findings, Finding{code, s, what, why, strings.TrimSpace(cure)})
}
