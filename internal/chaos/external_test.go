package chaos

import (
	"fmt"

	"github.com/ldirectord/ldirectord/internal/engine"
)

// A status is what the model knows of the exit status of a real server's external check (externalweight).
type status struct {
	exits    int  // what the check ends with while the real server works
	byStatus bool // share is noShare until the first answer
	bySlow   bool // the check has a slowlimit; another one is another check
	asks     int  // the weight of the last answer, -1 is that of the file
}

// exits are exit statuses: the weights of the file, 0, 0, 1, 3 and 7.
var exits = []int{0, 2, 2, 3, 5, 9}

// exit hears the exit status of a good check.
func (w *world) exit(p *pair) {
	before := p.part()
	p.share, p.asks = 100, -1
	if p.exits > 1 {
		p.asks = p.exits - 2
	}
	if after := p.part(); before == noShare || (before == 0) != (after == 0) {
		w.keep(w.services[p.service])
	}
}

// part is the known part of its weight that the real server wants, in percent: an order for the weight wins over an
// exit status.
func (p *pair) part() int {
	switch {
	case p.byAdvice && p.share == noShare && p.silent:
		return 100
	case !p.byStatus:
		return p.share
	case p.order == "weight":
		return 100
	case p.share != noShare && p.asks == 0:
		return 0
	}
	return p.share
}

// result is the result of a check that ends with the status of the real server.
func (p *pair) result() engine.Result {
	if p.exits < 2 {
		return engine.Result{Attempts: 1}
	}
	weight := p.exits - 2
	return engine.Result{Attempts: 1, Weighs: true, Weight: weight, Drains: weight == 0, Detail: fmt.Sprintf("exit status %d, weight %d", p.exits, weight)}
}
