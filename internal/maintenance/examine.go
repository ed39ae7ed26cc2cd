package maintenance

import (
	"context"
	"time"

	"github.com/ldirectord/ldirectord/conf"
)

// Examine reads the maintenance directory of a configuration once, without a
// Watcher. It resolves names only if a file takes no real server out by the known
// ones, and only until ctx is done.
func Examine(ctx context.Context, cfg *conf.Config, o Options) (s State) {
	s = State{Dir: cfg.MaintenanceDir}
	w := New(o)
	files, texts, err := w.look(cfg)
	if err != nil {
		s.Error = err.Error()
		return s
	}
	means := meanings(files, texts, time.Now())
	names, _, _, _ := w.hosts.known()
	_, unmatched := outBy(files, means, cfg, names)
	defer func() { s.explainOrders(files, means, unmatched) }()
	if len(unmatched) == 0 {
		return s
	}
	w.hosts.want(cfg)
	w.hosts.query(ctx, false, w.holds)
	names, failed, _, _ := w.hosts.known()
	_, unmatched = outBy(files, means, cfg, names)
	s.Unmatched = explain(unmatched, unknown(cfg, names, failed), false)
	return s
}
