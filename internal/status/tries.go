package status

import (
	"net/netip"
	"sync"
	"time"
)

const (
	freeTries  = 9               // wrong tokens of one client that are answered without a pause
	firstPause = time.Second     // after the next one; it doubles with each that follows
	maxPause   = 5 * time.Minute // and no more
	forgetting = 10 * time.Minute
	maxClients = 4096 // that are remembered
	quietTime  = time.Minute
)

// tries count the wrong tokens of each client, and keep the log short: it has the first of
// many, and then their number once a minute.
type tries struct {
	log func(format string, args ...any)

	mu      sync.Mutex
	clients map[string]*tally
	more    int    // not logged
	last    string // which client sent the last of them
	timer   *time.Timer
}

// A tally has the wrong tokens of one client.
type tally struct {
	wrong int
	last  time.Time
	until time.Time // no token is tested before
}

func newTries(log func(string, ...any)) *tries {
	return &tries{log: log, clients: map[string]*tally{}}
}

// pause is the time until the token of a client is tested, 0 for now. An earlier try makes
// the pause longer.
func (t *tries) pause(client string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	c, now := t.clients[client], time.Now()
	if c == nil || !now.Before(c.until) {
		return 0
	}
	return t.count(c, client, now)
}

// wrong counts a wrong token, and returns the pause of its client.
func (t *tries) wrong(client string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	c := t.clients[client]
	if c == nil {
		t.makeRoom(now)
		c = new(tally)
		t.clients[client] = c
	} else if now.Sub(c.last) > forgetting && now.After(c.until) {
		*c = tally{}
	}
	return t.count(c, client, now)
}

// count adds one. t.mu is held.
func (t *tries) count(c *tally, client string, now time.Time) time.Duration {
	c.wrong++
	c.last = now
	t.report(client)
	if c.wrong <= freeTries {
		return 0
	}
	pause := maxPause
	if doublings := c.wrong - freeTries - 1; doublings < 9 {
		pause = min(firstPause<<doublings, maxPause)
	}
	c.until = now.Add(pause)
	return pause
}

// right forgets the wrong tokens of a client.
func (t *tries) right(client string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.clients, client)
}

// makeRoom forgets a client if there are too many, a quiet one if possible. t.mu is
// held.
func (t *tries) makeRoom(now time.Time) {
	if len(t.clients) < maxClients {
		return
	}
	some := ""
	for name, c := range t.clients { // in no order: clients cannot choose which one goes
		if now.Sub(c.last) > forgetting {
			delete(t.clients, name)
			return
		}
		some = name
	}
	delete(t.clients, some)
}

// report logs a refusal, or counts it. t.mu is held.
func (t *tries) report(client string) {
	if t.timer != nil {
		t.more++
		t.last = client
		return
	}
	t.log("Refused a request from %s: the token is missing or wrong", client)
	t.timer = time.AfterFunc(quietTime, t.sum)
}

// sum logs the number of refusals that were not logged.
func (t *tries) sum() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.timer == nil {
		return // closed meanwhile
	}
	if t.more == 0 {
		t.timer = nil
		return
	}
	t.logMore()
	t.timer = time.AfterFunc(quietTime, t.sum)
}

func (t *tries) logMore() {
	t.log("Refused %d more requests with a missing or wrong token, the last from %s", t.more, t.last)
	t.more = 0
}

// close ends the counting.
func (t *tries) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.timer == nil {
		return
	}
	t.timer.Stop()
	t.timer = nil
	if t.more > 0 {
		t.logMore()
	}
}

// clientOf is the client of an address: for IPv6 a whole network, of which one client can
// use all addresses.
func clientOf(remote string) string {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return remote
	}
	addr := at.Addr().Unmap().WithZone("")
	if addr.Is4() {
		return addr.String()
	}
	network, err := addr.Prefix(64)
	if err != nil || addr.IsLoopback() {
		return addr.String()
	}
	return network.String()
}
