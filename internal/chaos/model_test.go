package chaos

import (
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/ldirectord/ldirectord/ipvs"
)

// The verdicts of the model.
type verdict uint8

const (
	unchecked verdict = iota
	up
	down
)

// A pair is one real server of one virtual service, as the documents have it.
type pair struct {
	*entry
	service, host int
	configured    bool
	weight        int
	bad           bool        // thresholds that no kernel takes (l:5), but with an upper one of its agent
	as, asBeside  *pair       // whose answers to the own check, and of the agent beside it, are those of p, too; nil is none
	works         bool        // what checks find, of several the own one
	broken        [kinds]bool // what those of the blocks do not
	parts         []part      // several checks, nil is the own one

	verdict      verdict
	fails, goods int
	changed      time.Time // the verdict
	says, share  int       // its agent's answer, and the known part of it, in percent; see noShare
	foundNow     bool      // found is of the present load, or of the last one
	found        bool      // a start or reload has found it in service, and its agent has not answered yet
	wishes
	advisor
	byAgent      bool      // share is of an agent
	climbed      time.Time // when it began to (slowstart); the zero time is never
	isIn         bool      // it is to be in service, but for flapdamping
	inSince      time.Time // isIn was another
	atFull       bool      // it was kept when it came up: then it does not climb
	downs        []time.Time
	damped       time.Time // when flapdamping may have begun to keep it out; the zero time is never
	heard        bool      // a check of it has finished since the start or the reload that added it
	held         bool      // in maintenance, as far as the director knows
	kept, leaves bool      // in service although it is down (minalive), or may be kept so
	wait
	zeroed      bool     // somebody has set its weight to 0 since all was settled
	ordering             // in force
	own, ofFile ordering // the operator's, and that of a file
	limiting
	waitsByName bool // its wait follows its name (resolve)
}

// An ordering is the order for a real server.
type ordering struct {
	order   string
	weigh   int    // of the order weight
	percent int    // of the file's weight in place of it, 0 is none
	host    string // the name that it was given for (resolve), "" is none
}

// An entry is what the kernel has, or would have, for one real server or for two.
type entry struct {
	place
	unsure bool // what the director knows is not known until all is settled
	hand   int  // the weight that somebody has set, -1 is none
	absent bool // dead, and deleted by somebody
	stolen bool // deleted by somebody while it was in service, before driftcheck
	gone   bool // deleted, and reported as a failure, since the last load
}

// A service is one virtual service.
type service struct {
	configured bool
	quiescent  bool
	expires    bool // by quiescenttime, which is over when all is settled
	fallback   bool
	cleanStop  bool
	slow       bool // slowstart
	slowLimit  bool // what does not work answers well, and too late
	damp       bool // flapdamping
	byHand     bool // return = byhand
	command    bool // fallbackcommand
	agent      bool // checktype=agent
	drains     bool // httpdrain
	weighs     bool // externalweight
	beside     bool // agentport
	minAlive   int
	joint      joint
	several    several
	shared     bool // the last two real servers are one entry
	naming     naming
	fall, rise int
	scheduler  string // of the file
	inForce    string // what the kernel has taken
	invalid    bool   // persistent=0
	pairs      [hosts + 1]*pair
	foreign    map[netip.AddrPort]int
	unseen     *pair // whose entry, or one beside it, has an external change since driftcheck; nil is none
}

const (
	services = 3
	hosts    = 4
)

// A world is the model, with its knowledge of the table.
type world struct {
	mu       sync.Mutex
	services [services + 1]*service
	old      [services + 1]bool // configured before the reload that goes on
	loading  bool               // a start or reload goes on
	only     int                // of this service alone, 0 is of all
	reading  bool               // a reload may read the table
	starting bool               // it is a start
	stopping bool               // the director has been stopped

	blindfolded bool // driftcheck = 0
	twins       bool // services 1 and 2 have the same checks
	faulty      bool // the kernel fails, or has failed just now

	waiting map[*service]bool // for a decision, after several results at once; nil is that none waits
	lost    map[place]bool    // changes that were made, of which the director does not know
	quiet   string            // why nothing may be written, "" for else
	files   map[string]*file  // in the maintenance directory
	seen    map[string]*file  // files, as they were read last
	orders  bool              // maintenanceorders
	dir     string
	table   map[ipvs.Key]map[netip.AddrPort]int
	limits  map[place]written // of table
	wrong   []string
	history []string // the last events
	judged  int
}

