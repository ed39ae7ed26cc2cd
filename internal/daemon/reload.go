package daemon

import (
	"context"
	"os"

	systemd "github.com/coreos/go-systemd/v22/daemon"

	"ldirectord/conf"
	"ldirectord/internal/logfile"
)

// notice acts on a configuration file that is not what it was.
func (d *daemon) notice(ctx context.Context, seen sight) {
	if seen == unreadable {
		d.log.Printf(logfile.FileUnchecked, os.Getpid(), d.path)
		return
	}
	d.log.Printf(logfile.FileChanged, d.path)
	if d.cfg.AutoReload {
		d.log.Printf(logfile.FileReread)
		d.reload(ctx)
	} else {
		d.log.Printf(logfile.FileIgnored)
	}
	if callback := d.cfg.Callback; callback != "" && !d.dryRun {
		go runCallback(context.WithoutCancel(ctx), callback, d.path, d.log.Printf)
	}
}

// reload begins to read the configuration anew. Names are resolved meanwhile
// and the kernel is changed, so that signals are obeyed all the time; the end
// comes through d.reloads. Everything that can fail comes before the swap: a
// bad file changes nothing.
func (d *daemon) reload(ctx context.Context) {
	if d.busy {
		d.again = true
		return
	}
	d.busy = true
	notifySystemd(reloading())
	go func() {
		cfg := d.read()
		if cfg != nil && !d.swap(ctx, cfg) {
			cfg = nil
		}
		d.status.Reloaded(cfg != nil)
		d.reloads <- cfg
	}()
}

// read reads the configuration; a mistake is logged and makes it nil.
func (d *daemon) read() *conf.Config {
	d.watcher.stamp()
	options := configOptions()
	if d.dryRun {
		options = harmless(options)
	}
	cfg, err := conf.Load(d.path, options)
	if err != nil {
		for _, line := range diagnostics(err) {
			d.log.Printf("%s", line)
		}
		return nil
	}
	for _, line := range diagnosed(cfg.Warnings) {
		d.log.Printf("%s", line)
	}
	return cfg
}

// swap puts cfg in force everywhere. It reports false if the daemon ends first.
func (d *daemon) swap(ctx context.Context, cfg *conf.Config) bool {
	d.log.Use(cfg)
	d.notifier.Use(cfg)
	d.status.Use(cfg)
	return d.director.Reload(ctx, cfg) == nil
}

// reloaded ends a reload. cfg is nil if the old configuration stays.
func (d *daemon) reloaded(ctx context.Context, cfg *conf.Config) {
	d.busy = false
	notifySystemd(systemd.SdNotifyReady)
	if cfg != nil {
		d.cfg = cfg
		d.interval.Store(int64(cfg.CheckInterval))
		d.setUpHost()
		if !d.dryRun {
			d.siblings.use(cfg.Execute)
		}
	}
	if d.again {
		d.again = false
		d.reload(ctx)
	}
}
