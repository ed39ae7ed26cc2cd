package cli

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/ldirectord/ldirectord/conf"
)

// closedLogs are the logs that a normal user may not write: for the daemon of root they are no
// mistake.
type closedLogs struct {
	user int
	logs map[string]error // by path
}

func logsClosedTo(user int) *closedLogs { return &closedLogs{user, map[string]error{}} }

// tryOpen is the option of the same name, with try for what is no matter of rights.
func (c *closedLogs) tryOpen(try func(path string) error) func(path string) error {
	return func(path string) error {
		err := try(path)
		if c.user == 0 || !errors.Is(err, fs.ErrPermission) {
			return err
		}
		c.logs[path] = err
		return nil
	}
}

// problems are warnings about the logs of a configuration.
func (c *closedLogs) problems(sources *conf.Sources, cfg *conf.Config) conf.Problems {
	if cfg == nil {
		return nil
	}
	l := fileList{sources: sources, seen: map[string]bool{}}
	warn := func(v *conf.VirtualService, directive, path string) {
		if err := c.logs[path]; err != nil {
			code, text, cure := notWritten(directive, err, c.user)
			l.warn(v, directive, code, text, cure)
		}
	}
	warn(nil, "logfile", cfg.LogFile)
	for _, v := range cfg.Virtuals {
		warn(v, "monitorfile", v.MonitorFile)
	}
	return l.problems
}

// notWritten words the error of a try to write a log. What another user than root may not do,
// root's daemon may.
func notWritten(log string, err error, user int) (code conf.Code, text, cure string) {
	if user != 0 && errors.Is(err, fs.ErrPermission) {
		return conf.CodeNeedsRoot, fmt.Sprintf("the %s cannot be written by user %d: %v", log, user, err), "the daemon of root can: check as root to be sure"
	}
	return conf.CodeLogUnwritable, fmt.Sprintf("the %s cannot be written: %v", log, err), ""
}
