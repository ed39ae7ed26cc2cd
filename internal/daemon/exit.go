package daemon

import (
	"strings"

	"github.com/ldirectord/ldirectord/internal/logfile"
)

// The exit statuses that a daemon has, as the original's.
const (
	ExitOK     = 0
	ExitFailed = 1 // it could not start, or does not run
)

// An Exit is an error with the program's exit status. Empty texts are not written.
type Exit struct {
	Status int
	Text   string // for the user, on standard error
	Log    string // for ldirectord.log, see logfile.Exiting
	Cause  error  // nil if Text is all there is
}

// Error implements error.
func (e *Exit) Error() string { return e.Text }

// Unwrap returns the cause.
func (e *Exit) Unwrap() error { return e.Cause }

// initError is the exit of a daemon that cannot start. The log has the reason, too: a
// supervisor may keep standard error elsewhere.
func initError(err error) error {
	why := strings.ReplaceAll(err.Error(), "\n", "; ")
	return &Exit{Status: ExitFailed, Text: err.Error(), Log: logfile.ExitInit + ": " + why, Cause: err}
}
