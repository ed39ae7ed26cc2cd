package daemon

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/announce"
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

// setUpHost sets up the host for the configuration of the start, but for addresses that are not
// there yet: those come when their tables and first checks are there. Steps that are not needed any
// more are reverted. A failure is logged and does not stop the daemon: most of the cluster may work
// all the same.
func (d *daemon) setUpHost() {
	has := d.heldAddresses()
	held := func(addr netip.Addr) bool { return d.dryRun || slices.Contains(has, addr) }
	if d.dryRun {
		d.tryHost(d.cfg, d.cfg.Virtuals, held)
		return
	}
	d.vips.host.Began(d.hostSteps(context.Background(), d.cfg, d.cfg.Virtuals, held))
}

// hostSetup is what hostsetup of a configuration says.
func (d *daemon) hostSetup(cfg *conf.Config) announce.HostSetup {
	s := announce.HostSetup{Do: func(ctx context.Context, has func(netip.Addr) bool) error {
		return d.hostSteps(ctx, cfg, cfg.Virtuals, has)
	}}
	if cfg.HostSetup == conf.HostSetupYes {
		s.Addresses = host.VIPs(cfg)
		counted := announcedBy(cfg).Addresses
		s.Uncounted = slices.DeleteFunc(slices.Clone(s.Addresses), func(addr netip.Addr) bool { return slices.Contains(counted, addr) })
	}
	return s
}

// heldAddresses are those that the daemons of this file have added.
func (d *daemon) heldAddresses() (list []netip.Addr) {
	held, err := d.host.Held(d.hostOwner())
	if err != nil {
		d.log.Printf(logfile.HostFailed, err)
	}
	return host.AddressesOf(held)
}

// leaveHost reverts the steps of setUpHost, except for virtual services that stay in the
// table when the daemon stops (cleanstop=no).
func (d *daemon) leaveHost() {
	stay := slices.DeleteFunc(slices.Clone(d.cfg.Virtuals), func(v *conf.VirtualService) bool { return v.CleanStop })
	has := d.heldAddresses()
	d.tryHost(d.cfg, stay, func(addr netip.Addr) bool { return slices.Contains(has, addr) })
}

// withdrawHost takes away the addresses of a killed daemon, but those that stay.
func (d *daemon) withdrawHost() {
	has, stay := d.heldAddresses(), staying(d.cfg)
	if len(has) > 0 {
		d.tryHost(d.cfg, d.cfg.Virtuals, func(addr netip.Addr) bool { return slices.Contains(has, addr) && stay(addr) })
	}
}

// tryHost sets up the host for those virtual services and no others, and logs a failure.
func (d *daemon) tryHost(cfg *conf.Config, virtuals []*conf.VirtualService, has func(netip.Addr) bool) {
	if err := d.hostSteps(context.Background(), cfg, virtuals, has); err != nil {
		d.log.Printf(logfile.HostFailed, err)
	}
}

// hostSteps sets up the host for those virtual services of cfg, with those of their addresses
// for which has reports true.
func (d *daemon) hostSteps(ctx context.Context, cfg *conf.Config, virtuals []*conf.VirtualService, has func(netip.Addr) bool) error {
	ctx, cancel := context.WithTimeout(ctx, hostPatience)
	defer cancel()
	owner := d.hostOwner()
	if !cfg.HostSetup.On() {
		virtuals = nil
	}
	held, err := d.host.Held(owner)
	if err != nil || len(held) == 0 && len(virtuals) == 0 {
		return err // the set-up has been taken back, if there was one
	}
	if len(virtuals) == 0 {
		return d.host.Down(ctx, owner)
	}
	part := *cfg
	part.Virtuals = virtuals
	var steps []host.Step
	for _, what := range []string{"marks", "director"} { // marks first: the addresses attract packets
		more, err := d.host.ConfigSteps(ctx, &part, what, host.Choices{Has: has})
		if err != nil {
			return err
		}
		steps = append(steps, more...)
	}
	err = d.host.Up(ctx, owner, host.Unique(steps))
	if taken, ok := errors.AsType[*host.TakenError](err); ok {
		return takenError{taken}
	}
	return err
}

// takenError is a host.TakenError for the announcer, which does not know package host.
type takenError struct{ *host.TakenError }

// Is reports whether target is announce.ErrTaken.
func (takenError) Is(target error) bool { return target == announce.ErrTaken }
