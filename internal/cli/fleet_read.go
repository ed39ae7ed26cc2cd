package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/internal/daemon"
	"github.com/ldirectord/ldirectord/internal/fleet"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/status/client"
	"github.com/ldirectord/ldirectord/internal/status/words"
)

// showAll prints what all directors say, side by side. It fails if one of them does not answer,
// or if they disagree.
func showAll(s *session, o showOptions) error {
	f, err := openFleet(s)
	if err != nil {
		return err
	}
	answers, err := f.Snapshots(context.Background(), o.virtual, o.real)
	if err != nil {
		return err
	}
	sum := fleet.Summarize(answers)
	why := sum.Err()
	if o.json {
		return errors.Join(printJSON(s.Stdout, sum), silently(why != nil))
	}
	if err := writeSummary(s.Stdout, sum, columnsOf(s.Stdout)); err != nil || why == nil {
		return err
	}
	return &daemon.Exit{Status: exitFailed, Text: why.Error()}
}

// A directorNotes is the history of one director.
type directorNotes struct {
	Director string         `json:"director"`
	Notes    []report.Note  `json:"notes,omitempty"`
	Error    *directorError `json:"error,omitempty"`
}

// historyAll prints the history of all directors in the order of time.
func historyAll(s *session, q report.HistoryQuery, asJSON bool) error {
	f, err := openFleet(s)
	if err != nil {
		return err
	}
	answers, err := fleet.Ask(context.Background(), f, fleet.ToRead, func(ctx context.Context, c *client.Client) ([]report.Note, error) { return c.History(ctx, q) })
	if err != nil {
		return err
	}
	if asJSON {
		list := []directorNotes{}
		for _, a := range answers {
			list = append(list, directorNotes{Director: a.Director, Notes: a.Value, Error: errorOf(a.Err)})
		}
		return errors.Join(printJSON(s.Stdout, list), silently(len(fleet.Failed(answers)) > 0))
	}
	return errors.Join(writeHistories(s.Stdout, answers, q.Limit), unanswered(s, answers))
}

// writeHistories writes the last notes of all directors together.
func writeHistories(w io.Writer, answers []fleet.Answer[[]report.Note], limit int) error {
	type line struct {
		at   time.Time
		text string
	}
	var lines []line
	width := 0
	for _, a := range answers {
		width = max(width, len(a.Director))
	}
	for _, a := range answers {
		for _, n := range a.Value {
			lines = append(lines, line{n.Time, words.OneLine(fmt.Sprintf("%s %-*s %-20s %s", n.Time.Local().Format(time.DateTime), width, a.Director, n.Virtual, n.Text))})
		}
	}
	slices.SortStableFunc(lines, func(a, b line) int { return a.at.Compare(b.at) })
	out := bufio.NewWriter(w)
	for _, l := range lines[max(0, len(lines)-limit):] {
		fmt.Fprintln(out, l.text)
	}
	return out.Flush()
}

// unanswered reports which directors did not answer, each with the reason; nil if all did.
func unanswered[T any](s *session, answers []fleet.Answer[T]) error {
	for _, a := range answers {
		if a.Err != nil {
			fmt.Fprintf(s.Stderr, "%s: %v\n", a.Director, a.Err)
		}
	}
	failed := fleet.Failed(answers)
	if len(failed) == 0 {
		return nil
	}
	return &daemon.Exit{Status: exitFailed, Text: fmt.Sprintf("no result from %d of %d directors: %s", len(failed), len(answers), strings.Join(failed, ", "))}
}

// A directorPlan is the plan of one director.
type directorPlan struct {
	Director string           `json:"director"`
	Changes  []changeDocument `json:"changes,omitempty"`
	LeftOut  []report.LeftOut `json:"left_out,omitempty"`
	Error    *directorError   `json:"error,omitempty"`
}

// planAll prints what a reload of each director would change in its kernel.
func planAll(s *session, asJSON bool) error {
	f, err := openFleet(s)
	if err != nil {
		return err
	}
	answers, err := fleet.Ask(context.Background(), f, fleet.ToKnow, func(ctx context.Context, c *client.Client) (report.Plan, error) { return c.Plan(ctx) })
	if err != nil {
		return err
	}
	changes, list := 0, []directorPlan{}
	for _, a := range answers {
		n := len(a.Value.Changes)
		changes += n
		list = append(list, directorPlan{Director: a.Director, Changes: changesOf(a.Value.Changes), LeftOut: a.Value.LeftOut, Error: errorOf(a.Err)})
		switch {
		case asJSON, a.Err != nil:
			continue
		case n == 0:
			fmt.Fprintf(s.Stdout, "%s: nothing to change\n", a.Director)
		default:
			fmt.Fprintf(s.Stdout, "%s: %s\n", a.Director, plural(n, "change"))
		}
		writePlan(s.Stdout, "    ", a.Value)
	}
	failed := silently(len(fleet.Failed(answers)) > 0)
	if asJSON {
		err = printJSON(s.Stdout, list)
	} else {
		failed = unanswered(s, answers)
	}
	if failed == nil && changes > 0 {
		failed = &daemon.Exit{Status: exitPlanned}
	}
	return errors.Join(err, failed)
}

// A directorFindings is what the doctor finds on the host of one director.
type directorFindings struct {
	Director string           `json:"director"`
	Findings []client.Finding `json:"findings,omitempty"`
	Error    *directorError   `json:"error,omitempty"`
}

// doctorAll prints what is wrong with the host of each director. The exit status is that of the
// worst finding, and at least 1 if a director does not answer.
func doctorAll(s *session, asJSON bool) error {
	f, err := openFleet(s)
	if err != nil {
		return err
	}
	answers, err := f.Doctor(context.Background())
	if err != nil {
		return err
	}
	worst, list := 0, []directorFindings{}
	for _, a := range answers {
		list = append(list, directorFindings{Director: a.Director, Findings: a.Value, Error: errorOf(a.Err)})
		for _, of := range a.Value {
			worst = max(worst, map[string]int{"warning": 1, "error": 2}[of.Severity])
		}
		if !asJSON && a.Err == nil {
			writeDirectorFindings(s.Stdout, a.Director, a.Value)
		}
	}
	failed := silently(len(fleet.Failed(answers)) > 0)
	if asJSON {
		err = printJSON(s.Stdout, list)
	} else {
		failed = unanswered(s, answers)
	}
	switch {
	case failed == nil && worst > 0:
		failed = &daemon.Exit{Status: worst}
	case failed != nil && worst > exitFailed:
		failed = &daemon.Exit{Status: worst, Text: failed.Error()}
	}
	return errors.Join(err, failed)
}

// writeDirectorFindings writes the findings on the host of one director.
func writeDirectorFindings(w io.Writer, director string, findings []client.Finding) {
	if len(findings) == 0 {
		fmt.Fprintf(w, "%s: nothing is wrong there\n", director)
		return
	}
	fmt.Fprintf(w, "%s:\n", director)
	for _, of := range findings {
		fmt.Fprintf(w, "  %-8s %s\n           %s\n", words.OneLine(of.Severity), words.OneLine(of.What), words.OneLine(of.Why))
		if of.Cure != "" {
			fmt.Fprintf(w, "           cure: %s\n", words.OneLine(of.Cure))
		}
	}
}
