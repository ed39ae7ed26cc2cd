package words

import (
	"slices"
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/internal/report"
)

func TestCompareNames(t *testing.T) {
	want := strings.Fields("10.0.0.1:80 10.0.0.1:443 10.0.0.9:80 10.0.0.10:80 10.0.1.0:80 [fd00::1]:80 [fd00::2]:80 [fd00::10]:80 web web1 web02 web10 web10a")
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, CompareNames)
	if !slices.Equal(got, want) {
		t.Errorf("%s, want %s", got, want)
	}
	if CompareNames("web1", "web01") != 0 || CompareNames("", "a") >= 0 || CompareNames("7", "") <= 0 {
		t.Error("equal numbers are not equal, or an empty name is not the first one")
	}
}

// TestOrders has each order put another real server first, and its reverse put it last.
func TestOrders(t *testing.T) {
	v := &report.VirtualState{}
	entry := func(name string, change func(*report.RealState)) Entry {
		r := &report.RealState{RealName: report.RealName{Name: name, At: name}, State: report.StateUp, Last: &report.Last{Took: 0.001}}
		r.Day.Up, r.Weight = 60, 5
		change(r)
		return Entry{v, r}
	}
	list := []Entry{
		entry("m-file", func(*report.RealState) {}),
		entry("m-trouble", func(r *report.RealState) { r.State = report.StateDown }),
		entry("m-connections", func(r *report.RealState) { r.Active = 9 }),
		entry("m-rate", func(r *report.RealState) { r.Stats.ConnectionRate = 9 }),
		entry("m-latency", func(r *report.RealState) { r.Last.Took = 1 }),
		entry("a-name", func(*report.RealState) {}),
		entry("m-state", func(r *report.RealState) { r.State = report.StateDisabled }),
		entry("m-weight", func(r *report.RealState) { r.Weight = 9 }),
		entry("m-availability", func(r *report.RealState) { r.Day.Down = 1 }),
	}
	for _, o := range Orders() {
		sorted := slices.Clone(list)
		slices.SortStableFunc(sorted, o.Compare)
		if got := sorted[0].Real.Name; !strings.HasSuffix(got, "-"+o.Name) {
			t.Errorf("%s: %s is the first one", o.Name, got)
		}
		reverse, ok := OrderCalled("-" + o.Name)
		slices.SortStableFunc(sorted, reverse.Compare)
		if got := sorted[len(sorted)-1].Real.Name; !ok || o.Name != "file" && !strings.HasSuffix(got, "-"+o.Name) {
			t.Errorf("the reverse of %s: %s is the last one", o.Name, got)
		}
	}
	if o, ok := OrderCalled(""); !ok || o.Name != "trouble" {
		t.Errorf("without a name the order is %s", o.Name)
	}
	for _, name := range []string{"x", "-", "--name", "Name"} {
		if _, ok := OrderCalled(name); ok && name != "-" {
			t.Errorf("order %q is known", name)
		}
	}
}
