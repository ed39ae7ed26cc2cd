package virtual

import (
	"fmt"

	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/policy"
)

// backupIdle is why a backup server is out of service while it is not needed.
const backupIdle = "backup, not needed"

// BackupNews is the event of backup servers that are needed, or not needed any more, false if that
// was reported already.
func BackupNews(v *Service) (event.Event, bool) {
	now, reported := v.Joint.Backups, v.Joint.reported.Backups
	if v.Joint.rule.BackupBelow == 0 {
		now = policy.BackupsIdle
	}
	if now == reported || now == policy.BackupsUnknown {
		return event.Event{}, false
	}
	v.Joint.reported.Backups = now
	up := v.Joint.up
	words := fmt.Sprintf("%d of %d real servers are up, backupbelow is %d", up.RealsUp, v.Joint.rule.Reals, v.Joint.rule.BackupBelow)
	switch {
	case v.Joint.rule.BackupBelow == 0:
		words = "the configuration has none"
	case now == policy.BackupsNeeded && up.BackupsUp == 0:
		words += "; no backup server is up"
	case now == policy.BackupsNeeded:
		words += fmt.Sprintf("; backup servers that are up: %d", up.BackupsUp)
	}
	if now == policy.BackupsNeeded {
		return event.Event{Kind: event.BackupNeeded, Reason: words}, true
	}
	return event.Event{Kind: event.BackupIdle, Reason: words}, reported == policy.BackupsNeeded
}
