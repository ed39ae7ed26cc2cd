package status

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ldirectord/internal/director"
)

func TestBook(t *testing.T) {
	path := t.TempDir() + "/lib/t.json"
	if list, err := ReadOverrides(path); list != nil || err != nil {
		t.Errorf("before anything was written: %v, %v", list, err)
	}
	want := []director.Override{{
		Verb: director.Drain, Virtual: "tcp:10.0.0.1:80", Real: "10.1.0.1:80", Comment: `"x"`, By: "root",
		Since: time.Unix(1, 0).UTC(), Until: time.Unix(3601, 0).UTC(),
	}}
	b := book{path: path}
	for range 2 { // over itself as well
		if unsaved, err := b.write(func() ([]director.Override, error) { return want, nil }); unsaved != nil || err != nil {
			t.Fatal(unsaved, err)
		}
	}
	got, err := ReadOverrides(path)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	entries, err := os.ReadDir(path[:strings.LastIndexByte(path, '/')])
	if err != nil || len(entries) != 1 {
		t.Errorf("the directory has %v, %v, want the one file", entries, err)
	}
}

func TestBookThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/file", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b := book{path: dir + "/file/t.json"}
	unsaved, err := b.write(func() ([]director.Override, error) { return nil, nil })
	if unsaved == nil || err != nil {
		t.Errorf("got %v, %v, want why it is not saved", unsaved, err)
	}
	refused := errors.New("refused")
	if unsaved, err = b.write(func() ([]director.Override, error) { return nil, refused }); unsaved != nil || err != refused {
		t.Errorf("an order that was refused: %v, %v", unsaved, err)
	}
	if err := os.WriteFile(dir+"/bad.json", []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadOverrides(dir + "/bad.json"); err == nil || !strings.HasPrefix(err.Error(), dir+"/bad.json: ") {
		t.Errorf("a broken file: %v", err)
	}
}
