package state

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Memory is the directory in which the daemons store their own virtual services of
// the kernel's table. It outlives them.
type Memory string

// remembered is the stored state of one daemon.
type remembered struct {
	File      string
	Boot      string // of the kernel whose table it is
	Namespace uint64
	Services  []Service
}

const memoryEnding = ".services.json"

// Recall returns the virtual services that earlier daemons of this configuration
// file, under any name, have left in the table of this kernel and network
// namespace. Records of another boot do not count: that table is gone.
func (m Memory) Recall(file string) ([]Service, error) {
	paths, err := filepath.Glob(filepath.Join(string(m), "*"+memoryEnding))
	if err != nil {
		return nil, err
	}
	var all []Service
	var failed error
	for _, path := range paths {
		var r remembered
		if err := readFile(path, &r); err != nil {
			if path == m.path(file) {
				failed = err
			}
			continue
		}
		if SameFile(r.File, file) && r.Boot == boot() && r.Namespace == Namespace() {
			all = Union(all, r.Services)
		}
	}
	return all, failed
}

// Remember stores the virtual services of the daemon of a configuration file. It is
// called before the first of them is written to the kernel.
func (m Memory) Remember(file string, services []Service) error {
	path := m.path(file)
	if len(services) == 0 {
		m.forgetOtherNames(file, path)
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	text, err := json.MarshalIndent(remembered{File: Canonical(file), Boot: boot(), Namespace: Namespace(), Services: services}, "", "\t")
	if err == nil {
		err = Write(path, append(text, '\n'))
	}
	if err != nil {
		return err
	}
	m.forgetOtherNames(file, path)
	return nil
}

// forgetOtherNames removes the records of a configuration file under other names
// than path.
func (m Memory) forgetOtherNames(file, path string) {
	paths, _ := filepath.Glob(filepath.Join(string(m), "*"+memoryEnding)) // the pattern is valid
	for _, other := range paths {
		var r remembered
		if other != path && readFile(other, &r) == nil && SameFile(r.File, file) {
			_ = os.Remove(other) // at worst it is recalled once more
		}
	}
}

func (m Memory) path(file string) string {
	return filepath.Join(string(m), fileName(Canonical(file))+memoryEnding)
}

// Journal is the file of the history of the daemon of a configuration file.
func (m Memory) Journal(file string) *Journal {
	name := Canonical(file)
	heading, _ := json.Marshal(struct { // strings can always be encoded
		History string `json:"history_of"`
		Version int    `json:"version"`
	}{name, 1})
	return &Journal{Path: filepath.Join(string(m), fileName(name)+journalEnding), Heading: string(heading)}
}

const journalEnding = ".history.jsonl"

// boot is the kernel's boot id, "" if it cannot be read.
func boot() string {
	text, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if len(text) > 36 {
		text = text[:36]
	}
	return string(text)
}
