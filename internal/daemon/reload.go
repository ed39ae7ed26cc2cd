package daemon

import (
	"context"
	"os"
	"strings"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/logfile"
	"github.com/ldirectord/ldirectord/internal/names"
)

// notice acts on a changed configuration file.
func (d *daemon) notice(ctx context.Context, seen sight) {
	if seen.kind == unreadable {
		d.log.Printf(logfile.FileUnchecked, os.Getpid(), seen.files[0])
		return
	}
	for _, path := range seen.files {
		d.log.Printf(logfile.FileChanged, path)
	}
	if d.cfg.AutoReload {
		d.log.Printf(logfile.FileReread)
		d.reload(ctx, seen.sources)
	} else {
		d.log.Printf(logfile.FileIgnored)
	}
	if callback := d.cfg.Callback; callback != "" && !d.dryRun {
		go func() {
			for _, path := range seen.files {
				runCallback(context.WithoutCancel(ctx), callback, path, d.log.Printf)
			}
		}()
	}
}

// reloads are the reloads of a daemon. They belong to the goroutine of run.
type reloads struct {
	ends    chan reading
	busy    bool          // a reload runs
	again   bool          // the file is read once more after it
	next    *conf.Sources // this content is used after it, if not again; nil is none
	refused *refusedFile  // nil: the file in force is the one on disk

	whole   *conf.Config  // in force, with the virtual services of other daemons
	sources *conf.Sources // from which it was made
	unnamed string        // why the last addresses of names were not taken, as logged; "" is that they were
	names   bool          // names have other addresses since the reload that runs began
}

// A refusedFile is a content of the configuration file that could not be put in force.
type refusedFile struct {
	sources *conf.Sources // nil if the file could not be read
	why     string        // as logged
	since   time.Time     // the first try
	last    time.Time     // the end of the last try
	took    time.Duration // to try it

	before *refusedFile // of an unreadable file: the refused content before that, nil is none
}

// retryShare is the least ratio of the pause after a try to the try, so that a large
// file with a lasting mistake costs little.
const retryShare = 20

// A reading is the result of one reload: the configuration that is in force now, or why
// there is none.
type reading struct {
	cfg     *conf.Config
	whole   *conf.Config // cfg with the virtual services of other daemons
	sources *conf.Sources
	hosts   *names.Reading
	only    bool // the addresses of names alone are other ones, if any
	why     string
	took    time.Duration
	again   bool // the content was refused before
	stopped bool // the daemon ends
}

// reload begins to read the configuration again: sources, or the files if sources is nil.
// Names are resolved and the kernel is changed beside the loop, which goes on handling
// signals; the result comes through d.reloads.ends. Everything that can fail comes before
// the swap: a bad file changes nothing.
func (d *daemon) reload(ctx context.Context, sources *conf.Sources) {
	if d.reloads.busy {
		d.reloads.again = d.reloads.again || sources == nil
		d.reloads.next = sources
		return
	}
	d.use(ctx, func() reading { return d.read(sources) })
}

// retake puts the whole configuration in force, after other daemons have released a part
// of it. It does not read the file.
func (d *daemon) retake(ctx context.Context) {
	if !d.reloads.busy {
		d.use(ctx, func() reading { return reading{cfg: d.own.whole} })
	}
}

// use puts the configuration that read returns in force, beside the loop.
func (d *daemon) use(ctx context.Context, read func() reading) {
	d.reloads.busy = true
	notifySystemd(reloading())
	go func() { d.reloads.ends <- d.readAndSwap(ctx, read, "") }()
}

// retry tries a refused content again, if autoreload is on: a missing directory or
// resolver may be back.
func (d *daemon) retry(ctx context.Context) {
	r := d.reloads.refused
	if r == nil || r.sources == nil || d.reloads.busy || !d.cfg.AutoReload || time.Since(r.last) < r.took*retryShare {
		return
	}
	d.reloads.busy = true
	go func() { d.reloads.ends <- d.readAndSwap(ctx, func() reading { return d.read(r.sources) }, r.why) }()
}

