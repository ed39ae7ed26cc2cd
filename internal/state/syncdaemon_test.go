package state

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/ipvs"
)

func TestRememberSync(t *testing.T) {
	dir := t.TempDir()
	file, m := filepath.Join(dir, "a.cf"), Memory(filepath.Join(dir, "state"))
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "b.cf")
	if err := os.Link(file, link); err != nil {
		t.Fatal(err)
	}
	want := []ipvs.SyncDaemon{
		{Role: ipvs.SyncMaster, Device: "eth0", ID: 7},
		{Role: ipvs.SyncBackup, Device: "eth0", Group: netip.MustParseAddr("ff02::1:81"), MaxLen: 1452, Port: 9},
	}
	asIs := cmp.Comparer(func(a, b netip.Addr) bool { return a == b })
	recalled := func(of string, want []ipvs.SyncDaemon) {
		t.Helper()
		got, err := m.RecallSync(of)
		if err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(want, got, asIs); diff != "" {
			t.Errorf("recalled (-want +got):\n%s", diff)
		}
	}
	recalled(file, nil)
	if err := m.RememberSync(file, want); err != nil {
		t.Fatal(err)
	}
	recalled(file, want)
	recalled(link, want)
	if err := m.RememberSync(link, want[:1]); err != nil {
		t.Fatal(err)
	}
	recalled(file, want[:1])
	record := m.startedFile(link)
	text, err := os.ReadFile(record)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(record, []byte(strings.Replace(string(text), boot(), "another boot", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	recalled(file, nil)
	if err := os.WriteFile(record, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := m.RecallSync(link); err == nil {
		t.Error("a torn record is no error")
	}
	if err := m.RememberSync(link, nil); err != nil {
		t.Fatal(err)
	}
	if left := m.startedFiles(); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}
