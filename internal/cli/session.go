package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/daemon"
	"github.com/ldirectord/ldirectord/internal/logfile"
	"github.com/ldirectord/ldirectord/internal/rights"
)

// A session is one run of one command.
type session struct {
	Env
	daemon.Instance
	inv     invocation
	cfg     *conf.Config  // nil if it cannot be used
	sources *conf.Sources // from which cfg was made
	log     *logfile.Log  // nil before the first line
	parent  *daemon.Parent

	asJSON    bool // standard output is for one document, and not for the log
	jsonLines bool // each document has one line
}

// options are the arguments of the commands that start, end or plan a daemon.
func (s *session) options() daemon.Options {
	return daemon.Options{
		Instance: s.Instance, Version: s.Version, Config: s.cfg, Sources: s.sources, Log: s.log,
		Debug: s.inv.debug, DryRun: s.inv.dryRun,
		Signals: s.Signals, ChangeDir: s.ChangeDir, OpenTable: s.OpenTable,
	}
}

// finish reports why a command failed, to the user, the log and the parent, and returns
// the exit status.
func (s *session) finish(err error) int {
	status := exitOK
	if err != nil {
		status = s.blame(err)
	}
	if s.log != nil {
		s.log.Close()
	}
	s.parent.Tell(err)
	return status
}

func (s *session) blame(err error) int {
	why, ok := errors.AsType[*daemon.Exit](err)
	if !ok {
		why = &daemon.Exit{Status: exitFailed, Text: err.Error()}
	}
	if why.Text != "" {
		fmt.Fprintln(s.Stderr, why.Text)
	}
	if why.Log != "" {
		s.openLog()
		s.log.Printf(logfile.Exiting, why.Status, why.Log)
	}
	return why.Status
}

// openLog opens the log of the configuration, or the usual one without a configuration.
func (s *session) openLog() {
	if s.log != nil {
		return
	}
	cfg := s.cfg
	if cfg == nil {
		cfg = &conf.Config{Logs: conf.Logs{LogFile: s.Dirs.DefaultLog()}}
	}
	if s.inv.is("status") && filepath.IsAbs(cfg.LogFile) && errors.Is(rights.CanAppend(cfg.LogFile), fs.ErrPermission) {
		cfg = &conf.Config{Logs: conf.Logs{LogFile: os.DevNull}}
	}
	out := unwrapped(s.Stdout) // the log reports its errors itself
	if s.asJSON {
		out = unwrapped(s.Stderr)
	}
	s.log = logfile.New(logfile.Options{
		Name: s.Name, Stdout: out, Stderr: unwrapped(s.Stderr), Debug: s.inv.debug, DryRun: s.inv.dryRun,
	}, cfg)
}

// prepare finds and reads the configuration file, for a command that needs one without
// mistakes, and opens the log.
func (s *session) prepare() error {
	if err := s.find(); err != nil {
		return &daemon.Exit{Status: exitFailed, Text: err.Error(), Cause: err}
	}
	if err := s.load(); err != nil {
		return &daemon.Exit{Status: exitConfig, Text: diagnosis(err), Log: logfile.ExitConfig}
	}
	s.begin()
	return nil
}

// prepareAnyway is prepare for a command that works without a configuration: a daemon can
// be stopped when its file is missing or has a mistake. (The original cannot.)
func (s *session) prepareAnyway() error {
	if err := s.find(); err != nil {
		if _, ok := s.Running(); !ok {
			return &daemon.Exit{Status: exitFailed, Text: err.Error(), Cause: err}
		}
	}
	if err := s.load(); err != nil {
		fmt.Fprintln(s.Stderr, diagnosis(err))
	}
	s.begin()
	return nil
}

// find searches for the configuration file.
func (s *session) find() error {
	path, err := conf.Search(s.inv.config)
	if err != nil {
		s.Path = s.inv.config
		return err
	}
	s.Path, s.Found = path, true
	return nil
}

// statusLog is the test of a log file for status, which works without the right to write
// the log.
func statusLog(path string) error {
	if err := daemon.TryLog(path); !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return nil
}

// load reads the configuration file and prints its warnings.
func (s *session) load() error {
	options := s.Dirs.ConfigOptions()
	switch {
	case s.inv.dryRun:
		options = daemon.Harmless(options)
	case s.inv.is("status"):
		options.TryOpen = statusLog
	}
	sources, err := conf.Read(s.Path)
	if err != nil {
		return err
	}
	cfg, err := sources.Parse(options)
	if err != nil {
		return err
	}
	s.cfg, s.sources = cfg, sources
	if s.parent != nil {
		return nil // the parent has printed them
	}
	for _, line := range daemon.Diagnosed(cfg.Warnings) {
		fmt.Fprintln(s.Stderr, plainText(line))
	}
	return nil
}

// begin opens the log and writes the first line of a command.
func (s *session) begin() {
	s.openLog()
	if s.parent == nil {
		s.log.Printf(logfile.Invoked, s.invokedAs())
	}
}

// invokedAs is the command line without options, as it is logged.
func (s *session) invokedAs() string {
	return strings.Join(append([]string{s.Args[0]}, s.inv.words...), " ")
}
