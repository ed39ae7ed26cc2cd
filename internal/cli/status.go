package cli

import (
	"fmt"
	"io"
	"slices"

	"github.com/spf13/pflag"

	"github.com/ldirectord/ldirectord/internal/daemon"
	"github.com/ldirectord/ldirectord/internal/logfile"
)

// statusCommand reports whether the daemon runs and works.
func statusCommand(flags *pflag.FlagSet) action {
	asJSON := flags.Bool("json", false, jsonHelp)
	return func(s *session, _ []string) error {
		s.asJSON = *asJSON
		return answerJSON(s, *asJSON, s.status())
	}
}

func (s *session) status() error {
	if err := s.prepareAnyway(); err != nil {
		return err
	}
	d, err := daemonStatus(s)
	if s.asJSON {
		d.Config = s.Path
		if err := printJSON(s.Stdout, d); err != nil {
			return err
		}
	}
	return err
}

// daemonStatus reports whether the daemon runs and works, to the user and the log.
func daemonStatus(s *session) (statusDocument, error) {
	say := func(to io.Writer, text string) {
		if !s.asJSON { // whose document has the place of the lines
			fmt.Fprintln(to, text)
		}
	}
	leaving := fmt.Sprintf(logfile.ExitingCommand, s.inv.command.name)
	if d, ok := s.Running(); ok {
		text := fmt.Sprintf(logfile.IsRunning, s.Path, d.PID)
		if err := d.Working(); err != nil {
			s.log.Printf("%s", err)
			say(s.Stderr, err.Error())
			return statusDocument{State: stateHanging, PID: d.PID, Message: err.Error()}, &daemon.Exit{Status: exitFailed, Log: leaving}
		}
		say(s.Stderr, text)
		s.log.Printf("%s", text)
		s.log.Printf("%s", leaving)
		return statusDocument{State: stateRunning, PID: d.PID, Message: text}, nil
	}
	stopped := statusDocument{State: stateStopped, Message: fmt.Sprintf(logfile.IsStopped, s.Path)}
	status := exitStopped
	files := s.PIDFiles()
	if left := slices.IndexFunc(files, exists); left >= 0 {
		if err := s.PIDFileOfOther(files[left]); err != nil {
			say(s.Stderr, err.Error())
			s.log.Printf("%s", err)
		} else {
			text := fmt.Sprintf(logfile.StalePIDFile, files[left], s.Path)
			say(s.Stderr, text)
			s.log.Printf("%s", text)
			stopped.State, stopped.PIDFile, stopped.Message, status = stateStale, files[left], text, exitFailed
		}
	}
	say(s.Stdout, fmt.Sprintf(logfile.IsStopped, s.Path))
	return stopped, &daemon.Exit{Status: status, Log: leaving}
}
