package report

import "time"

// A Reason is why a real server is in service or out of it, with the results of its
// last checks. Secrets are masked.
type Reason struct {
	Virtual      string       `json:"virtual"` // "tcp:10.0.0.1:80"
	Real         string       `json:"real"`
	State        State        `json:"state"`
	Since        time.Time    `json:"since,omitzero"` // of State
	Because      string       `json:"because"`
	Availability Availability `json:"availability"`
	Interval     Seconds      `json:"interval_seconds"` // from one check to the next, at present; 0 without checks
	Answers      []Answer     `json:"answers"`          // of its last checks, the newest first
}

// An Answer is the result of one check.
type Answer struct {
	Time     time.Time `json:"time"`
	Asked    string    `json:"asked"`
	Up       bool      `json:"up"`
	Local    bool      `json:"local,omitempty"` // the fault was on our side
	Text     string    `json:"text"`
	Attempts int       `json:"attempts"`
	Took     Seconds   `json:"took_seconds"`
	Sent     string    `json:"sent,omitempty"` // the beginnings; of failed checks
	Received string    `json:"received,omitempty"`
}
