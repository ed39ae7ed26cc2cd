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
	refused       bool        // thresholds that no kernel takes (l:5)
	works         bool        // what checks find, of several the own one
	broken        [kinds]bool // what those of the blocks do not
	parts         []part      // several checks, nil is the own one

	verdict      verdict
	fails, goods int
	changed      time.Time // the verdict
	says, share  int       // its agent's answer, and the known part of it, in percent; see noShare
	found        bool      // a start or reload has found it in service, and its agent has not answered yet
	status
	advisor
	byAgent      bool      // share is of an agent
	byAnswer     bool      // share is of an answer that may drain (httpdrain)
	climbed      time.Time // when it began to (slowstart); the zero time is never
	atFull       bool      // it was kept when it came up: then it does not climb
	downs        []time.Time
	damped       time.Time // when flapdamping may have begun to keep it out; the zero time is never
	heard        bool      // a check of it has finished since the start or the reload that added it
	held         bool      // in maintenance, as far as the director knows
	kept, leaves bool      // in service although it is down (minalive), or may be kept so
	wait
	zeroed  bool // somebody has set its weight to 0 since all was settled
	order   string
	ordered int
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
	reading  bool               // a reload may read the table
	starting bool               // it is a start
	stopping bool               // the director has been stopped

	blindfolded bool // driftcheck = 0
	faulty      bool // the kernel fails, or has failed just now

	lost    map[place]bool // changes that were made, of which the director does not know
	quiet   string         // why nothing may be written, "" for else
	files   map[int]bool   // in the maintenance directory, by host
	seen    map[int]bool   // files, as they were read last
	table   map[ipvs.Key]map[netip.AddrPort]int
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
	w := &world{files: map[int]bool{}, seen: map[int]bool{}, lost: map[place]bool{}, table: map[ipvs.Key]map[netip.AddrPort]int{}}
	for s := 1; s <= services; s++ {
		w.services[s] = &service{fall: 1, rise: 1, scheduler: "rr", foreign: map[netip.AddrPort]int{}}
		for h := 1; h <= hosts; h++ {
			at := &entry{hand: -1, place: place{keyOf(s), addrOf(h)}}
			w.services[s].pairs[h] = &pair{entry: at, service: s, host: h, weight: 1, works: true, says: 100, share: 100}
		}
	}
	return w
}

