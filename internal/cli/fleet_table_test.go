package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/internal/fleet"
	"github.com/ldirectord/ldirectord/internal/report"
)

// fleetOf is what directors say: the second one has another file and a real server down, the last of
// five does not answer.
func fleetOf(directors, vips, reals []string) *fleet.Summary {
	var answers []fleet.Answer[*report.Snapshot]
	for i, director := range directors {
		if i == 4 {
			answers = append(answers, fleet.Answer[*report.Snapshot]{Director: director, Err: errors.New("no contact: connection refused after a redirect to https://" + director + "/login, which is not followed")})
			continue
		}
		snap := &report.Snapshot{Config: "t.cf", State: "running", Ready: true, Program: report.Program{Version: "1.0", Configuration: strings.Repeat(fmt.Sprint(i/2), 16)}}
		for _, vip := range vips {
			snap.Addresses = append(snap.Addresses, report.AddressState{Address: netip.MustParseAddr(vip), Served: i != 1})
			v := report.VirtualState{ID: "tcp:" + netip.AddrPortFrom(netip.MustParseAddr(vip), 80).String(), Present: true, Served: true}
			for j, real := range reals {
				r := report.RealState{RealName: report.RealName{Name: real}, State: report.StateUp, InService: true}
				if i == 1 && j == 0 {
					r.State, r.InService = report.StateDown, false
				}
				v.Reals = append(v.Reals, r)
			}
			if i != 1 || vip == vips[0] {
				snap.Virtuals = append(snap.Virtuals, v)
			}
		}
		answers = append(answers, fleet.Answer[*report.Snapshot]{Director: director, Value: snap})
	}
	return fleet.Summarize(answers)
}

// TestFleetTableFits writes the table of all directors for terminals and for a pipe: no line is
// longer than the terminal, and none has fewer words.
func TestFleetTableFits(t *testing.T) {
	short := []string{"d1.example.com:9180", "d2.example.com:9180"}
	ipv6 := []string{"[2001:db8:1111:2222:3333:4444:5555:6666]:9180", "[2001:db8:1111:2222:3333:4444:5555:7777]:9180"}
	long := []string{
		"director-one.rack-17.berlin.example.com:9180", "director-two.rack-17.berlin.example.com:9180", "director-three.rack-18.berlin.example.com:9180",
		"[2001:db8:1111:2222:3333:4444:5555:6666]:9180", "d5.example.com:9180",
	}
	vips := []string{"10.0.0.80", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:80"}
	reals := []string{"10.1.0.1:80", "[2001:db8:aaaa:bbbb:cccc:dddd:eeee:1111]:8080"}
	for name, sum := range map[string]*fleet.Summary{
		"two": fleetOf(short, vips[:1], reals[:1]), "two with IPv6": fleetOf(ipv6, vips, reals), "five with long names": fleetOf(long, vips, reals),
	} {
		t.Run(name, func(t *testing.T) {
			var whole string
			for _, width := range []int{0, 200, 80} {
				var b bytes.Buffer
				if err := writeSummary(&b, sum, width); err != nil {
					t.Fatal(err)
				}
				t.Logf("%d columns:\n%s", width, b.String())
				for line := range strings.Lines(b.String()) {
					if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); width > 0 && n > width {
						t.Errorf("%d columns at a terminal of %d: %s", n, width, line)
					}
				}
				words := strings.Join(strings.Fields(strings.ReplaceAll(b.String(), " - ", " ")), " ")
				if whole == "" {
					whole = words
				}
				if words != whole {
					t.Errorf("at %d columns the words are\n%s\nwant\n%s", width, words, whole)
				}
			}
		})
	}
}

// TestColumnsOfTerminal finds the width of a terminal, and none of a pipe or a file.
func TestColumnsOfTerminal(t *testing.T) {
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	if err := unix.IoctlSetWinsize(int(terminal.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 93}); err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(t.TempDir() + "/f")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for name, tt := range map[string]struct {
		w    io.Writer
		want int
	}{"a terminal": {terminal, 93}, "a file": {file, 0}, "a buffer": {&bytes.Buffer{}, 0}} {
		if got := columnsOf(tt.w); got != tt.want {
			t.Errorf("%s has %d columns, want %d", name, got, tt.want)
		}
	}
}
