package director

import (
	"slices"
	"time"

	"github.com/ldirectord/ldirectord/internal/virtual"
	"github.com/ldirectord/ldirectord/ipvs"
)

// markUnread marks the virtual services of virtuals that olds, those of the
// configuration before, do not have: whether the table has them is not known, and
// nothing is written for them before it is.
func markUnread(virtuals, olds []*virtual.Service) {
	known := make(map[ipvs.Key]bool, len(olds))
	for _, v := range olds {
		known[v.Service.Key] = !v.Unread
	}
	for _, v := range virtuals {
		v.Unread = !known[v.Service.Key]
	}
}

// retryUnread reads the table again while there are virtual services of which it is
// not known. The others are left to driftcheck.
func (d *Director) retryUnread(now time.Time) {
	if now.Sub(d.reread) < retryInterval || !slices.ContainsFunc(d.virtuals, isUnread) {
		return
	}
	d.reread = now
	_, entries, readable := d.doubtful()
	if !readable {
		return
	}
	for _, v := range d.virtuals {
		if v.Unread {
			d.enterUnread(v, entries[v.Service.Key])
		}
	}
}

func isUnread(v *virtual.Service) bool { return v.Unread }

// enterUnread brings v, which a reload has added without a look at the table, into
// the kernel. e is what the table has of it, nil is nothing.
func (d *Director) enterUnread(v *virtual.Service, e *ipvs.Entry) {
	v.Unread = false
	v.Find(e)
	d.enter(v, e != nil, &virtual.LastReals{Virtuals: d.virtuals})
}
