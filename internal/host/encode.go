package host

import (
	"encoding/json"
	"fmt"
)

// kinds are the steps that a state file may contain.
var kinds = map[string]func() Step{
	"sysctl":  func() Step { return new(Sysctl) },
	"address": func() Step { return new(Address) },
	"route":   func() Step { return new(Route) },
	"device":  func() Step { return new(Device) },
	"rule":    func() Step { return new(Rule) },
	"chain":   func() Step { return new(Chain) },
}

// kindOf is the name of a step's kind.
func kindOf(s Step) string {
	switch s.(type) {
	case *Sysctl:
		return "sysctl"
	case *Address:
		return "address"
	case *Route:
		return "route"
	case *Device:
		return "device"
	case *Rule:
		return "rule"
	case *Chain:
		return "chain"
	}
	return ""
}

// A record is a done in the form of the file.
type record struct {
	Kind string          `json:"kind"`
	Step json.RawMessage `json:"step"`
	Was  string          `json:"was,omitempty"`
	For  []string        `json:"for"`
}

// MarshalJSON implements json.Marshaler.
func (d *done) MarshalJSON() ([]byte, error) {
	step, err := json.Marshal(d.Step)
	if err != nil {
		return nil, err
	}
	return json.Marshal(record{kindOf(d.Step), step, d.Was, d.For})
}

// UnmarshalJSON implements json.Unmarshaler.
func (d *done) UnmarshalJSON(text []byte) error {
	var r record
	if err := json.Unmarshal(text, &r); err != nil {
		return err
	}
	empty, ok := kinds[r.Kind]
	if !ok {
		return fmt.Errorf("unknown step %q", r.Kind)
	}
	step := empty()
	if err := json.Unmarshal(r.Step, step); err != nil {
		return err
	}
	*d = done{Step: step, Was: r.Was, For: r.For}
	return nil
}
