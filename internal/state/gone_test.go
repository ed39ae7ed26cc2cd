package state

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestGone writes what outlives a daemon, and reads it beside entries that are none.
func TestGone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.gone.json")
	if list, bad, err := ReadGone(path); len(list) != 0 || len(bad) != 0 || err != nil {
		t.Errorf("no file: %v, %v, %v", list, bad, err)
	}
	at := time.Date(2026, 11, 30, 6, 0, 0, 0, time.UTC)
	want := []Gone{
		{Virtual: "tcp:10.0.0.1:80", Real: "10.1.0.1:80", Dead: at},
		{Virtual: "tcp:10.0.0.1:80", Real: "10.1.0.2:80", Host: "web2", Waits: at},
	}
	if err := WriteGone(path, append(want, Gone{Virtual: "tcp:10.0.0.1:80", Real: "10.1.0.3:80"}, Gone{Real: "10.1.0.4:80", Dead: at})); err != nil {
		t.Fatal(err)
	}
	list, bad, err := ReadGone(path)
	if diff := cmp.Diff(want, list); diff != "" || len(bad) != 2 || err != nil {
		t.Errorf("%d bad, %v (-want +got):\n%s", len(bad), err, diff)
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := ReadGone(path); err == nil {
		t.Error("a damaged file is no error")
	}
}
