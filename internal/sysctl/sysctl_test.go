package sysctl

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/internal/lab"
)

func TestWrite(t *testing.T) {
	proc := t.TempDir()
	file := filepath.Join(proc, "sys/net/a")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("0\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Write(proc, "net/a", "1"); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "1\n" {
		t.Errorf("the setting is %q, want 1; %v", text, err)
	}
	if err := Write(proc, "net/none/b", "1"); err == nil || strings.Contains(err.Error(), "sysctl -w") {
		t.Errorf("a setting that is not there: %v", err)
	}
}

// TestReadOnly wants the cure where the kernel's settings cannot be written.
func TestReadOnly(t *testing.T) {
	lab.Root(t, "a read-only mount")
	proc := t.TempDir()
	sys := filepath.Join(proc, "sys")
	if err := os.Mkdir(sys, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", sys, "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(sys, 0); err != nil {
			t.Error(err)
		}
	})
	settings := map[string]string{"net/ipv4/ip_forward": "net.ipv4.ip_forward", "net/ipv4/conf/eth0.100/arp_ignore": "net/ipv4/conf/eth0.100/arp_ignore"}
	err := os.MkdirAll(filepath.Join(sys, "net/ipv4/conf/eth0.100"), 0o755)
	for name := range settings {
		if err == nil {
			err = os.WriteFile(filepath.Join(sys, name), []byte("0\n"), 0o644)
		}
	}
	if err == nil {
		err = unix.Mount("", sys, "", unix.MS_REMOUNT|unix.MS_RDONLY, "")
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, cure := range settings {
		err = Write(proc, name, "1")
		if err == nil || !strings.Contains(err.Error(), "ReadWritePaths=-/proc/sys/net") || !strings.HasSuffix(err.Error(), "sysctl -w "+cure+"=1") {
			t.Errorf("the error is %v, want one with the cure sysctl -w %s=1", err, cure)
		}
	}
}