// A place is a destination of a service.
type place struct {
	key ipvs.Key
	at  netip.AddrPort
}

func newWorld() *world {
	w := &world{files: map[string]*file{}, seen: map[string]*file{}, lost: map[place]bool{}, limits: map[place]written{}, table: map[ipvs.Key]map[netip.AddrPort]int{}}
	for s := 1; s <= services; s++ {
		w.services[s] = &service{fall: 1, rise: 1, scheduler: "rr", foreign: map[netip.AddrPort]int{}}
		for h := 1; h <= hosts; h++ {
			at := &entry{hand: -1, place: place{keyOf(s), addrOf(h)}}
			w.services[s].pairs[h] = &pair{entry: at, service: s, host: h, weight: 1, works: true, says: 100, share: 100}
		}
	}
	return w
}

// keyOf is the key of a service. The second one is a firewall mark.
func keyOf(s int) ipvs.Key {
	if s == 2 {
		return ipvs.MarkKey(2, false)
	}
	return ipvs.AddrKey(ipvs.TCP, netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(s)}), 80))
}

// virtualName is how the file has a service.
func virtualName(s int) string {
	if s == 2 {
		return "2"
	}
	return fmt.Sprintf("10.0.0.%d:80", s)
}

func addrOf(h int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, 0, byte(h)}), 8080)
}

var fallbackAt = netip.MustParseAddrPort("127.0.0.1:80")

// number is which service a key is, 0 for none.
func number(k ipvs.Key) int {
	for s := 1; s <= services; s++ {
		if keyOf(s) == k {
			return s
		}
	}
	return 0
}

// hear counts one result, as docs/checks.md says.
func (w *world) hear(p *pair, kind int, ok bool) {
	s := w.services[p.service]
	if ok && s.configured && p.configured && s.uses(p, kind) {
		before, awaited := p.part(), p.awaits()
		p.carrying = w.carries(p)
		defer func() { p.carrying = false }()
		w.wish(p, kind)
		w.wished(p, before)
		if awaited && !p.awaits() { // it may not let it in any more
			w.keep(s)
		}
	}
	if s.configured && p.configured && p.held {
		p.finished(kind, s.beside)
	}
	if !s.configured || !p.configured || p.held {
		return
	}
	if before := p.awaits(); before {
		defer func() {
			if !p.awaits() { // the check that was to answer is down
				w.keep(s)
			}
		}()
	}
	switch {
	case p.parts != nil:
		w.hearPart(p, kind, ok)
		return
	case kind != ownCheck:
		return
	}
	if !p.heard {
		p.heard = true
		defer w.keep(s)
	}
	if ok {
		p.fails = 0
		if p.goods++; p.verdict == unchecked || p.verdict == down && p.goods >= s.rise {
			w.turned(p, up)
		}
		return
	}
	p.goods = 0
	if p.fails++; p.verdict == unchecked || p.verdict == up && p.fails >= s.fall {
		w.turned(p, down)
	}
}

// finished notes that a check has finished in maintenance, after which it is none of the first ones.
func (p *pair) finished(kind int, beside bool) {
	all := (p.asked || !beside) && (p.parts != nil || kind == ownCheck)
	for i := range p.parts {
		q := &p.parts[i]
		q.heard = q.heard || q.kind == kind
		all = all && q.heard
	}
	p.heard = p.heard || all
}

// turned is another verdict on a real server.
func (w *world) turned(p *pair, to verdict) {
	s := w.services[p.service]
	p.changed, p.climbed, p.carried = time.Now(), time.Time{}, p.carrying || w.carries(p)
	if to == down {
		p.wentDown()
	}
	p.atFull = to == up && p.kept
	p.verdict, p.goods = to, 0
	if to == up && s.slow {
		w.startSlowly(p)
	}
	switch {
	case !w.inBeside(p):
		p.hand = -1
	case s.ordersWeight(p): // the two may have different weights, and driftcheck may not have seen that of the operator
		p.unsure = true
	}
	weight, there := w.table[p.key][p.at]
	p.leaves = to == down && weight > 0
	p.absent = to == down && p.stolen && !there // to have weight 0 nothing is put back
	w.keep(s)
}

