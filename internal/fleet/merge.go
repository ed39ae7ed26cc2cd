package fleet

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/status/words"
)

// A Summary is what the directors say, side by side.
type Summary struct {
	Directors []Member  `json:"directors"`
	Addresses []Subject `json:"addresses"`
	Virtuals  []Virtual `json:"virtuals"`
}

// A Member is one director.
type Member struct {
	Director string    `json:"director"`
	Error    string    `json:"error,omitempty"` // why it did not answer, "" if it did; then the rest is zero
	Time     time.Time `json:"time,omitzero"`   // of its data

	State         string `json:"state,omitempty"`
	Version       string `json:"version,omitempty"`
	Configuration string `json:"configuration,omitempty"` // the fingerprint of its file
	DryRun        bool   `json:"dry_run,omitempty"`
	In            int    `json:"in"`    // real servers in service
	Reals         int    `json:"reals"` // all real servers
	Served        int    `json:"served"`
	Addresses     int    `json:"addresses"`         // virtual ones
	Trouble       string `json:"trouble,omitempty"` // its first one, and how many more it has

	Level words.Level `json:"-"` // of its own data
}

// A Virtual is one virtual service with its real servers.
type Virtual struct {
	Virtual string    `json:"virtual"`
	On      *Subject  `json:"on,omitempty"` // nil: each director has it
	Reals   []Subject `json:"reals"`
}

// A Subject is something about which each director that answered says a word.
type Subject struct {
	Name   string `json:"name"`
	Agreed bool   `json:"agreed"`
	Says   []Say  `json:"says"` // equal words together, in the order of the directors
}

// A Say is a word, and who says it.
type Say struct {
	Word      string   `json:"word"`
	Directors []string `json:"directors"`
}

// String is the word if all agree, else who says what: "up on d1:9180; down on d2:9180".
func (s Subject) String() string {
	if s.Agreed && len(s.Says) == 1 {
		return s.Says[0].Word
	}
	var parts []string
	for _, say := range s.Says {
		parts = append(parts, say.Word+" on "+strings.Join(say.Directors, ", "))
	}
	return strings.Join(parts, "; ")
}

// add has a director say a word.
func (s *Subject) add(word, director string) {
	i := slices.IndexFunc(s.Says, func(say Say) bool { return say.Word == word })
	if i < 0 {
		i, s.Says = len(s.Says), append(s.Says, Say{Word: word})
	}
	s.Says[i].Directors = append(s.Says[i].Directors, director)
}

// Served is the word of a director that serves a virtual address.
const Served = "served"

// absent is the word of a director that does not have something.
const absent = "not configured"

// subjectOf asks each director for its word.
func subjectOf(name string, snaps []snapshot, word func(*report.Snapshot) string) Subject {
	s := Subject{Name: name, Says: []Say{}}
	for _, of := range snaps {
		s.add(words.OneLine(word(of.Snapshot)), of.director)
	}
	s.Agreed = len(s.Says) <= 1
	return s
}

// A snapshot is that of a director.
type snapshot struct {
	*report.Snapshot
	director string
}

// Summarize compares the directors' snapshots. Those without contact have a Member, and no say.
func Summarize(answers []Answer[*report.Snapshot]) *Summary {
	s := &Summary{Directors: []Member{}, Addresses: []Subject{}, Virtuals: []Virtual{}}
	var snaps []snapshot
	for _, a := range answers {
		s.Directors = append(s.Directors, memberOf(a))
		if a.Err == nil {
			snaps = append(snaps, snapshot{a.Value, a.Director})
		}
	}
	s.addAddresses(snaps)
	s.addVirtuals(snaps)
	return s
}

// memberOf is the row of a director.
func memberOf(a Answer[*report.Snapshot]) Member {
	m := Member{Director: a.Director}
	if a.Err != nil {
		m.Error = words.OneLine(a.Err.Error())
		return m
	}
	health := words.Judge(a.Value)
	m.Time, m.State, m.DryRun = a.At, words.OneLine(a.Value.State), a.Value.DryRun
	m.Version, m.Configuration = words.OneLine(a.Value.Program.Version), words.OneLine(a.Value.Program.Configuration)
	m.In, m.Reals, m.Level = health.In, health.Reals, health.Level
	m.Addresses = len(a.Value.Addresses)
	for _, at := range a.Value.Addresses {
		if at.Served && !m.DryRun {
			m.Served++
		}
	}
	if n := len(health.Troubles); n > 0 {
		m.Trouble = health.Troubles[0]
		if n > 1 {
			m.Trouble += fmt.Sprintf(", and %d more", n-1)
		}
	}
	return m
}

// addAddresses compares which virtual addresses are served. That only some directors serve one
// is a disagreement: the others would be asked for it in vain.
func (s *Summary) addAddresses(snaps []snapshot) {
	seen := map[string]bool{}
	for _, of := range snaps {
		for _, at := range of.Addresses {
			name := at.Address.String()
			if seen[name] {
				continue
			}
			seen[name] = true
			s.Addresses = append(s.Addresses, subjectOf(name, snaps, func(snap *report.Snapshot) string {
				i := slices.IndexFunc(snap.Addresses, func(a report.AddressState) bool { return a.Address == at.Address })
				switch {
				case i < 0:
					return absent
				case snap.DryRun:
					return "not served: dry run" // no client meets its table
				case snap.Addresses[i].Served:
					return Served
				case snap.Addresses[i].Withdrawn != nil:
					return "withdrawn"
				case snap.Addresses[i].Waits:
					return "not served yet"
				}
				return "not served"
			}))
		}
	}
}

// A target is a real server of a virtual service of the fleet.
type target = report.Target

