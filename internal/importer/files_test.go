package importer

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFiles imports the files of a DNS, a web and a mail farm. With UPDATE=1 it writes what they become.
func TestFiles(t *testing.T) {
	for _, name := range []string{"dns", "web", "mail"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join("testdata", name+".conf")
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			r, err := Import(string(text), Source{Path: path, ID: "lb1"})
			if err != nil {
				t.Fatal(err)
			}
			load(t, r.Config)
			golden := filepath.Join("testdata", name+".cf")
			if os.Getenv("UPDATE") != "" {
				if err := os.WriteFile(golden, []byte(r.Config), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), r.Config); diff != "" {
				t.Errorf("%s (-want +got):\n%s", golden, diff)
			}
		})
	}
}

// TestFilesAreKeepalived has keepalived find no fault in them, but the network device that this host does not have.
func TestFilesAreKeepalived(t *testing.T) {
	needKeepalived(t)
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"dns", "web", "mail"} {
		text, err := os.ReadFile(filepath.Join(dir, name+".conf"))
		if err != nil {
			t.Fatal(err)
		}
		faults := slices.DeleteFunc(faultsOf(t, dir, string(text)), func(f string) bool { return strings.Contains(f, "VI_DNS") })
		if len(faults) > 0 {
			t.Errorf("%s: %q", name, faults)
		}
	}
}
