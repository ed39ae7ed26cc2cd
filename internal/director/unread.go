package director

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ldirectord/ldirectord/ipvs"
)

const (
	// startPatience is how long a start waits for a table that cannot be read.
	startPatience = 30 * time.Second
	// readPause is how long it waits between two tries.
	readPause = time.Second
)

// awaitTable is the kernel's table, as soon as it can be read: which real servers are
// in service is not known before, and nothing is written. It is nil when ctx is done;
// the error comes after startPatience.
func (d *Director) awaitTable(ctx context.Context) ([]ipvs.Entry, error) {
	for began := time.Now(); ; {
		if table, readable := d.readTable(); readable {
			return table, nil
		}
		if time.Since(began) >= startPatience {
			return nil, fmt.Errorf("reading the IPVS table failed for %s, nothing was changed: %w", startPatience, d.kernel.err)
		}
		select {
		case <-ctx.Done():
			return nil, nil
		case <-time.After(readPause):
		}
	}
}

// believedTable is the table as it is believed to be, for a reload that cannot read it.
func (d *Director) believedTable() map[ipvs.Key]*ipvs.Entry {
	entries := make(map[ipvs.Key]*ipvs.Entry, len(d.virtuals))
	for _, v := range d.virtuals {
		if !v.have.present {
			continue
		}
		e := &ipvs.Entry{Service: v.have.service}
		for _, s := range v.have.slots {
			e.Destinations = append(e.Destinations, s.destination())
		}
		entries[v.service.Key] = e
	}
	return entries
}

// markUnread marks the virtual services of virtuals that olds, those of the
// configuration before, do not have: whether the table has them is not known, and
// nothing is written for them before it is.
func markUnread(virtuals, olds []*virtual) {
	known := make(map[ipvs.Key]bool, len(olds))
	for _, v := range olds {
		known[v.service.Key] = !v.unread
	}
	for _, v := range virtuals {
		v.unread = !known[v.service.Key]
	}
}

// retryUnread reads the table again while there are virtual services of which it is
// not known. The others are left to driftcheck.
func (d *Director) retryUnread(now time.Time) {
	if now.Sub(d.kernel.reread) < retryInterval || !slices.ContainsFunc(d.virtuals, isUnread) {
		return
	}
	d.kernel.reread = now
	_, entries, err := d.doubtful()
	if !d.readable(err) {
		return
	}
	for _, v := range d.virtuals {
		if v.unread {
			d.enterUnread(v, entries[v.service.Key])
		}
	}
}

func isUnread(v *virtual) bool { return v.unread }

// enterUnread brings v, which a reload has added without a look at the table, into
// the kernel. e is what the table has of it, nil is nothing.
func (d *Director) enterUnread(v *virtual, e *ipvs.Entry) {
	v.unread = false
	v.find(e)
	d.enter(v, e != nil, &lastReals{virtuals: d.virtuals})
}
