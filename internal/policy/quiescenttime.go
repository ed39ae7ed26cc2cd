package policy

import "time"

// QuiescenceOver reports whether a real server that died so long ago leaves the table (quiescenttime; 0
// is never).
func QuiescenceOver(quiescenttime, dead time.Duration) bool {
	return quiescenttime > 0 && dead >= quiescenttime
}
