package state

import (
	"encoding/json"
	"errors"
	"time"
)

// Gone is what outlives the daemon of a real server that its checks have taken out of service, with
// quiescenttime or return = byhand.
type Gone struct {
	Virtual string    `json:"virtual"`             // "tcp:10.0.0.1:80"
	Real    string    `json:"real"`                // "10.1.0.1:80"
	Host    string    `json:"host,omitempty"`      // the name in the file that the wait follows to another address, "" is none
	Dead    time.Time `json:"dead_since,omitzero"` // since when it has weight 0 for quiescenttime
	Waits   time.Time `json:"waits_since,omitzero"`
}

// check returns why this program cannot have written g.
func (g Gone) check() error {
	if g.Virtual == "" || g.Real == "" || g.Dead.IsZero() && g.Waits.IsZero() {
		return errors.New("it is no real server that has left")
	}
	return nil
}

// ReadGone reads the file of WriteGone. It omits entries that this program cannot have written; bad has
// the reasons. The error means that the file is unreadable.
func ReadGone(path string) (list []Gone, bad []error, err error) {
	return Entries(path, Gone.check)
}

// WriteGone replaces the file at path with list.
func WriteGone(path string, list []Gone) error {
	text, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return err
	}
	return Write(path, append(text, '\n'))
}
