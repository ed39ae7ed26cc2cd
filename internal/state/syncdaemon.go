package state

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ldirectord/ldirectord/ipvs"
)

// started is the stored list of the sync daemons that one daemon has started.
type started struct {
	File      string
	Boot      string // of the kernel whose daemons they are
	Namespace uint64
	Daemons   []ipvs.SyncDaemon
}

const startedEnding = ".sync.json"

// RecallSync returns the sync daemons that earlier daemons of this configuration file, under
// any name, have started in this kernel and network namespace, and have not stopped.
func (m Memory) RecallSync(file string) (all []ipvs.SyncDaemon, failed error) {
	for _, path := range m.startedFiles() {
		var s started
		if err := readFile(path, &s); err != nil {
			if path == m.startedFile(file) {
				failed = err
			}
			continue
		}
		if SameFile(s.File, file) && s.Boot == boot() && s.Namespace == Namespace() {
			all = append(all, s.Daemons...)
		}
	}
	return all, failed
}

// RememberSync stores the sync daemons that are ours. It is called before one is started.
func (m Memory) RememberSync(file string, daemons []ipvs.SyncDaemon) error {
	path := m.startedFile(file)
	if len(daemons) > 0 {
		text, err := json.MarshalIndent(started{File: Canonical(file), Boot: boot(), Namespace: Namespace(), Daemons: daemons}, "", "\t")
		if err == nil {
			err = Write(path, append(text, '\n'))
		}
		if err != nil {
			return err
		}
	} else if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, other := range m.startedFiles() {
		var s started
		if other != path && readFile(other, &s) == nil && SameFile(s.File, file) {
			_ = os.Remove(other) // at worst it is recalled once more
		}
	}
	return nil
}

func (m Memory) startedFiles() []string {
	paths, _ := filepath.Glob(filepath.Join(string(m), "*"+startedEnding)) // the pattern is valid
	return paths
}

func (m Memory) startedFile(file string) string {
	return filepath.Join(string(m), fileName(Canonical(file))+startedEnding)
}
