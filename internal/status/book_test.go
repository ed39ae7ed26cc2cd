package status

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/state"
)

func TestBook(t *testing.T) {
	path := t.TempDir() + "/lib/t.json"
	if list, bad, err := ReadOverrides(path); list != nil || bad != nil || err != nil {
		t.Errorf("before anything was written: %v, %v, %v", list, bad, err)
	}
	want := []report.Override{{
		Verb: report.Drain, Virtual: "tcp:10.0.0.1:80", Real: "10.1.0.1:80", Comment: `"x"`, By: "root",
		Since: time.Unix(1, 0).UTC(), Until: time.Unix(3601, 0).UTC(),
	}}
	b := newBook(path, func() []report.Override { return want })
	for range 2 { // over itself as well
		if err := b.replace(); err != nil {
			t.Fatal(err)
		}
	}
	got, bad, err := ReadOverrides(path)
	if diff := cmp.Diff(want, got); diff != "" || bad != nil || err != nil {
		t.Errorf("%v, %v (-want +got):\n%s", bad, err, diff)
	}
	entries, err := os.ReadDir(path[:strings.LastIndexByte(path, '/')])
	if err != nil || len(entries) != 2 {
		t.Errorf("the directory has %v, %v, want the file and its copy", entries, err)
	}
}

// TestBookThatCannotBeWritten has a file in the place of the directory. Once it is
// away the book is written, without another order.
func TestBookThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/file", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b := newBook(dir+"/file/t.json", func() []report.Override { return nil })
	unsaved, err := b.write(t.Context(), func() error { return nil })
	if unsaved == nil || err != nil {
		t.Errorf("got %v, %v, want why it is not saved", unsaved, err)
	}
	refused := errors.New("refused")
	if unsaved, err = b.write(t.Context(), func() error { return refused }); unsaved != nil || err != refused {
		t.Errorf("an order that was refused: %v, %v", unsaved, err)
	}
	if faults := b.fault(); len(faults) != 1 {
		t.Errorf("faults are %v, want one", faults)
	}
	if err := os.Remove(dir + "/file"); err != nil {
		t.Fatal(err)
	}
	if faults := b.fault(); len(faults) > 0 {
		t.Errorf("faults are %v, want none", faults)
	}
	if _, err := os.Stat(b.path); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(dir+"/bad.json", []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := ReadOverrides(dir + "/bad.json"); err == nil || !strings.HasPrefix(err.Error(), dir+"/bad.json: ") {
		t.Errorf("a broken file: %v", err)
	}
}

// TestReadOverrides has entries that this program cannot have written: each is left out,
// with the reason, and the others count.
func TestReadOverrides(t *testing.T) {
	const good = `{"verb":"drain","virtual":"tcp:10.0.0.1:80","real":"10.1.0.1:80","weight":0,"since":"2026-01-01T00:00:00Z","by":"root"}`
	edit := func(old, new string) string { return strings.Replace(good, old, new, 1) }
	tests := map[string]struct{ entry, why string }{
		"weight too high":     {strings.Replace(edit(`"drain"`, `"weight"`), `"weight":0`, `"weight":2147483648`, 1), "a weight is 0 to 2147483647"},
		"weight below 0":      {edit(`"weight":0`, `"weight":-1`), "a weight is 0 to 2147483647"},
		"weight of no number": {edit(`"weight":0`, `"weight":"1"`), "cannot unmarshal string"},
		"no such verb":        {edit("drain", "drown"), `there is no order "drown"`},
		"enable":              {edit("drain", "enable"), "enable is not kept"},
		"no verb":             {edit(`"verb":"drain",`, ""), `there is no order ""`},
		"no real server":      {edit("10.1.0.1:80", "web1"), `"web1" is no real server`},
		"no port":             {edit("10.1.0.1:80", "10.1.0.1"), `"10.1.0.1" is no real server`},
		"no virtual service":  {edit("tcp:10.0.0.1:80", "10.0.0.1:80"), `"10.0.0.1:80" is no virtual service`},
		"no mark":             {edit("tcp:10.0.0.1:80", "fwm:x"), `"fwm:x" is no virtual service`},
		"a line in a comment": {edit(`"by"`, `"comment":"a\nb","by"`), "a comment is one line"},
		"a line in by":        {edit("root", `a\nb`), "by is not the name of a user"},
		"a number":            {"7", "cannot unmarshal number"},
		"the same once more":  {edit("drain", "disable"), "has several entries"},
	}
	path := t.TempDir() + "/t.json"
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(path, []byte("["+good+","+tt.entry+"]"), 0o600); err != nil {
				t.Fatal(err)
			}
			list, bad, err := ReadOverrides(path)
			if err != nil || len(list) != 1 || list[0].Verb != report.Drain || len(bad) != 1 || !strings.Contains(bad[0].Error(), tt.why) {
				t.Errorf("%v, bad %v, %v, want the good one and %q", list, bad, err, tt.why)
			}
		})
	}
	for _, virtual := range []string{"udp:[fd00::1]:53", "fwm:8", "fwm6:8"} {
		if err := os.WriteFile(path, []byte("["+edit("tcp:10.0.0.1:80", virtual)+"]"), 0o600); err != nil {
			t.Fatal(err)
		}
		if list, bad, err := ReadOverrides(path); len(list) != 1 || bad != nil || err != nil {
			t.Errorf("%s: %v, %v, %v", virtual, list, bad, err)
		}
	}
}

// TestReadOverridesCopy has a file of orders that cannot be read: its copy counts, and
// with neither it is not known which orders are in force. Without a file there are none.
func TestReadOverridesCopy(t *testing.T) {
	path := t.TempDir() + "/t.json"
	kept := report.Override{Verb: report.Drain, Virtual: "tcp:10.0.0.1:80", Real: "10.1.0.1:80", By: "root"}
	b := newBook(path, func() []report.Override { return []report.Override{kept} })
	unreadable := func(path string) { // as EIO: a read of a directory fails, too
		t.Helper()
		if err := errors.Join(os.RemoveAll(path), os.Mkdir(path, 0o700)); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.save(); err != nil {
		t.Fatal(err)
	}
	unreadable(path)
	list, bad, err := ReadOverrides(path)
	if len(list) != 1 || list[0].Real != kept.Real || len(bad) != 1 || err != nil {
		t.Errorf("with a copy: %v, %v, %v, want the order and what is wrong", list, bad, err)
	}
	unreadable(state.CopyOf(path))
	if list, _, err := ReadOverrides(path); len(list) > 0 || err == nil {
		t.Errorf("neither can be read: %v, %v, want an error", list, err)
	}
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
	if list, bad, err := ReadOverrides(path); len(list)+len(bad) > 0 || err != nil {
		t.Errorf("without a file: %v, %v, %v, want none", list, bad, err)
	}
}
