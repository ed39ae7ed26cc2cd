package policy

// Backups is whether the backup servers of a virtual service are needed.
type Backups uint8

// The values of Backups.
const (
	BackupsUnknown Backups = iota // first checks go on that decide
	BackupsNeeded
	BackupsIdle
)

// backups returns whether the backup servers are needed: while fewer real servers are up than
// backupbelow. As long as first checks decide, it is as before.
func (r Rule) backups(before Backups, c upCount) Backups {
	switch {
	case r.BackupBelow == 0 || c.reals >= r.BackupBelow:
		return BackupsIdle
	case c.mayReals < r.BackupBelow:
		return BackupsNeeded
	}
	return before
}
