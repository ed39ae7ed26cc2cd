package host

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ldirectord/ldirectord/internal/sysctl"
)

// A Sysctl is a kernel parameter with the value that it needs.
type Sysctl struct {
	Name  string `json:"name"` // its path: net/ipv4/ip_forward
	Value string `json:"value"`
}

// String implements Step. The name is as sysctl(8) takes it: with dots, unless a
// device has one in its name.
func (s *Sysctl) String() string {
	name := s.Name
	if !strings.Contains(name, ".") {
		name = strings.ReplaceAll(name, "/", ".")
	}
	return "sysctl " + name + " " + s.Value
}

func (s *Sysctl) path(m *machine) string { return filepath.Join(m.proc, "sys", s.Name) }

func (s *Sysctl) look(m *machine) (sight, error) {
	text, err := os.ReadFile(s.path(m))
	if errors.Is(err, fs.ErrNotExist) {
		return sight{}, errors.New("this kernel has no such parameter, or its module is not loaded")
	}
	value := strings.TrimSpace(string(text))
	return sight{done: value == s.Value, was: value}, err
}

func (s *Sysctl) do(m *machine) error { return s.set(m, s.Value) }

func (s *Sysctl) undo(m *machine, was string) error {
	now, err := os.ReadFile(s.path(m))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // gone with its device or module
	}
	if err != nil {
		return err
	}
	if strings.TrimSpace(string(now)) != s.Value {
		return nil
	}
	return s.set(m, was)
}

func (s *Sysctl) set(m *machine, value string) error {
	return sysctl.Write(m.proc, s.Name, value)
}
