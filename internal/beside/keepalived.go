package beside

import (
	"cmp"

	"github.com/ldirectord/ldirectord/internal/keepalived"
)

// Keepalived names the file of a keepalived.conf at path, or of those that it includes,
// that has keepalived steer the sync daemon. It is "" if none does, or none can be read.
func Keepalived(path string) string {
	root, err := keepalived.Read(keepalived.Source{Path: path, ID: keepalived.HostID()})
	if err != nil {
		return ""
	}
	for n := range root.Within() {
		if (n.Name() == "lvs_sync_daemon" || n.Name() == "lvs_sync_daemon_interface") && len(n.Words) > 1 {
			return "keepalived (lvs_sync_daemon in " + cmp.Or(n.Line.File, path) + ")"
		}
	}
	return ""
}