// in says whether the real server is in service, as far as is known for sure.
func (w *world) in(p *pair) bool { return w.alone(p) && w.together(p) }

// alone says the same by its own state.
func (w *world) alone(p *pair) bool {
	if p.awaits() && !p.found && p.full() > 0 {
		return false // it did not serve, and its next weight is unknown
	}
	return p.configured && !p.waits && (p.verdict == up || p.verdict == down && p.kept) && !p.held && p.order != "drain" && p.order != "disable" && p.part() != 0
}

// inBeside says whether the other real server with the entry of p is in service.
func (w *world) inBeside(p *pair) bool {
	return slices.ContainsFunc(w.services[p.service].pairs[1:], func(o *pair) bool { return o != p && o.at == p.at && w.in(o) })
}

// inDoubtBeside says whether another real server with the entry of p may be in service, or may be out.
func (w *world) inDoubtBeside(p *pair) bool {
	return slices.ContainsFunc(w.services[p.service].pairs[1:], func(o *pair) bool { return o != p && o.at == p.at && o.configured && w.alone(o) })
}

// may says whether the real server may be in service, or may be out.
func (w *world) may(p *pair, in bool) bool { return w.loads(p.service) || w.mightBe(p, in) }

// loads says whether a start or a reload of service n goes on.
func (w *world) loads(n int) bool { return w.loading && (w.only == 0 || w.only == n) }

// mightBe says the same but for a start or a reload that goes on.
func (w *world) mightBe(p *pair, in bool) bool {
	s := w.services[p.service]
	return p.unsure || p.mayWait || w.unclear(s) && (w.alone(p) || s.minAlive > 0) || w.in(p) == in || !in && w.mayBeDamped(p)
}

// tell gives the maintenance files to the model: a real server that they name is out, and
// one that they name no more comes back with the next good check.
func (w *world) tell() {
	out, orders := w.byFiles()
	for _, s := range w.services[1:] {
		for _, p := range s.pairs[1:] {
			switch file := out[p.name()]; {
			case file == p.held || !s.configured || !p.configured:
			case file:
				if w.in(p) && !w.inBeside(p) {
					p.hand, p.absent = -1, false
				}
				p.held, p.wishes.left, p.wishes.leftWeighs = true, false, false
				for kind := range p.wishes.of { // the answers after it decide anew
					p.wishes.of[kind].drains = false
				}
			default:
				p.held, p.verdict, p.fails, p.goods = false, down, s.fall, s.rise-1
				s.awaitParts(p)
			}
		}
		w.keep(s)
	}
	w.tellOrders(orders)
}

// full is the weight that the real server is to have while it is in service.
func (p *pair) full() int {
	if p.hand >= 0 {
		return p.hand
	}
	weight := p.base()
	if weight == 0 || p.part() == noShare {
		return weight
	}
	return max(1, weight*p.part()/100)
}

// base is the weight of which an agent wants a share: of an order, else of an exit status, else of the file.
func (p *pair) base() int {
	switch {
	case p.order == "weight":
		if p.percent > 0 {
			return min(1, p.weight) * max(1, p.weight*p.percent/100)
		}
		return p.weigh
	case p.asks() >= 0:
		return p.asks()
	}
	return p.weight
}

func (w *world) say(format string, args ...any) {
	w.wrong = append(w.wrong, fmt.Sprintf(format, args...))
}

// made notes a change of the table, whoever has made it.
func (w *world) made(c ipvs.Change) {
	key, at := c.Service.Key, c.Destination.AddrPort
	w.limited(c)
	switch c.Op {
	case ipvs.AddService:
		w.table[key] = map[netip.AddrPort]int{}
	case ipvs.EditService:
	case ipvs.DeleteService:
		delete(w.table, key)
	case ipvs.DeleteDestination:
		delete(w.table[key], at)
	case ipvs.AddDestination, ipvs.EditDestination:
		w.table[key][at] = c.Destination.Weight
	}
}
