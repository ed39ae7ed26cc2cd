package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/daemon"
	"github.com/ldirectord/ldirectord/internal/host"
	"github.com/ldirectord/ldirectord/internal/status/client"
	"github.com/ldirectord/ldirectord/internal/status/words"
)

// outsideFindings are findings about sockets, listeners, files and names on which a
// daemon depends.
func (s *session) outsideFindings(cfg *conf.Config) []host.Finding {
	var list []host.Finding
	if cfg.MaintenanceDir != "" {
		for _, fault := range examineMaintenance(s, cfg).Faults() {
			list = append(list, host.Finding{
				Code: host.CodeMaintenanceFile, Severity: host.Warning, What: fault, Why: "Who is in maintenance is not what the directory is to say.",
				Cure: "ls -l " + cfg.MaintenanceDir,
			})
		}
	}
	return append(list, s.daemonFindings(cfg)...)
}

// daemonFindings are the faults that the running daemon reports, or that it cannot be
// reached. There are none when it does not run.
func (s *session) daemonFindings(cfg *conf.Config) []host.Finding {
	ctx, cancel := context.WithTimeout(context.Background(), askTime)
	defer cancel()
	q := s.orderer()
	defer q.Close()
	snap, err := q.Snapshot(ctx, "", "")
	if err != nil {
		return q.silentFindings(err)
	}
	var list []host.Finding
	for _, f := range snap.Outside {
		list = append(list, host.Finding{
			Code: host.CodeOutsideFault, Severity: host.Warning, What: f.String(),
			Why:  fmt.Sprintf("The running daemon depends on it, and tries it again every %d s; so it is since %s.", daemon.OutsideSeconds, f.Since.Format("2006-01-02 15:04:05")),
			Cure: "remove the cause; ldirectord " + cfg.Path + " show tells when it is over",
		})
	}
	for _, line := range words.Notify(snap) {
		list = append(list, host.Finding{Code: host.CodeNotifyActive, Severity: host.Note, What: line, Why: "notify = active: one director of a pair mails."})
	}
	return list
}

// silentFindings are the findings about a socket of the daemon that does not answer.
func (q *query) silentFindings(err error) []host.Finding {
	s := q.s
	if errors.Is(err, fs.ErrPermission) {
		return []host.Finding{{
			Code: host.Code(conf.CodeNeedsRoot), Severity: host.Note, What: "what the daemon reports is left out: " + err.Error(),
			Why: "Faults of sockets, files and names may be missing here.", Cure: "run the doctor as root, or as a member of statusgroup or statusreadgroup",
		}}
	}
	d, runs := s.Running()
	if !runs && errors.Is(err, client.ErrNotRunning) || runs && !d.KeepsLock() {
		return nil // no daemon, or one that has no such socket
	}
	why := "Orders cannot be given, and show has nothing to show."
	if errors.Is(err, client.ErrNotRunning) {
		why += fmt.Sprintf(" The daemon opens its socket again within %d s.", daemon.OutsideSeconds)
	}
	return []host.Finding{{
		Code: host.CodeDaemonSilent, Severity: host.Warning, What: fmt.Sprintf("the daemon does not answer on %s: %v", s.Socket(), err), Why: why,
	}}
}
