package state

import (
	"encoding/json"
	"errors"
	"time"
)

// Damped is what outlives the daemon of a real server that flapdamping keeps out of service, or
// has kept out.
type Damped struct {
	Virtual string        `json:"virtual"` // "tcp:10.0.0.1:80"
	Real    string        `json:"real"`    // "10.1.0.1:80"
	Since   time.Time     `json:"since"`
	Until   time.Time     `json:"until,omitzero"` // zero: it is over
	Lasts   time.Duration `json:"lasts_nanoseconds"`
}

// longestDamped is more than any directive allows.
const longestDamped = 24 * time.Hour

// check returns why this program cannot have written d.
func (d Damped) check() error {
	if d.Virtual == "" || d.Real == "" || d.Since.IsZero() || d.Lasts <= 0 || d.Lasts > longestDamped || d.Until.Sub(d.Since) > longestDamped {
		return errors.New("it is no damped real server")
	}
	return nil
}

// ReadDamped reads the file of WriteDamped. It omits entries that this program cannot have
// written; bad has the reasons. The error means that the file is unreadable.
func ReadDamped(path string) (list []Damped, bad []error, err error) {
	return Entries(path, Damped.check)
}

// WriteDamped replaces the file at path with list.
func WriteDamped(path string, list []Damped) error {
	text, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return err
	}
	return Write(path, append(text, '\n'))
}