func keyOf(s int) ipvs.Key {
	return ipvs.AddrKey(ipvs.TCP, netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(s)}), 80))
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
	if ok && kind == ownCheck && s.weighs && s.configured && p.configured { // in maintenance, too
		w.exit(p)
	}
	if !s.configured || !p.configured || p.held {
		return
	}
	if before := p.share; ok && kind == ownCheck && (s.agent || s.drains) {
		if p.share = p.says; s.drains {
			p.share = min(100, 100*p.says)
		}
		if (before == 0) != (p.share == 0) || before == noShare { // it counts as up, or no more
			defer w.keep(s)
		}
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

// turned is another verdict on a real server.
func (w *world) turned(p *pair, to verdict) {
	s := w.services[p.service]
	p.changed, p.climbed, p.carried = time.Now(), time.Time{}, w.carries(p)
	if to == down {
		p.wentDown()
	}
	p.atFull = to == up && p.kept
	if to == up && s.slow {
		p.climbed = p.changed
	}
	p.verdict, p.goods = to, 0
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
	if p.mayAnswer() && !p.found && p.full() > 0 {
		return false // it did not serve, and its next weight is unknown
	}
	return p.configured && !p.waits && (p.verdict == up || p.verdict == down && p.kept) && !p.held && p.order != "drain" && p.order != "disable" && p.part() != 0
}

// inBeside says whether the other real server with the entry of p is in service.
func (w *world) inBeside(p *pair) bool {
	return slices.ContainsFunc(w.services[p.service].pairs[1:], func(o *pair) bool { return o != p && o.at == p.at && w.in(o) })
}

// may says whether the real server may be in service, or may be out.
func (w *world) may(p *pair, in bool) bool { return w.loading || w.mightBe(p, in) }

// mightBe says the same but for a start or a reload that goes on.
func (w *world) mightBe(p *pair, in bool) bool {
	s := w.services[p.service]
	return p.unsure || p.mayWait || w.unclear(s) && (w.alone(p) || s.minAlive > 0) || w.in(p) == in || !in && w.mayBeDamped(p)
}

// tell gives the maintenance files to the model: a real server that they name is out, and
// one that they name no more comes back with the next good check.
func (w *world) tell() {
	for _, s := range w.services[1:] {
		for _, p := range s.pairs[1:] {
			switch file := w.seen[p.machine()]; {
			case file == p.held || !s.configured || !p.configured:
			case file:
				if w.in(p) && !w.inBeside(p) {
					p.hand, p.absent = -1, false
				}
				if p.held = true; s.drains { // the answers after it decide anew
					p.share = 100
				}
			default:
				p.held, p.verdict, p.fails, p.goods = false, down, s.fall, s.rise-1
				s.awaitParts(p)
			}
		}
		w.keep(s)
	}
}

// full is the weight that the real server is to have while it is in service.
func (p *pair) full() int {
	weight := p.weight
	switch {
	case p.hand >= 0:
		return p.hand
	case p.order == "weight":
		weight = p.ordered
	case p.byStatus && p.share != noShare && p.asks >= 0:
		weight = p.asks
	}
	if weight == 0 || p.part() == noShare {
		return weight
	}
	return max(1, weight*p.part()/100)
}

// begin is what a start or a reload makes of the model: who is in the table with
// a weight, and not known, is up until a check says otherwise.
func (w *world) begin(start bool) {
	for n, s := range w.services {
		if n == 0 {
			continue
		}
		if !s.invalid {
			s.inForce = s.scheduler
		}
		if rule := [2]int{s.joint.quorum, s.joint.hysteresis}; start || rule != s.joint.before {
			s.joint.met, s.joint.before = open, rule
		}
		if start {
			s.joint.needed = open
		}
		w.loadWaits(s)
		hands := map[*entry]int{}
		for _, p := range s.pairs[1:] {
			hands[p.entry] = p.hand
		}
		served := false
		for _, p := range s.pairs[1:] {
			p.hand, p.absent, p.gone = -1, false, false
			if !s.slow {
				p.climbed = time.Time{}
			}
			if !p.configured || !s.configured || p.byAgent != s.agent || p.byAnswer && !s.drains || p.byStatus != s.weighs || s.weighs && p.bySlow != s.slowLimit || p.byAdvice != s.beside {
				found := p.found && p.share == noShare && (!p.byStatus || p.order != "weight") && p.configured && s.configured // another one has to answer, too
				for _, o := range s.pairs[1:] {                                                                                // whether it counts as up before another agent has answered is not known
					o.unsure = o.unsure || p.part() == 0 && (o == p || s.minAlive > 0)
				}
				p.forgetShare(s)
				p.found = found
			}
			p.byAnswer = s.drains
			p.found = p.share == noShare && (p.found || w.table[p.key][p.at] > 0)
			if !p.configured || !s.configured {
				p.verdict, p.fails, p.goods, p.held, p.heard, p.parts = unchecked, 0, 0, false, false, nil
				continue
			}
			s.takeParts(p)
			if p.verdict == unchecked && w.table[p.key][p.at] > 0 {
				p.verdict, p.changed = up, time.Now()
				p.assumeParts()
			}
			if !start {
				p.hand = hands[p.entry] // the operator's weight 0 is service, too
			}
			served = served || w.serves(p)
			p.hand = -1
		}
		w.keepForeign(n, s, start, served)
		w.keep(s)
	}
}

func (w *world) say(format string, args ...any) {
	w.wrong = append(w.wrong, fmt.Sprintf(format, args...))
}

// made notes a change of the table, whoever has made it.
func (w *world) made(c ipvs.Change) {
	key, at := c.Service.Key, c.Destination.AddrPort
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
