package status

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/fleet"
	"github.com/ldirectord/ldirectord/internal/status/words"
)

// The page of the fleet asks each director once in fleetAge at most, for any number of readers,
// and only while there are readers. While a round goes on, readers get the last one, unless it
// is older than fleetOld.
const (
	fleetAge = 5 * time.Second
	fleetOld = 20 * time.Second
)

// fleetFrame is the page of the fleet.
var fleetFrame = template.Must(template.ParseFS(assets, "assets/fleet.html"))

// A fleetView keeps what the directors of the fleet said last.
type fleetView struct {
	ask func(context.Context, *conf.Config) (*fleet.Summary, error)
	ctx context.Context // of a round, which belongs to no single request

	rounds sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	of      *conf.Config
	last    *fleetRound
	running chan struct{}        // closed at the end of the present round, nil without one
	contact map[string]time.Time // when each director answered last
}

// A fleetRound is the answers of all directors at one moment.
type fleetRound struct {
	at      time.Time
	sum     *fleet.Summary
	err     error                // why none was asked
	contact map[string]time.Time // of those without contact, when they answered last
}

// askFleet asks all directors of a configuration.
func askFleet(ctx context.Context, cfg *conf.Config) (*fleet.Summary, error) {
	f, err := fleet.New(cfg.StatusServer)
	if err != nil {
		return nil, err
	}
	answers, err := f.Snapshots(ctx, "", "")
	if err != nil {
		return nil, err
	}
	return fleet.Summarize(answers), nil
}

// get returns a round, young enough. The error is that of ctx.
func (v *fleetView) get(ctx context.Context, cfg *conf.Config) (*fleetRound, error) {
	v.mu.Lock()
	if v.of != cfg {
		v.of, v.last, v.running, v.contact = cfg, nil, nil, map[string]time.Time{}
	}
	if v.closed {
		v.mu.Unlock()
		return nil, errors.New("the daemon ends")
	}
	if v.running == nil && (v.last == nil || time.Since(v.last.at) >= fleetAge) {
		v.running = make(chan struct{})
		v.rounds.Go(func() { v.round(cfg, v.contact, v.running) })
	}
	last, running := v.last, v.running
	v.mu.Unlock()
	if last != nil && time.Since(last.at) < fleetOld {
		return last, nil
	}
	select {
	case <-running:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.last == nil {
		return nil, errors.New("the configuration has changed meanwhile")
	}
	return v.last, nil
}

// close ends the present round, whose ctx is done, and allows no other.
func (v *fleetView) close() {
	v.mu.Lock()
	v.closed = true
	v.mu.Unlock()
	v.rounds.Wait()
}

// round asks all directors.
func (v *fleetView) round(cfg *conf.Config, contact map[string]time.Time, done chan struct{}) {
	sum, err := v.ask(v.ctx, cfg)
	v.mu.Lock()
	defer v.mu.Unlock()
	defer close(done)
	if v.of != cfg { // another configuration came meanwhile
		return
	}
	r := &fleetRound{at: time.Now(), sum: sum, err: err, contact: map[string]time.Time{}}
	if err == nil {
		for _, m := range sum.Directors {
			if m.Error == "" {
				contact[m.Director] = m.Time
			} else if at, ok := contact[m.Director]; ok {
				r.contact[m.Director] = at
			}
		}
	}
	v.last, v.running = r, nil
}

// A fleetRow is one director on the page.
type fleetRow struct {
	fleet.Member
	Class string // fine only with contact
	Words string
	Age   int // of its data in seconds; -1: there was no contact since the start
}

// rows are the directors of a round as the page has them.
func (r *fleetRound) rows(now time.Time) (rows []fleetRow) {
	for _, m := range r.sum.Directors {
		row := fleetRow{Member: m, Class: m.Level.String(), Words: m.State, Age: int(now.Sub(m.Time).Seconds())}
		switch {
		case m.Error != "":
			row.Class, row.Words, row.Age = words.Bad.String(), m.Error, -1
			if at, ok := r.contact[m.Director]; ok {
				row.Age = int(now.Sub(at).Seconds())
			}
		case m.DryRun:
			row.Class, row.Words = max(m.Level, words.Notable).String(), "dry run"
		}
		if m.Trouble != "" {
			row.Words += "; " + m.Trouble
		}
		rows = append(rows, row)
	}
	return rows
}

// A fleetData is the data of the page of the fleet.
type fleetData struct {
	Host, Program, DryRun string
	Error                 string
	Class, Title          string
	Age                   int
	Rows                  []fleetRow
	Disagree              []string
	More                  int // disagreements that are not listed
	Addresses             []addressRow
}

// An addressRow is a virtual address on the page.
type addressRow struct{ Name, Words, Class string }

// addressRows are the virtual addresses. One is fine if each director serves it: one without
// contact does not count as serving.
func addressRows(sum *fleet.Summary) (rows []addressRow) {
	for _, of := range sum.Addresses {
		row := addressRow{Name: of.Name, Words: of.String(), Class: words.Notable.String()}
		if of.Agreed && row.Words == fleet.Served {
			n := len(of.Says[0].Directors)
			row.Words = fmt.Sprintf("served by %d of %d directors", n, len(sum.Directors))
			if n == len(sum.Directors) {
				row.Class = words.Fine.String()
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// mostDisagreements bounds the page.
const mostDisagreements = 200

// serveFleet is the page of all directors.
func (s *Server) serveFleet(w http.ResponseWriter, r *http.Request) {
	cfg := s.config()
	if cfg == nil || len(cfg.Directors) == 0 {
		http.Error(w, "there is no fleet: the configuration has no line directors = HOST:PORT HOST:PORT", http.StatusNotFound)
		return
	}
	ctx, cancel := limited(r)
	defer cancel()
	round, err := s.fleet.get(ctx, cfg)
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	var b bytes.Buffer
	if err := fleetFrame.Execute(&b, s.fleetData(round)); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = b.WriteTo(w) // the client may be gone
}

// fleetData is what the page says of a round.
func (s *Server) fleetData(round *fleetRound) fleetData {
	now := time.Now()
	host, _ := os.Hostname() // the page works without it
	d := fleetData{Host: host, Program: s.o.Version, Age: int(now.Sub(round.at).Seconds()), Class: words.Fine.String()}
	if s.o.DryRun {
		d.DryRun = words.DryRun
	}
	if round.err != nil {
		d.Class, d.Title, d.Error = words.Bad.String(), "No director can be asked", round.err.Error()
		return d
	}
	d.Rows, d.Addresses = round.rows(now), addressRows(round.sum)
	d.Disagree = round.sum.Disagreements()
	if d.More = len(d.Disagree) - mostDisagreements; d.More > 0 {
		d.Disagree = d.Disagree[:mostDisagreements]
	}
	worst := words.Fine
	for _, m := range round.sum.Directors {
		worst = max(worst, m.Level)
		if m.DryRun {
			worst = max(worst, words.Notable)
		}
	}
	switch failed := len(round.sum.Failed()); {
	case failed > 0:
		d.Class, d.Title = words.Bad.String(), fmt.Sprintf("No contact to %d of %d directors", failed, len(d.Rows))
	case len(d.Disagree) > 0:
		d.Class, d.Title = max(worst, words.Notable).String(), fleet.Points(len(d.Disagree)+max(d.More, 0))
	case worst > words.Fine:
		d.Class, d.Title = worst.String(), "All directors agree, but look below"
	default:
		d.Title = fmt.Sprintf("All %d directors agree", len(d.Rows))
	}
	return d
}
