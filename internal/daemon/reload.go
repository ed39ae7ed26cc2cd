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
	d.use(ctx, d.read)
}

// retake puts the configuration in force again of which other daemons have steered a
// part. The file is not read.
func (d *daemon) retake(ctx context.Context) {
	if !d.busy {
		d.use(ctx, func() *conf.Config { return d.own.whole })
	}
}

// use puts the configuration that read returns in force, beside the loop.
func (d *daemon) use(ctx context.Context, read func() *conf.Config) {
	d.busy = true
	notifySystemd(reloading())
	go func() {
		cfg := read()
		if cfg != nil {
			cfg = d.own.share(cfg, d.director.Held())
		}
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
	cfg, err := conf.Load(d.path, inDir(options, d.startDir))
	if err != nil {
		for _, line := range diagnostics(err) {
			d.log.Printf("%s", line)
		}
		return nil
	}
	for _, line := range diagnosed(cfg.Warnings) {
		d.log.Printf("%s", line)
	}
	return absoluteNames(cfg, d.startDir)
}

// swap puts cfg in force everywhere. It reports false if the daemon ends first.
func (d *daemon) swap(ctx context.Context, cfg *conf.Config) bool {
	d.log.Use(cfg)
	d.notifier.Use(cfg)
	d.status.Use(cfg)
	if d.director.Reload(ctx, cfg) != nil {
		return false
	}
	d.own.settle(d.director.Held())
	return true
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
