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
		reason := fmt.Sprintf("%d of %d", v.Conf.MinAlive.Of(len(v.Reals)), len(v.Reals))
		rc.emit(v, event.Event{Kind: event.Kept, Real: r.Conf, R: r.Name(), Reason: reason})
	}
}

// reportQuorum reports that the quorum of v is lost or met, once its first checks have decided
// that.
func (rc *reconciler) reportQuorum(v *virtual.Service) {
	if e, ok := virtual.QuorumNews(v); ok {
		rc.emit(v, e)
	}
}
