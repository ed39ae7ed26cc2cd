package chaos

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// The kinds of checks that a service has: its own one, and those of its two check blocks.
const (
	ownCheck = iota
	appCheck
	dbCheck
	kinds
)

var blockNames = [kinds]string{"", "app", "db"}

// A several is what the file says of the checks of a service, besides its own one.
type several struct {
	also       []int // the kinds of the alsocheck lines
	needed     int   // checksneeded, 0 is all
	inPlace    [hosts + 1]int
	manners    [kinds]manner
	fall, rise [kinds]int // of the blocks
}

// A part is one of several checks of a real server.
type part struct {
	kind         int
	verdict      verdict
	fails, goods int
	heard        bool // it has finished since the start or the reload that added it
	awaited      bool // it has not finished since the end of a maintenance
}

// shakeSeveral changes what the file says of the checks of a service.
func (s *service) shakeSeveral(random *rand.Rand) {
	s.several = several{}
	if random.IntN(3) == 0 {
		return
	}
	v := &s.several
	for range random.IntN(4) {
		v.also = append(v.also, appCheck+random.IntN(2))
	}
	v.needed = random.IntN(2 + len(v.also)) // 0 is all, and so are as many as there are
	if random.IntN(8) == 0 {
		v.needed = 9
	}
	for h := 1; h <= hosts; h++ {
		if random.IntN(4) == 0 && !s.agent {
			v.inPlace[h] = appCheck + random.IntN(2)
		}
	}
	for kind := range v.fall {
		v.fall[kind], v.rise[kind] = 1+random.IntN(3), 1+random.IntN(2)
		v.manners[kind] = anyManner(random)
	}
}

// kindsOf are the checks of a real server, nil if it has just the own one of its service.
func (s *service) kindsOf(p *pair) []int {
	first := s.several.inPlace[p.host]
	if first == ownCheck && len(s.several.also) == 0 && !s.beside {
		return nil
	}
	return append([]int{first}, s.several.also...)
}

// limits are the failurecount and risecount of a check.
func (s *service) limits(kind int) (fall, rise int) {
	if kind == ownCheck {
		return s.fall, s.rise
	}
	return s.several.fall[kind], s.several.rise[kind]
}

// needed is how many of the checks of a real server make it up.
func (s *service) needed(p *pair) int {
	if n := s.several.needed; n > 0 && n < len(p.parts) {
		return n
	}
	return len(p.parts)
}

// blocks are the check blocks of service n in the file, each with a request of its own.
func (s *service) blocks(n int) string {
	var b strings.Builder
	for kind := appCheck; kind < kinds; kind++ {
		if s.several.fall[kind] > 0 {
			fmt.Fprintf(&b, "check=%s%d\n    service=http\n    request=\"/s%d/%d\"\n    failurecount=%d\n    risecount=%d\n",
				blockNames[kind], n, n, kind, s.several.fall[kind], s.several.rise[kind])
			switch m := s.several.manners[kind]; {
			case m.drains:
				b.WriteString("    httpdrain=404\n")
			case m.weighs:
				fmt.Fprintf(&b, "    checktype=external\n    checkcommand=/kind%d/s%d\n    externalweight=yes\n", kind, n)
			}
		}
	}
	return b.String()
}

// lines are the lines of service n about several checks.
func (v *several) lines(n int) string {
	var b strings.Builder
	for _, kind := range v.also {
		fmt.Fprintf(&b, "    alsocheck=%s%d\n", blockNames[kind], n)
	}
	if v.needed > 0 {
		fmt.Fprintf(&b, "    checksneeded=%d\n", v.needed)
	}
	return b.String()
}

// ofReal is what the line of a real server says of its check.
func (v *several) ofReal(p *pair) string {
	if kind := v.inPlace[p.host]; kind != ownCheck {
		return fmt.Sprintf(" check=%s%d", blockNames[kind], p.service)
	}
	return ""
}

// finds says whether a check of the real server is a good one.
func (p *pair) finds(kind int) bool {
	if kind == ownCheck {
		return p.source(kind).works
	}
	return !p.broken[kind]
}

// turn breaks or mends what one check of the real server finds.
func (p *pair) turn(kind int) {
	if kind == ownCheck {
		p = p.source(kind)
		p.works = !p.works
	} else {
		p.broken[kind] = !p.broken[kind]
	}
}

