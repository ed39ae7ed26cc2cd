package words

import (
	"fmt"

	"github.com/ldirectord/ldirectord/internal/report"
)

// Beside is the kernel's state of IPVS beside its table, one line each for sync daemons and
// timeouts.
func Beside(s *report.Snapshot) (lines []string) {
	if s.Beside == nil {
		return nil
	}
	for _, d := range s.Beside.SyncDaemons {
		lines = append(lines, "sync daemon: "+syncDaemon(d))
	}
	if t := s.Beside.Timeouts; t != nil {
		lines = append(lines, fmt.Sprintf("timeouts of connections: tcp %v s, tcp after a FIN %v s, udp %v s", t.TCP, t.TCPFin, t.UDP))
	}
	return lines
}

func syncDaemon(d report.SyncDaemon) string {
	text := fmt.Sprintf("%s on %s, id %d", d.Role, d.Device, d.ID)
	switch {
	case !d.Running:
		return text + ", does not run"
	case d.Ours:
		return text
	case d.AsWanted:
		return text + ", started by another program"
	}
	return text + ", not ours"
}
