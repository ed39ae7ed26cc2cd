package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/internal/state"
)

// TestMaintenanceLost reports that the stored maintenance files cannot be read only where
// there is a maintenance directory: else nothing is lost.
func TestMaintenanceLost(t *testing.T) {
	for directive, want := range map[string]int{"": 0, "maintenancedir=/nonexistent\n": 1} {
		dir := t.TempDir()
		file := filepath.Join(dir, "t.cf")
		write(t, file, "logfile=\""+filepath.Join(dir, "log")+"\"\nmonitorlog=none\n"+directive+"virtual=10.0.0.1:80\n    real=127.0.0.1:80 masq\n    checktype=on\n")
		p := starting(t, dir, file)
		write(t, p.MaintenanceFile(), "broken")
		p.maintenance()
		p.Log.Close()
		log, err := os.ReadFile(filepath.Join(dir, "log"))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(string(log), "cannot be read"); got != want {
			t.Errorf("with %q the log reports %d losses, want %d:\n%s", directive, got, want, log)
		}
	}
}

// TestOwnerOfLinkedDirectory starts a daemon by a link's name: what it has set up is found
// by the name in its record, as after a kill.
func TestOwnerOfLinkedDirectory(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	if err := os.Mkdir(target, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	started := &daemon{file: source{path: filepath.Join(link, "t.cf")}}
	after := &daemon{file: source{path: state.Canonical(started.file.path)}}
	if started.hostOwner() != after.hostOwner() {
		t.Errorf("the host was set up for %q and is left by %q", started.hostOwner(), after.hostOwner())
	}
}
