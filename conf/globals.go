package conf

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ldirectord/ldirectord/internal/secret"
)

// readCallback is callback = "/path": runs when the file has changed.
func readCallback(_ *location, value string) (secret.Command, error) {
	return secret.Command(value), nil
}

// readEmailAlertFrom is emailalertfrom = ADDRESS: the sender of mails, in the
// notation of their header.
func readEmailAlertFrom(_ *location, value string) (string, error) {
	if value == "" {
		return "", errors.New("no email from address specified")
	}
	return bareAddresses(value), nil
}

// readLogFile is logfile = "/path" or logfile = "facility". Reading a path opens
// it, but, as in the original, not after supervised = yes: then the log is the
// standard output.
func readLogFile(at *location, value string) (string, error) {
	if !at.config.Supervised && strings.HasPrefix(value, "/") {
		if err := at.opts.TryOpen(value); err != nil {
			return "", because(CodeFileUnreadable, err, "unable to open logfile: "+value)
		}
	}
	if !strings.HasPrefix(value, "/") && !at.opts.KnownFacility(value) {
		at.advise(at.line, CodeUnknownFacility, fmt.Sprintf("%q does not begin with /: it is taken as a syslog facility, and there is none of that name", value),
			"an absolute path, or a facility such as local0; what goes to no facility goes to daemon")
	}
	return value, nil
}

// readMaintenanceDir is maintenancedir = /path: a file in it takes the real server
// of its name out of service.
func readMaintenanceDir(at *location, value string) (string, error) {
	if value == "" {
		return "", errors.New("maintenance directory not specified")
	}
	if !at.opts.IsDir(value) {
		at.warn(at.line, CodeMaintenanceDir, "maintenance directory does not exist")
	}
	return value, nil
}

// readMonitorLog is monitorlog = /path or none: the "is gone" / "is back" log.
func readMonitorLog(_ *location, value string) (string, error) {
	path := bareText(value)
	switch {
	case path == "":
		return "", errors.New("monitorlog must be a path or none")
	case path == "none":
		path = ""
	}
	return path, nil
}

// supervised is supervised = yes|no: stay in the foreground, log to stdout. The
// word alone means yes, with a warning.
var supervised = kind[bool]{value: yesNo.value, hint: yesNo.hint, read: func(at *location, value string) (bool, error) {
	if value == "" && !at.equals {
		at.warn(at.line, CodeDeprecated, "please update your config not to use a bare supervised directive")
		value = "yes"
	}
	return yesNo.read(at, value)
}}

// gone is a directive that the original removed before the first release with a
// manual.
func gone(text string) binding {
	return by("", func(*location, string) error { return coded(CodeRemovedDirective, text) })
}
