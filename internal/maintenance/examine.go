package maintenance

import (
	"context"

	"github.com/ldirectord/ldirectord/conf"
)

// Examine looks once at the maintenance directory of a configuration that no Watcher
// watches. It asks for names only if a file takes out no real server by those that are
// known, and until ctx is done.
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
	w.hosts.ask(ctx, false, w.holds)
	names, failed, _, _ := w.hosts.known()
	_, unmatched = outBy(files, cfg, names)
	s.Unmatched = explain(unmatched, unknown(cfg, names, failed), false)
	return s
}
