package fleet

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/internal/report"
)

// real is a real server of a snapshot.
func real(name string, state report.State, weight int) report.RealState {
	return report.RealState{
		RealName: report.RealName{Name: name}, State: state, InService: state == report.StateUp,
		Destination: report.Destination{Configured: weight},
	}
}

// said is the answer of a director with one virtual service.
func said(director, version, file string, served bool, reals ...report.RealState) Answer[*report.Snapshot] {
	return Answer[*report.Snapshot]{Director: director, Value: &report.Snapshot{
		Config: "/etc/ha.d/ldirectord.cf", State: "running", Ready: true, Program: report.Program{Version: version, Configuration: file},
		Virtuals:  []report.VirtualState{{ID: "tcp:10.0.0.1:80", Present: true, Served: true, Reals: reals}, {ID: "tcp:10.9.9.9:1", Foreign: true}},
		Addresses: []report.AddressState{{Address: netip.MustParseAddr("10.0.0.1"), Served: served}},
	}}
}

// TestSummarize marks what directors disagree about, and says who says what.
func TestSummarize(t *testing.T) {
	const up, down = report.StateUp, report.StateDown
	ordered := real("a:80", up, 1)
	ordered.Override = &report.Override{Verb: report.Weight, Weight: 7}
	shared := real("a:80", up, 4)
	shared.Override = &report.Override{Verb: report.Weight, Percent: 50}
	kept := real("a:80", down, 1)
	kept.InService = true
	for name, tt := range map[string]struct {
		answers []Answer[*report.Snapshot]
		want    string
	}{
		"all agree": {[]Answer[*report.Snapshot]{said("d1", "1", "x", true, real("a:80", up, 1)), said("d2", "1", "x", true, real("a:80", up, 1))}, ""},
		"a state":   {[]Answer[*report.Snapshot]{said("d1", "1", "x", true, real("a:80", up, 1)), said("d2", "1", "x", true, real("a:80", down, 1))}, "a:80 of tcp:10.0.0.1:80: up on d1; down on d2"},
		"two of three": {
			[]Answer[*report.Snapshot]{said("d1", "1", "x", true, real("a:80", up, 1)), said("d2", "1", "x", true, real("a:80", down, 1)), said("d3", "1", "x", true, real("a:80", up, 1))},
			"a:80 of tcp:10.0.0.1:80: up on d1, d3; down on d2",
		},
		"a weight in the file": {[]Answer[*report.Snapshot]{said("d1", "1", "x", true, real("a:80", up, 1)), said("d2", "1", "x", true, real("a:80", up, 2))}, "a:80 of tcp:10.0.0.1:80: up, weight 1 on d1; up, weight 2 on d2"},
		"a weight by an order": {[]Answer[*report.Snapshot]{said("d1", "1", "x", true, ordered), said("d2", "1", "x", true, real("a:80", up, 1))}, "a:80 of tcp:10.0.0.1:80: up, weight 7 on d1; up, weight 1 on d2"},
		"a share by an order":  {[]Answer[*report.Snapshot]{said("d1", "1", "x", true, shared), said("d2", "1", "x", true, real("a:80", up, 4))}, "a:80 of tcp:10.0.0.1:80: up, weight 50% of 4 on d1; up, weight 4 on d2"},
		"kept by minalive":     {[]Answer[*report.Snapshot]{said("d1", "1", "x", true, kept), said("d2", "1", "x", true, real("a:80", down, 1))}, "a:80 of tcp:10.0.0.1:80: down, in service on d1; down on d2"},
		"a real server of one": {[]Answer[*report.Snapshot]{said("d1", "1", "x", true), said("d2", "1", "x", true, real("a:80", up, 1))}, "a:80 of tcp:10.0.0.1:80: not configured on d1; up on d2"},
		"an address":           {[]Answer[*report.Snapshot]{said("d1", "1", "x", true), said("d2", "1", "x", false)}, "10.0.0.1: served on d1; not served on d2"},
		"versions and files":   {[]Answer[*report.Snapshot]{said("d1", "1", "x", true), said("d2", "2", "y", true)}, "version: 1 on d1; 2 on d2\nconfiguration: x on d1; y on d2"},
		"no contact has no say": {
			[]Answer[*report.Snapshot]{said("d1", "1", "x", true, real("a:80", up, 1)), {Director: "d2", Err: errors.New("no contact")}}, "",
		},
		"nobody": {[]Answer[*report.Snapshot]{{Director: "d2", Err: errors.New("no contact")}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			sum := Summarize(tt.answers)
			if diff := cmp.Diff(tt.want, strings.Join(sum.Disagreements(), "\n")); diff != "" {
				t.Errorf("disagreements (-want +got):\n%s", diff)
			}
			failed := len(sum.Failed()) > 0
			if (sum.Err() != nil) != (failed || tt.want != "") {
				t.Errorf("the error is %v", sum.Err())
			}
			if len(sum.Directors) != len(tt.answers) {
				t.Errorf("%d rows for %d directors", len(sum.Directors), len(tt.answers))
			}
		})
	}
}
