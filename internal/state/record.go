package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/ldirectord/ldirectord/ipvs"
)

// A Dir is the directory of the locks, records and heartbeats of a host's daemons.
// Every user may read it.
type Dir string

// A Service is a virtual service that a daemon controls.
type Service struct {
	ipvs.Key
	ID        string // "tcp:10.0.0.1:80", as in logs
	CleanStop bool   // stop removes it from the table
}

// Name is the service in the notation of most log lines: "10.0.0.1:80", the mark
// "8".
func (s Service) Name() string {
	_, name, _ := strings.Cut(s.ID, ":")
	return name
}

// A Record describes a living daemon.
type Record struct {
	PID       int
	Started   uint64 // start time of the process, in clock ticks since the boot
	File      string // the configuration file, see Canonical
	PIDFile   string // "" is none
	Namespace uint64 // the network namespace whose table it controls, see Namespace
	Services  []Service
}

// A Daemon is a living daemon.
type Daemon struct {
	Record
	lock string // its lock file; "" for the original, or an older version
}

// Canonical is the unique name of a configuration file: absolute, with the symbolic
// links of its directory resolved. The file itself may be a link that changes while
// the daemon runs.
func Canonical(file string) string {
	path, err := filepath.Abs(file)
	if err != nil {
		return file
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		return filepath.Join(dir, filepath.Base(path))
	}
	return path
}

// SameFile reports whether two names refer to one file or directory.
func SameFile(a, b string) bool {
	if a == b || Canonical(a) == Canonical(b) {
		return true
	}
	statA, errA := os.Stat(a)
	statB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(statA, statB)
}

// longestName leaves room for the endings of files' names, of which 255 bytes are
// allowed.
const longestName = 200

// fileName converts a file's path into the name of a file.
func fileName(path string) string {
	name := strings.NewReplacer("%", "%25", "!", "%21", "/", "!").Replace(strings.TrimPrefix(path, "/"))
	if len(name) > longestName {
		name = fmt.Sprintf("%s%%%x", name[len(name)-longestName+40:], sum(path))
	}
	return name
}

// writeRecord replaces a file that every user may read and that need not survive a
// crash of the machine.
func writeRecord(path string, v any) error {
	text, err := json.MarshalIndent(v, "", "\t")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// readFile reads a JSON file.
func readFile(path string, v any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