// sound says what the checks of the real server say when they have had their time.
func (w *world) sound(p *pair) bool {
	if p.parts == nil {
		return p.finds(ownCheck)
	}
	ups := 0
	for _, q := range p.parts {
		if p.finds(q.kind) {
			ups++
		}
	}
	return ups >= w.services[p.service].needed(p) && (!p.byAdvice || !p.isDown)
}

// score says what the checks of a real server decide, those that have finished only or all;
// as long as some without a verdict may change it, unchecked.
func (s *service) score(p *pair, heard bool) verdict {
	ups, downs, needed := 0, 0, s.needed(p)
	for _, q := range p.parts {
		switch {
		case heard && !q.heard:
		case q.verdict == up:
			ups++
		case q.verdict == down:
			downs++
		}
	}
	switch {
	case p.byAdvice && p.isDown:
		return down
	case ups >= needed:
		return up
	case len(p.parts)-downs < needed:
		return down
	}
	return unchecked
}

// hearPart counts one result of a check of a real server with several, as docs/checks.md says.
func (w *world) hearPart(p *pair, kind int, ok bool) {
	s := w.services[p.service]
	fall, rise := s.limits(kind)
	for i := range p.parts {
		q := &p.parts[i]
		if q.kind == kind {
			q.count(ok, fall, rise)
		}
	}
	w.decided(p)
}

func (q *part) count(ok bool, fall, rise int) {
	if q.awaited && !ok {
		q.fails = 0
	}
	q.heard, q.awaited = true, false
	if ok {
		q.fails = 0
		if q.goods++; q.verdict == unchecked || q.verdict == down && q.goods >= rise {
			q.verdict, q.goods = up, 0
		}
		return
	}
	q.goods = 0
	if q.fails++; q.verdict == unchecked || q.verdict == up && q.fails >= fall {
		q.verdict = down
	}
}

// awaitParts lets the next result of each check decide, after a maintenance.
func (s *service) awaitParts(p *pair) {
	for i := range p.parts {
		fall, rise := s.limits(p.parts[i].kind)
		p.parts[i] = part{kind: p.parts[i].kind, verdict: down, fails: fall, goods: rise - 1, heard: p.parts[i].heard, awaited: true}
	}
}

// takeParts has the real server keep what is known of its checks, at a load: each that of the
// same name before.
func (s *service) takeParts(p *pair) {
	before := p.parts
	p.parts = nil
	list := s.kindsOf(p)
	if list == nil {
		p.keepOwn(before)
		return
	}
	if before == nil {
		before = []part{{kind: ownCheck, verdict: p.verdict, fails: p.fails, goods: p.goods, heard: p.heard}}
	}
	taken := map[int]bool{}
	for _, kind := range list {
		q := part{kind: kind}
		for i := range before {
			if before[i].kind == kind && !taken[i] {
				q, taken[i] = before[i], true
				break
			}
		}
		p.parts = append(p.parts, q)
	}
	p.assumeParts()
}

// keepOwn keeps the counts of what was one of several checks and is the only one now.
func (p *pair) keepOwn(before []part) {
	if before == nil {
		return
	}
	p.fails, p.goods = 0, 0
	for _, q := range before {
		if q.kind == ownCheck {
			p.fails, p.goods = q.fails, q.goods
			return
		}
		p.fails = max(p.fails, q.fails)
	}
}

// assumeParts has the new checks of a real server that is up be good until they fail.
func (p *pair) assumeParts() {
	for i := range p.parts {
		if q := &p.parts[i]; p.verdict == up && q.verdict == unchecked {
			q.verdict = up
		}
	}
}

// settleParts is what the checks have found when they have had their time.
func (s *service) settleParts(p *pair) {
	for i := range p.parts {
		q := &p.parts[i]
		if q.heard, q.awaited = true, false; p.finds(q.kind) {
			q.verdict, q.fails = up, 0
		} else {
			q.verdict, q.goods, q.fails = down, 0, 9
		}
	}
}

// anyKind is a kind of check that a service may have.
func (s *stage) anyKind(v *service) int {
	if v.several.fall[appCheck] == 0 {
		return ownCheck
	}
	return s.random.IntN(kinds)
}

// reloadChecks is a reload that changes which checks a service has, and which are needed.
func (s *stage) reloadChecks() {
	n := 1 + s.random.IntN(services)
	v := s.services[n]
	s.with(func() {
		s.loading = true
		for i := range s.old {
			s.old[i] = i > 0 && s.services[i].configured
		}
		v.shakeSeveral(s.random)
		v.oneLine()
		s.shareChecks()
		s.begin(false)
		s.note("reload with other checks of service %d: %s", n, s.words(v))
	})
	s.reload()
}
