package chaos

import (
	"fmt"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/ipvs"
)

// text is the configuration file.
func (w *world) text() string {
	var b strings.Builder
	b.WriteString("checkinterval=2\nholdlocal=yes\ncleanstop=no\nmaintenancedir=" + w.dir + "\nresolve=60\n")
	if w.orders {
		b.WriteString("maintenanceorders=yes\n")
	}
	if w.blindfolded {
		b.WriteString("driftcheck=0\n")
	} else {
		b.WriteString("driftcheck=3\n")
	}
	for n, s := range w.services {
		if n == 0 || !s.configured {
			continue
		}
		b.WriteString(s.blocks(n))
		fmt.Fprintf(&b, "virtual=%s\n    service=http\n    request=\"/s%d\"\n    scheduler=%s\n", virtualName(n), w.checksOf(n), s.scheduler)
		fmt.Fprintf(&b, "    failurecount=%d\n    risecount=%d\n", s.fall, s.rise)
		switch {
		case s.expires:
			fmt.Fprintf(&b, "    quiescenttime=%d\n", quiescentTime/time.Second)
		case s.quiescent:
			b.WriteString("    quiescent=yes\n")
		}
		if s.byHand {
			b.WriteString("    return=byhand\n")
		}
		if s.cleanStop {
			b.WriteString("    cleanstop=yes\n")
		}
		if s.command {
			b.WriteString("    fallbackcommand=/bin/true\n")
		}
		if s.agent {
			fmt.Fprintf(&b, "    checktype=agent\n    checkport=809%d\n", w.checksOf(n))
		}
		if s.beside {
			fmt.Fprintf(&b, "    agentport=807%d\n", w.checksOf(n))
		}
		if s.weighs {
			fmt.Fprintf(&b, "    checktype=external\n    checkcommand=/kind0/s%d\n    externalweight=yes\n", n)
		}
		if s.drains {
			b.WriteString("    httpdrain=404\n")
		}
		if s.minAlive > 0 {
			fmt.Fprintf(&b, "    minalive=%d\n", s.minAlive)
		}
		if j := s.joint; j.on() {
			fmt.Fprintf(&b, "    quorum=%d\n    hysteresis=%d\n", j.quorum, j.hysteresis)
			if j.rest {
				b.WriteString("    quorumrest=keep\n")
			}
		}
		b.WriteString(s.several.lines(n))
		if s.slow {
			fmt.Fprintf(&b, "    slowstart=%d\n", slowStart/time.Second)
		}
		if s.slowLimit {
			fmt.Fprintf(&b, "    slowlimit=%s\n", slowLimit)
		}
		if s.damp {
			fmt.Fprintf(&b, "    flapdamping=%d in %s\n", dampCount, dampWithin)
		}
		if s.fallback {
			b.WriteString("    fallback=127.0.0.1:80 masq\n")
		}
		if s.invalid {
			b.WriteString("    persistent=0\n")
		}
		if s.naming.all {
			b.WriteString("    resolveall=yes\n")
		}
		for _, p := range s.pairs[1:] {
			line, by := p.configured, p.name()
			if s.isNamed(p) {
				line, by = p.host == hosts-1 && (p.configured || s.pairs[hosts].configured), s.hostName(p)+":8080"
				if s.naming.srv {
					by = s.hostName(p)
				}
			}
			if !line {
				continue
			}
			name := "real"
			if w.isBackup(p) {
				name = "backup"
			}
			fmt.Fprintf(&b, "    %s=%s %s", name, by, s.forwarding())
			if !s.isNamed(p) || !s.naming.srv { // else the records have weights
				fmt.Fprintf(&b, " %d", p.weight)
			}
			if p.bad {
				b.WriteString(" l:5")
			}
			b.WriteString(p.limiting.file.String())
			b.WriteString(s.several.ofReal(p) + "\n")
		}
	}
	return b.String()
}

// forwarding is how packets reach the real servers, forward what the kernel has.
func (s *service) forwarding() string {
	if s.shared {
		return "gate"
	}
	return "masq"
}

func (s *service) forward() ipvs.Forward {
	if s.shared {
		return ipvs.Route
	}
	return ipvs.Masq
}
