package daemon

import (
	"context"
	"slices"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/host"
	"github.com/ldirectord/ldirectord/internal/logfile"
	"github.com/ldirectord/ldirectord/internal/state"
)

// hostPatience bounds the setup of the host, which usually takes milliseconds: it may have
// to load a module or wait for another process.
const hostPatience = 15 * time.Second

// newHost is the host that the daemon sets up: changes are logged.
func (p *process) newHost() *host.Host {
	h := host.New(p.Dirs.Run)
	h.DryRun = p.DryRun
	h.Say = func(line string, changes bool) {
		if changes {
			p.Log.Printf(logfile.HostStep, line)
		}
	}
	return h
}

// hostOwner is for whom the daemon sets up the host. It is not that of the
// command: a set-up by hand stays when the daemon stops.
func (d *daemon) hostOwner() string { return HostOwner("daemon", d.file.path) }

// HostOwner is the owner of the setup of a configuration file, by the daemon or by the
// commands "host director" and "host marks". Like the record of the daemon, it is the same
// for every spelling of the path, also through a linked directory.
func HostOwner(what, path string) string { return what + " " + state.Canonical(path) }

// setUpHost sets up the host for the configuration in force, if that has hostsetup, and
// reverts steps that are not needed any more. A failure is logged and does not stop the
// daemon: most of the cluster may work all the same.
func (d *daemon) setUpHost() {
	var wanted []*conf.VirtualService
	if d.cfg.HostSetup {
		wanted = d.cfg.Virtuals
	}
	d.hostFor(wanted)
}

// leaveHost reverts the steps of setUpHost, except for virtual services that stay in the
// table when the daemon stops (cleanstop=no).
func (d *daemon) leaveHost() {
	var stay []*conf.VirtualService
	if d.cfg.HostSetup {
		stay = slices.DeleteFunc(slices.Clone(d.cfg.Virtuals), func(v *conf.VirtualService) bool { return v.CleanStop })
	}
	d.hostFor(stay)
}

// hostFor sets up the host for those virtual services and no others.
func (d *daemon) hostFor(virtuals []*conf.VirtualService) {
	ctx, cancel := context.WithTimeout(context.Background(), hostPatience)
	defer cancel()
	if err := d.hostSteps(ctx, virtuals); err != nil {
		d.log.Printf(logfile.HostFailed, err)
	}
}

func (d *daemon) hostSteps(ctx context.Context, virtuals []*conf.VirtualService) error {
	owner := d.hostOwner()
	held, err := d.host.Held(owner)
	if err != nil || len(held) == 0 && len(virtuals) == 0 {
		return err // the set-up has been taken back, if there was one
	}
	if len(virtuals) == 0 {
		return d.host.Down(ctx, owner)
	}
	cfg := *d.cfg
	cfg.Virtuals = virtuals
	var steps []host.Step
	for _, what := range []string{"marks", "director"} { // marks first: the addresses attract packets
		more, err := d.host.ConfigSteps(ctx, &cfg, what, host.Choices{})
		if err != nil {
			return err
		}
		steps = append(steps, more...)
	}
	return d.host.Up(ctx, owner, host.Unique(steps))
}
