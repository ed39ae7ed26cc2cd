package maintenance

import (
	"context"

	"github.com/ldirectord/ldirectord/conf"
)

// Examine reads the maintenance directory of a configuration once, without a
// Watcher. It resolves names only if a file takes no real server out by the known
// ones, and only until ctx is done.
func Examine(ctx context.Context, cfg *conf.Config, o Options) State {
	s := State{Dir: cfg.MaintenanceDir}
	w := New(o)
	files, err := w.look(cfg.MaintenanceDir)
	if err != nil {
		s.Error = err.Error()
		return s
	}
	names, _, _, _ := w.hosts.known()
	_, unmatched := outBy(files, cfg, names)
	if len(unmatched) == 0 {
		return s
	}
	w.hosts.want(cfg)
	w.hosts.query(ctx, false, w.holds)
	names, failed, _, _ := w.hosts.known()
	_, unmatched = outBy(files, cfg, names)
	s.Unmatched = explain(unmatched, unknown(cfg, names, failed), false)
	return s
}
