package daemon

import (
	"slices"
	"time"

	"github.com/ldirectord/ldirectord/internal/beside"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/logfile"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/state"
)

// keptHistory is the size in bytes with which the history's file is written anew when it has
// grown to twice as much.
const keptHistory = 4 << 20

// historyPatience bounds the wait for the file at the end of the daemon.
const historyPatience = 2 * time.Second

// A chronicle keeps the history in a file, for the next daemon of the configuration file. It
// writes in a goroutine of its own: nothing waits for the disk. What the disk does not take
// stays in the history, and is written later. The nil chronicle, of a dry run, keeps nothing.
type chronicle struct {
	history *event.History
	journal *state.Journal
	kept    int // see keptHistory
	again   chan struct{}
	end     chan struct{}
	done    chan struct{}
	keeping keeping

	// Owned by the goroutine of run.
	written uint64 // the number of the last event in the file
}

// kept is what the daemon keeps of itself in files, besides orders and its virtual services.
type kept struct {
	history *chronicle
	damped  *listFile
	gone    *listFile
	beside  *beside.Keeper
}

func (k kept) mend() []report.Fault {
	return slices.Concat(k.history.mend(), k.damped.mend(), k.gone.mend(), k.beside.Faults())
}

func (k kept) close() {
	k.history.close()
	k.damped.close()
	k.gone.close()
}

// history is that of the earlier daemons of the file, and what keeps it. It costs one line of
// the log if it cannot be read, and nothing else. A large one is complete a moment later: the start
// does not wait for it.
func (p *process) history() (*event.History, *chronicle) {
	h := new(event.History)
	if p.DryRun {
		h.Begin(event.Event{}, time.Now())
		return h, nil
	}
	journal := p.memory().Journal(p.Path)
	lines, err := journal.Read()
	if err != nil {
		p.Log.Printf(logfile.HistoryLost, journal.Path, err, setAside(journal))
	}
	h.Begin(event.LastOf(lines), time.Now())
	return h, beginChronicle(h, journal, keptHistory, p.Log.Printf, func() {
		events, bad, first := event.ParseLines(lines)
		if bad > 0 {
			p.Log.Printf(logfile.HistoryDamaged, journal.Path, bad, first, setAside(journal))
		}
		h.Restore(events)
	})
}

// beginChronicle keeps h in the journal until close, after restore.
func beginChronicle(h *event.History, journal *state.Journal, kept int, log logger, restore func()) *chronicle {
	c := &chronicle{
		history: h, journal: journal, kept: kept, again: make(chan struct{}, 1), end: make(chan struct{}), done: make(chan struct{}),
		keeping: keeping{what: "the history cannot be kept for a restart", log: log},
	}
	go c.run(restore)
	return c
}

// setAside returns in words what becomes of the file.
func setAside(journal *state.Journal) string {
	kept, err := journal.SetAside()
	if err != nil {
		return "it cannot be kept aside: " + err.Error()
	}
	return "it is kept as " + kept
}

func (c *chronicle) run(restore func()) {
	defer close(c.done)
	defer c.journal.Close()
	restore()
	bell := c.history.Bell()
	for {
		select {
		case <-bell:
			if c.keeping.fails() {
				continue // mend tries again
			}
		case <-c.again:
		case <-c.end:
			c.write()
			return
		}
		c.write()
	}
}

// write adds to the file what it lacks.
func (c *chronicle) write() { c.keeping.ended(c.add()) }

func (c *chronicle) add() error {
	events := c.history.KeptAfter(c.written)
	if len(events) == 0 {
		return nil
	}
	var lines []byte
	for _, e := range events {
		lines = append(lines, e.Line()...)
	}
	if c.journal.Size()+int64(len(lines)) <= 2*int64(c.kept) {
		added, err := c.journal.Append(lines)
		if err != nil {
			return err
		}
		if added {
			c.written = events[len(events)-1].Seq
			return nil
		}
	}
	events, lines = event.Newest(c.history.KeptAfter(0), c.kept)
	if err := c.journal.Replace(lines); err != nil {
		return err
	}
	c.written = events[len(events)-1].Seq
	return nil
}

// mend has a failed write tried again, and returns the fault until that has succeeded.
func (c *chronicle) mend() []report.Fault {
	if c == nil || !c.keeping.fails() {
		return nil
	}
	select {
	case c.again <- struct{}{}:
	default:
	}
	return c.keeping.faults()
}

// close writes the rest, for at most historyPatience.
func (c *chronicle) close() {
	if c == nil {
		return
	}
	close(c.end)
	c.keeping.last(c.done)
}
