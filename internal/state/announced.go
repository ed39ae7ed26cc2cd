package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
)

// announced is the file of the addresses that daemons have added to devices.
type announced struct {
	Boot      string                  `json:"boot"` // of the kernel that has the devices
	Namespace uint64                  `json:"namespace"`
	Devices   map[string][]netip.Addr `json:"devices"`
}

// ReadAnnounced reads the file of WriteAnnounced. That of another boot or network namespace says
// nothing: the addresses are gone.
func ReadAnnounced(path string) (map[string][]netip.Addr, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var a announced
	if err := json.Unmarshal(text, &a); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if a.Boot != boot() || a.Namespace != Namespace() {
		return nil, nil
	}
	return a.Devices, nil
}

// WriteAnnounced replaces the file at path with the addresses that were added, by device. Without
// any there is no file.
func WriteAnnounced(path string, devices map[string][]netip.Addr) error {
	if len(devices) == 0 {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	text, err := json.MarshalIndent(announced{Boot: boot(), Namespace: Namespace(), Devices: devices}, "", "  ")
	if err != nil {
		return err
	}
	return Write(path, append(text, '\n'))
}