// addVirtuals compares the real servers, in the order in which the directors have them.
func (s *Summary) addVirtuals(snaps []snapshot) {
	index := make([]map[target]*report.RealState, len(snaps))
	has := make([]map[string]bool, len(snaps))
	var order []string
	reals := map[string][]string{}
	for i, of := range snaps {
		index[i], has[i] = map[target]*report.RealState{}, map[string]bool{}
		for j := range of.Virtuals {
			v := &of.Virtuals[j]
			if v.Foreign {
				continue
			}
			has[i][v.ID] = true
			if _, ok := reals[v.ID]; !ok {
				order, reals[v.ID] = append(order, v.ID), []string{}
			}
			for k := range v.Reals {
				r := &v.Reals[k]
				at := target{Virtual: v.ID, Real: r.Name}
				if r.State == report.StateForeign || r.Fallback || index[i][at] != nil {
					continue
				}
				index[i][at] = r
				if !known(index[:i], at) {
					reals[v.ID] = append(reals[v.ID], r.Name)
				}
			}
		}
	}
	position := map[*report.Snapshot]int{}
	for i, of := range snaps {
		position[of.Snapshot] = i
	}
	for _, id := range order {
		v := Virtual{Virtual: id, Reals: []Subject{}}
		on := subjectOf(id, snaps, func(snap *report.Snapshot) string {
			if has[position[snap]][id] {
				return "configured"
			}
			return absent
		})
		if !on.Agreed {
			v.On = &on
		}
		for _, name := range reals[id] {
			v.Reals = append(v.Reals, realSubject(name, snaps, func(snap *report.Snapshot) *report.RealState {
				return index[position[snap]][target{Virtual: id, Real: name}]
			}))
		}
		s.Virtuals = append(s.Virtuals, v)
	}
}

// known reports whether a director before has a real server.
func known(index []map[target]*report.RealState, at target) bool {
	return slices.ContainsFunc(index, func(of map[target]*report.RealState) bool { return of[at] != nil })
}

// realSubject compares a real server: its state, and if all agree about that its weight.
func realSubject(name string, snaps []snapshot, of func(*report.Snapshot) *report.RealState) Subject {
	s := subjectOf(name, snaps, func(snap *report.Snapshot) string { return stateWord(of(snap)) })
	if !s.Agreed {
		return s
	}
	weighed := subjectOf(name, snaps, func(snap *report.Snapshot) string {
		r := of(snap)
		return stateWord(r) + ", weight " + weightOf(r)
	})
	if weighed.Agreed {
		return s
	}
	return weighed
}

// stateWord is what a director says of a real server; nil is that it does not have it.
func stateWord(r *report.RealState) string {
	switch {
	case r == nil:
		return absent
	case r.State == report.StateUp && !r.InService:
		return "up, out of service"
	case r.State != report.StateUp && r.InService:
		return string(r.State) + ", in service"
	}
	return string(r.State)
}

// weightOf is the weight of the file or of an order, "0" of none. What agents answer is left
// out: each director asks them at another moment.
func weightOf(r *report.RealState) string {
	switch {
	case r == nil:
		return "0"
	case r.Override != nil && r.Override.Percent > 0:
		return fmt.Sprintf("%d%% of %d", r.Override.Percent, r.Configured)
	case r.Override != nil && r.Override.Verb == report.Weight:
		return strconv.Itoa(r.Override.Weight)
	}
	return strconv.Itoa(r.Configured)
}

// Disagreements are what the directors do not say with one voice, each in one line.
func (s *Summary) Disagreements() []string {
	var lines []string
	note := func(of Subject) {
		if !of.Agreed {
			lines = append(lines, of.Name+": "+of.String())
		}
	}
	for _, of := range s.Others() {
		note(of)
	}
	for _, of := range s.Addresses {
		note(of)
	}
	for _, v := range s.Virtuals {
		if v.On != nil {
			note(*v.On)
			continue
		}
		for _, of := range v.Reals {
			note(Subject{Name: of.Name + " of " + v.Virtual, Says: of.Says, Agreed: of.Agreed})
		}
	}
	return lines
}

// Others are the versions and the configuration files of the directors, as far as they differ.
func (s *Summary) Others() []Subject {
	var list []Subject
	for name, of := range map[string]func(Member) string{
		"version": func(m Member) string { return m.Version }, "configuration": func(m Member) string { return m.Configuration },
	} {
		subject := Subject{Name: name}
		for _, m := range s.Directors {
			if m.Error == "" {
				subject.add(of(m), m.Director)
			}
		}
		if len(subject.Says) > 1 {
			list = append(list, subject)
		}
	}
	slices.SortFunc(list, func(a, b Subject) int { return strings.Compare(b.Name, a.Name) })
	return list
}

// Failed are the directors that did not answer.
func (s *Summary) Failed() (directors []string) {
	for _, m := range s.Directors {
		if m.Error != "" {
			directors = append(directors, m.Director)
		}
	}
	return directors
}

// Points is how much directors disagree about.
func Points(n int) string {
	if n == 1 {
		return "The directors disagree in one point"
	}
	return fmt.Sprintf("The directors disagree in %d points", n)
}

// Err says which directors did not answer, and how much they disagree about; nil is neither.
func (s *Summary) Err() error {
	var parts []string
	if failed := s.Failed(); len(failed) > 0 {
		parts = append(parts, fmt.Sprintf("no result from %d of %d directors: %s", len(failed), len(s.Directors), strings.Join(failed, ", ")))
	}
	if n := len(s.Disagreements()); n > 0 {
		parts = append(parts, Points(n)+", marked with !")
	}
	if len(parts) == 0 {
		return nil
	}
	return errors.New(strings.Join(parts, "; "))
}
