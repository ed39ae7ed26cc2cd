package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"time"
)

// Maintenance is the last known state of a maintenance directory (directive
// maintenancedir). With it the same real servers are in maintenance after a crash
// or a restart, before the resolver answers, and while the directory cannot be
// read.
type Maintenance struct {
	Dir   string                  `json:"dir"`
	Files []string                `json:"files"`           // sorted
	Names map[netip.Addr][]string `json:"names"`           // the names of real servers' addresses
	Texts map[string]FileText     `json:"texts,omitempty"` // what the files contain; nil without maintenanceorders
}

// A FileText is the content of a file.
type FileText struct {
	Text    string    `json:"text"`
	Written time.Time `json:"written"`
}

// Equal reports whether both are the same.
func (t FileText) Equal(o FileText) bool { return t.Text == o.Text && t.Written.Equal(o.Written) }

// ReadMaintenance reads the file of Write; the zero value if it is missing. If the
// file is unreadable its copy counts.
func ReadMaintenance(path string) (Maintenance, error) {
	m, err := readMaintenance(path)
	if err == nil {
		return m, nil
	}
	if m, copyErr := readMaintenance(CopyOf(path)); copyErr == nil && m.Dir != "" {
		return m, nil
	}
	return Maintenance{}, err
}

func readMaintenance(path string) (Maintenance, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Maintenance{}, nil
	}
	if err != nil {
		return Maintenance{}, err
	}
	var m Maintenance
	if err := json.Unmarshal(text, &m); err != nil {
		return Maintenance{}, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// Write replaces the file at path with m.
func (m Maintenance) Write(path string) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return WriteTwice(path, append(text, '\n'))
}
