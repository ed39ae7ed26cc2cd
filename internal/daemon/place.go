package daemon

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/names"
	"github.com/ldirectord/ldirectord/internal/rights"
)

// settleIn makes / the working directory, as the original does, so that a daemon
// keeps no file system busy. Names relative to the directory of the start keep their
// meaning.
func (p *process) settleIn() error {
	dir, err := os.Getwd()
	if err != nil {
		dir = "/" // it was removed
	}
	p.startDir = dir
	if p.Path, err = filepath.Abs(p.Path); err != nil {
		return err
	}
	p.Config, p.Sources = absoluteNames(p.Config, dir), p.Sources.In(dir)
	if p.ChangeDir == nil {
		return nil
	}
	return p.ChangeDir("/")
}

// A source is the configuration file of a daemon that has settled in, which may include
// others.
type source struct {
	path    string       // absolute
	dir     string       // to which the names in the file are relative
	options conf.Options // TryOpen is not nil
	names   *names.Book  // the addresses of names; nil is the machine's resolver alone
}

// parse reads the content of the files, with the addresses of names that hosts has. A nil
// hosts has none.
func (f source) parse(sources *conf.Sources, hosts *names.Reading) (*conf.Config, error) {
	cfg, err := sources.Parse(hosts.Into(inDir(f.options, f.dir)))
	if err != nil {
		return nil, err
	}
	return absoluteNames(cfg, f.dir), nil
}

// absoluteNames makes the names of files in cfg absolute that are relative to dir. The
// lines that a shell runs stay as they are. cfg is changed and was not yet used.
func absoluteNames(cfg *conf.Config, dir string) *conf.Config {
	name := func(path *string) {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(dir, *path)
		}
	}
	program := func(path *string) {
		if strings.Contains(*path, "/") { // else it is looked for in PATH
			name(path)
		}
	}
	program((*string)(&cfg.Callback))
	for _, path := range []*string{&cfg.MaintenanceDir, &cfg.MonitorLog, &cfg.StatusToken} {
		name(path)
	}
	for i, file := range cfg.Execute {
		if path, err := conf.Search(file); err != nil || !filepath.IsAbs(path) { // else it is in /etc/ha.d
			name(&cfg.Execute[i])
		}
	}
	for _, v := range cfg.EachCheck() {
		if v.CheckType == conf.CheckExternalPerl {
			name((*string)(&v.CheckCommand))
		}
		program((*string)(&v.CheckCommand))
		for _, path := range []*string{&v.MonitorFile, &v.SSLCAFile, &v.SSLCert, &v.SSLKey} {
			name(path)
		}
	}
	return cfg
}

// inDir are options that look for files named in a configuration in dir. o.TryOpen is not
// nil.
func inDir(o conf.Options, dir string) conf.Options {
	place := func(path string) string {
		if filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(dir, path)
	}
	try := o.TryOpen
	o.TryOpen = func(path string) error { return try(place(path)) }
	o.IsDir = func(path string) bool {
		info, err := os.Stat(place(path))
		return err == nil && info.IsDir()
	}
	return o
}

// TryLog opens a log file as the original does when it reads a configuration, but
// follows no link of others and does not wait for the reader of a FIFO.
func TryLog(path string) error {
	file, err := rights.Append(path)
	if err != nil {
		return err
	}
	return file.Close()
}