// readAndSwap is one reload. Mistakes are logged, unless they are known.
func (d *daemon) readAndSwap(ctx context.Context, read func() reading, known string) reading {
	began := time.Now()
	r := read()
	r.again = known != ""
	if r.cfg != nil {
		d.enforce(ctx, &r)
	} else if r.why != known {
		for line := range strings.Lines(r.why) {
			d.log.Printf("%s", strings.TrimSuffix(line, "\n"))
		}
	}
	r.took = time.Since(began)
	return r
}

// enforce puts the configuration of r in force, without the virtual services of other daemons.
func (d *daemon) enforce(ctx context.Context, r *reading) {
	r.whole = r.cfg
	r.cfg = d.own.share(r.whole, d.director.Held())
	r.stopped = !d.swap(ctx, r.cfg)
}

// read reads the configuration: sources, or the files if sources is nil.
func (d *daemon) read(sources *conf.Sources) reading {
	if sources == nil {
		var err error
		if sources, err = conf.Read(d.file.path); err != nil {
			return reading{why: refusal(err)}
		}
		d.watcher.took(sources)
	}
	hosts := d.file.names.Read(true)
	cfg, err := d.file.parse(sources, hosts)
	if err == nil {
		err = canRunAs(cfg, d.dryRun)
	}
	if err != nil {
		return reading{sources: sources, why: refusal(err)}
	}
	for _, line := range Diagnosed(cfg.Warnings) {
		d.log.Printf("%s", line)
	}
	return reading{cfg: cfg, sources: sources, hosts: hosts}
}

// swap puts cfg in force everywhere. It reports false if the daemon ends first.
func (d *daemon) swap(ctx context.Context, cfg *conf.Config) bool {
	d.log.Use(cfg)
	d.notifier.Use(cfg)
	d.vips.use(cfg)
	d.status.Use(cfg)
	if d.director.Reload(ctx, cfg) != nil {
		return false
	}
	d.own.settle(d.director.Held())
	return true
}

// reloaded ends a reload.
func (d *daemon) reloaded(ctx context.Context, r reading) {
	d.reloads.busy = false
	notifySystemd(systemd.SdNotifyReady)
	switch {
	case r.stopped:
		return
	case r.only:
		d.readdressed(r)
	case r.cfg != nil:
		d.reloads.whole = r.whole
		if r.sources != nil {
			d.reloads.sources = r.sources
			d.file.names.Use(r.whole, r.hosts)
		}
		if r.again {
			d.log.Printf(logfile.FileAccepted, d.file.path)
		}
		d.inForce(r.cfg)
	default:
		d.refuse(r)
	}
	if d.reloads.names {
		d.reloads.names = false
		d.readdress(ctx)
	}
	if d.reloads.again || d.reloads.next != nil {
		sources := d.reloads.next
		if d.reloads.again {
			sources = nil
		}
		d.reloads.again, d.reloads.next = false, nil
		d.reload(ctx, sources)
		return
	}
	d.lookOutside(ctx)
}

// inForce adopts a configuration that the director has adopted.
func (d *daemon) inForce(cfg *conf.Config) {
	d.reloads.refused = nil
	d.status.Reloaded(true)
	d.cfg = cfg
	d.watcher.interval.Store(int64(cfg.CheckInterval))
	d.kept.beside.Use(cfg)
	if d.dryRun {
		d.tryHost(cfg, cfg.Virtuals, nil)
		return
	}
	d.vips.setUp(d.hostSetup(cfg))
	d.siblings.use(cfg.Execute)
}

// refuse records a content that could not be put in force. The one in force stays.
func (d *daemon) refuse(r reading) {
	now := time.Now()
	next := &refusedFile{sources: r.sources, why: r.why, since: now, last: now, took: r.took}
	if old := d.reloads.refused; old != nil && sameContent(old.sources, next.sources) && old.why == next.why {
		next.since = old.since // one more try
	} else {
		d.status.Reloaded(false)
	}
	if next.before = d.reloads.refused; next.before != nil && next.before.sources == nil {
		next.before = next.before.before
	}
	d.reloads.refused = next
}

// sameContent compares file contents; nil is an unreadable file.
func sameContent(a, b *conf.Sources) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Sum() == b.Sum()
}

// readAgain ends the refusal of an unreadable file that is back unchanged.
func (d *daemon) readAgain() {
	if r := d.reloads.refused; r != nil && r.sources == nil && d.watcher.sameSince(r.last) {
		d.reloads.refused = r.before
	}
}
