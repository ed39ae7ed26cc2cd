package ipvs

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMemoryRules(t *testing.T) {
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			testRule(t, NewMemory(), r)
			testRuleTogether(t, NewMemory(), r)
		})
	}
}

func TestMemoryTellsChanges(t *testing.T) {
	m := NewMemory()
	var got []string
	m.OnChange = func(c Change) { got = append(got, c.String()) }
	for _, s := range []step{
		do(AddService, web),
		do(AddService, web).fails(fs.ErrExist, ""),
		do(AddDestination, web, destination("10.1.0.1:80", Masq, 1)),
		do(DeleteDestination, web, destination("10.1.0.2:80", Masq, 1)).fails(fs.ErrNotExist, ""),
		do(DeleteService, web),
	} {
		testStep(t, m, s)
	}
	want := []string{
		"-A -t 10.0.0.1:80 -s wrr",
		"-a -t 10.0.0.1:80 -r 10.1.0.1:80 -m -w 1",
		"-D -t 10.0.0.1:80",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("told changes (-want +got):\n%s", diff)
	}
	if m.Writes() != 3 {
		t.Errorf("%d writes are counted, 3 changes were made", m.Writes())
	}
}

func TestMemoryPrintsItself(t *testing.T) {
	m := NewMemory()
	testStep(t, m, do(AddService, web))
	testStep(t, m, do(AddDestination, web, destination("10.1.0.1:80", Masq, 1)))
	want := "-A -t 10.0.0.1:80 -s wrr\n-a -t 10.0.0.1:80 -r 10.1.0.1:80 -m -w 1\n"
	if got := m.String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestMemoryReadIsACopy(t *testing.T) {
	m := NewMemory()
	testStep(t, m, do(AddService, web))
	testStep(t, m, do(AddDestination, web, destination("10.1.0.1:80", Masq, 1)))
	table, err := m.Read()
	if err != nil {
		t.Fatal(err)
	}
	table[0].Destinations[0].Weight = 99
	if got := m.String(); !strings.Contains(got, "-w 1\n") {
		t.Errorf("a change of what was read has changed the table:\n%s", got)
	}
}

func TestClosedTables(t *testing.T) {
	for name, table := range map[string]Table{"memory": NewMemory(), "kernel": &Kernel{limit: answerLimit}} {
		t.Run(name, func(t *testing.T) {
			if err := table.Close(); err != nil {
				t.Fatal(err)
			}
			if err := table.Apply(Change{Op: AddService, Service: web}); !errors.Is(err, fs.ErrClosed) {
				t.Errorf("Apply on a closed table: got %v, want fs.ErrClosed", err)
			}
			if _, err := table.Read(); !errors.Is(err, fs.ErrClosed) {
				t.Errorf("Read of a closed table: got %v, want fs.ErrClosed", err)
			}
		})
	}
}
