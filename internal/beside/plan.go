// Package beside keeps what the kernel has of IPVS beside its table as the configuration
// wants it: the sync daemons, which carry connections between directors, and the timeouts
// of connections.
package beside

import (
	"slices"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/ipvs"
)

// Wanted are the sync daemons of a configuration, in the kernel's words.
func Wanted(s conf.SyncDaemon) (list []ipvs.SyncDaemon) {
	for _, role := range ipvs.SyncRoles {
		if role == ipvs.SyncMaster && !s.Master || role == ipvs.SyncBackup && !s.Backup {
			continue
		}
		d := ipvs.SyncDaemon{Role: role, Device: s.Device, ID: uint8(s.ID), Group: s.Group, Port: uint16(s.Port)}
		if s.MTU != 0 {
			d.MaxLen = ipvs.SyncLen(uint16(s.MTU), s.Group)
		}
		list = append(list, d)
	}
	return list
}

// timeouts are those of a configuration, in the kernel's words.
func timeouts(t conf.IPVSTimeouts) ipvs.Timeouts {
	return ipvs.Timeouts{TCP: t.TCP, TCPFin: t.TCPFin, UDP: t.UDP}
}

// A step starts a sync daemon, or stops it.
type step struct {
	daemon ipvs.SyncDaemon
	stop   bool
}

func (s step) String() string {
	if s.stop {
		return ipvs.StopSyncWords(s.daemon.Role)
	}
	return s.daemon.String()
}

// plan returns the steps from the running daemons to the wanted ones. Only ours, those that
// this program started and that run as it started them, are stopped. foreign are the
// others that keep a wanted one from starting.
func plan(wanted, running, ours []ipvs.SyncDaemon) (steps []step, foreign []ipvs.SyncDaemon) {
	for _, role := range ipvs.SyncRoles {
		want, wants := ofRole(wanted, role)
		runs, isThere := ofRole(running, role)
		own := isThere && isOurs(ours, runs)
		switch {
		case isThere && wants && want.Fits(runs):
			continue
		case isThere && !own && wants:
			foreign = append(foreign, runs)
			continue
		case own:
			steps = append(steps, step{runs, true})
		}
		if wants {
			steps = append(steps, step{want, false})
		}
	}
	return steps, foreign
}

func ofRole(list []ipvs.SyncDaemon, role ipvs.SyncRole) (ipvs.SyncDaemon, bool) {
	i := slices.IndexFunc(list, func(d ipvs.SyncDaemon) bool { return d.Role == role })
	if i < 0 {
		return ipvs.SyncDaemon{}, false
	}
	return list[i], true
}

// isOurs reports whether a running daemon is as one of ours was started.
func isOurs(ours []ipvs.SyncDaemon, running ipvs.SyncDaemon) bool {
	return slices.ContainsFunc(ours, func(o ipvs.SyncDaemon) bool { return o.Fits(running) })
}

// stillOurs are those of ours that run.
func stillOurs(ours, running []ipvs.SyncDaemon) []ipvs.SyncDaemon {
	return slices.DeleteFunc(slices.Clone(ours), func(o ipvs.SyncDaemon) bool {
		return !slices.ContainsFunc(running, o.Fits)
	})
}

// Plan returns the commands, in ipvsadm's words, that a start or reload with cfg would
// carry out. other is what else steers the sync daemon, "" is nothing.
func Plan(kernel ipvs.Beside, cfg *conf.Config, ours []ipvs.SyncDaemon, other string) (lines []string, err error) {
	wanted := Wanted(cfg.SyncDaemon)
	if other == "" && len(wanted)+len(ours) > 0 {
		running, err := kernel.SyncDaemons()
		if err != nil {
			return nil, err
		}
		steps, _ := plan(wanted, running, ours)
		for _, s := range steps {
			lines = append(lines, s.String())
		}
	}
	if want := timeouts(cfg.IPVSTimeouts); want != (ipvs.Timeouts{}) {
		are, err := kernel.Timeouts()
		if err != nil {
			return nil, err
		}
		if want.Or(are) != are {
			lines = append(lines, want.String())
		}
	}
	return lines, nil
}
