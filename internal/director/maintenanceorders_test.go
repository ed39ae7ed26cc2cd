package director

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/ipvs"
)

// TestMaintenanceOrders follows files with orders: they come, change, end, and give way to an
// order of an operator.
func TestMaintenanceOrders(t *testing.T) {
	dir := t.TempDir()
	write := func(body string) {
		t.Helper()
		temp := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(temp, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(temp, filepath.Join(dir, "10.1.0.1")); err != nil {
			t.Fatal(err)
		}
	}
	write("weight 3\nslowly\n")
	f := &flapper{t: t, broken: map[string]bool{}, text: severalText + "    fallback=127.0.0.1:80 masq\nmaintenancedir=" + dir + "\nmaintenanceorders=yes\n"}
	f.table = ipvs.NewMemory()
	f.begin()
	defer func() { f.end() }()
	awaits := func(what string, want func(r report.RealState) bool) {
		t.Helper()
		eventually.True(t, what, func() bool { return want(f.snapshot().Virtuals[0].Reals[0]) })
	}
	awaits("the weight of a file at the start", func(r report.RealState) bool {
		return r.Weight == 3 && r.Override != nil && r.Override.String() == "weight 3 by file 10.1.0.1: slowly"
	})
	write("drain\n")
	awaits("drained", func(r report.RealState) bool { return r.State == report.StateDrained && r.Present && r.Weight == 0 })
	f.orders(report.Weight, "1")
	awaits("the operator's order counts", func(r report.RealState) bool { return r.Weight == 7 })
	if over := f.orders(report.Enable, "1"); over.Remark != "the order of a file stays: drain by file 10.1.0.1" {
		t.Errorf("the answer to enable: %+v", over)
	}
	awaits("the file's order counts again", func(r report.RealState) bool { return r.State == report.StateDrained })
	if len(f.d.Overrides()) != 0 {
		t.Errorf("the order of a file is kept as an operator's: %v", f.d.Overrides())
	}
	f.loads(f.text)
	awaits("a reload", func(r report.RealState) bool { return r.State == report.StateDrained })
	write("until " + time.Now().Add(24*time.Hour).Format(time.RFC3339) + "\nreboot\n")
	awaits("out for a time", func(r report.RealState) bool {
		return r.State == report.StateDisabled && !r.InService && r.Override.Comment == "reboot" && !r.Override.Until.IsZero()
	})
	write("until " + time.Now().Add(5*time.Second).Format(time.RFC3339) + "\n")
	awaits("back when the time has passed", func(r report.RealState) bool { return r.State == report.StateUp && r.Weight == 1 })
	write("no order\n")
	awaits("out", func(r report.RealState) bool { return r.State == report.StateMaintenance })
	if err := os.Remove(filepath.Join(dir, "10.1.0.1")); err != nil {
		t.Fatal(err)
	}
	awaits("back", func(r report.RealState) bool { return r.State == report.StateUp && r.Weight == 1 })
}
