package director

import (
	"fmt"

	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/virtual"
)

// judge decides about the servers of v together, as policy.Judge does, and logs each that minalive
// keeps in service. A real server that an external change has given a weight is not kept. A kept
// one stays kept when an external change deletes it or sets its weight: the change is put back or
// respected, as with a real server that is up.
func (rc *reconciler) judge(v *virtual.Service) {
	for _, r := range virtual.Judge(v) {
		n := v.Conf.RealCount()
		reason := fmt.Sprintf("%d of %d", v.Conf.MinAlive.Of(n), n)
		rc.emit(v, event.Event{Kind: event.Kept, Real: r.Conf, R: r.Name(), Reason: reason})
	}
	rc.judged(v)
}

// reportJoint reports that backup servers of v are needed or not, and that its quorum is lost or
// met, once its first checks have decided that.
func reportJoint(rc *reconciler, v *virtual.Service) {
	if e, ok := virtual.BackupNews(v); ok {
		rc.emit(v, e)
	}
	if e, ok := virtual.QuorumNews(v); ok {
		rc.emit(v, e)
	}
}
