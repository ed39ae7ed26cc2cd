package virtual

import (
	"fmt"

	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/table"
)

// TakeMaxConn takes over the connections that the agent of r allows at most, 0 for those of the
// file. It reports whether the number has changed.
func TakeMaxConn(r *Real, most uint32) bool {
	v := r.Virtual
	if v.maxConns[r] == most {
		return false
	}
	switch {
	case most == 0:
		delete(v.maxConns, r)
	case v.maxConns == nil:
		v.maxConns = map[*Real]uint32{r: most}
	default:
		v.maxConns[r] = most
	}
	return true
}

// maxConnOf is how many connections the agent of r allows, 0 for those of the file.
func maxConnOf(r *Real) uint32 {
	most := r.Virtual.maxConns[r]
	if most > 0 && agentSilent(r) { // it is that of the table, which waits for an answer no longer
		return 0
	}
	return most
}

// adoptMaxConn takes the upper threshold that the table has for what the agent of r has allowed, until
// it was asked: a restart changes nothing.
func adoptMaxConn(r *Real, s table.Slot) {
	if r.Agent == policy.AgentUnknown && s.Upper != r.Conf.Upper {
		TakeMaxConn(r, s.Upper)
	}
}

// limit puts the thresholds of r into s. The lower one stays below the upper one.
func limit(r *Real, s *table.Slot) {
	s.Upper, s.Lower = r.Conf.Upper, r.Conf.Lower
	if most := maxConnOf(r); most > 0 {
		s.Upper, s.Lower = most, min(s.Lower, most-1)
	}
}

// maxConnWords says how many connections the agent of r allows, "" for those of the file.
func maxConnWords(r *Real) string {
	if most := maxConnOf(r); most > 0 {
		return fmt.Sprintf("; at most %d connections (its agent's maxconn)", most)
	}
	return ""
}
