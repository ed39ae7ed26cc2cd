// Package announce makes the network follow which virtual addresses are served: by a command
// (vipcommand), and as addresses of a device whose routes are announced (vipdevice).
package announce

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/internal/command"
	"github.com/ldirectord/ldirectord/internal/owners"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/safetext"
	"github.com/ldirectord/ldirectord/internal/secret"
)

const (
	commandTime = 5 * time.Second  // of one call
	retryTime   = 10 * time.Second // after a failure
	repeatTime  = time.Minute      // between two calls with the same state
	mostOutput  = 200              // bytes of a failed command's output
	mostAtOnce  = 1000             // addresses of one call: the kernel bounds the length of a line
)

// Settings are what the configuration says.
type Settings struct {
	Command secret.Command // of vipcommand, "" is none
	Device  string         // of vipdevice, "" is none
	// Addresses are the virtual addresses of the file, without those that never count
	// (announce = no), sorted. Those that are on the device are taken over.
	Addresses []netip.Addr
}

// On reports whether anything follows.
func (s Settings) On() bool { return s.Command != "" || s.Device != "" }

// Options are what an Announcer works with.
type Options struct {
	Log    func(format string, args ...any)
	Record string // the path of the file with the addresses that were added to devices

	// The next ones are for tests, nil is the machine's own.
	Run     func(context.Context, command.Command) error
	Network Network
	Owners  func() map[netip.Addr]string
}

// An Announcer tells the network. One goroutine, that of Start, does all that may take time.
type Announcer struct {
	o Options
	worker
	device devices

	// Under mu.
	settings Settings
	want     map[netip.Addr]bool // whether the address is served; nil: not known yet

	// Owned by the goroutine of Start, and afterwards by that of Withdraw.
	told    map[netip.Addr]bool // by the last calls that succeeded
	by      secret.Command      // of told
	failed  time.Time           // the last call; zero: it did not
	repeat  time.Time           // when the state is told again
	pending bool                // something is left for a later try
	tried   map[netip.Addr]bool // the states of the last step
	on      string              // the device then
}

// New returns an Announcer that does nothing before Start.
func New(o Options) *Announcer {
	if o.Run == nil {
		o.Run = run
	}
	if o.Network == nil {
		o.Network = kernel{}
	}
	if o.Owners == nil {
		o.Owners = owners.Addresses
	}
	a := &Announcer{o: o, worker: newWorker(), told: map[netip.Addr]bool{}}
	a.device = devices{network: o.Network, owners: o.Owners, record: o.Record, log: o.Log, faults: &a.faults}
	return a
}

// run runs a command to its end. The error of one that fails has the beginning of its output.
func run(ctx context.Context, c command.Command) error {
	result, err := command.Run(ctx, c)
	if err == nil {
		err = result.Err()
		if text := strings.TrimSpace(string(result.Output)); err != nil && text != "" {
			first, _, _ := strings.Cut(text, "\n")
			err = fmt.Errorf("%w: %s", err, safetext.Line(first[:min(len(first), mostOutput)]))
		}
	}
	return err
}

// Use puts settings in force. It does not block.
func (a *Announcer) Use(s Settings) {
	a.mu.Lock()
	a.settings = s
	a.mu.Unlock()
	a.ring()
}

// Set says which addresses are served. It does not block, and may be called from any goroutine.
func (a *Announcer) Set(states []report.AddressState) {
	want := make(map[netip.Addr]bool, len(states))
	for _, at := range states {
		want[at.Address] = at.Served
	}
	a.mu.Lock()
	if !a.closing {
		a.want = want
	}
	a.mu.Unlock()
	a.ring()
}

// Start begins to follow, until Withdraw or Leave.
func (a *Announcer) Start() { a.start(a.due, a.step) }

// due reports whether something is to be done without news.
func (a *Announcer) due(now time.Time) bool {
	if a.pending {
		return now.Sub(a.failed) >= retryTime
	}
	return !now.Before(a.repeat)
}

// wanted are the settings and the states as they are now.
func (a *Announcer) wanted() (Settings, map[netip.Addr]bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.settings, a.want
}

// step makes the network follow once.
func (a *Announcer) step(ctx context.Context) {
	s, want := a.wanted()
	if want == nil || !s.On() && len(a.told) == 0 && !a.device.holds() {
		return
	}
	now := time.Now()
	if a.pending && now.Sub(a.failed) < retryTime && maps.Equal(want, a.tried) && s.Command == a.by && s.Device == a.on {
		return
	}
	a.pending, a.tried, a.on = false, want, s.Device
	if !a.device.follow(s, want) {
		a.failed, a.pending = now, true
	}
	a.call(ctx, s, want, !now.Before(a.repeat))
	if !now.Before(a.repeat) {
		a.repeat = now.Add(repeatTime)
	}
}

// call passes the state to the command: first what is down, then what is up, of those that it has
// not got yet, or of all.
func (a *Announcer) call(ctx context.Context, s Settings, want map[netip.Addr]bool, all bool) {
	maps.DeleteFunc(a.told, func(addr netip.Addr, _ bool) bool {
		_, is := want[addr]
		return s.Command != a.by || is && all
	})
	a.by = s.Command
	if s.Command == "" {
		return
	}
	var down, up []netip.Addr
	for addr, served := range want {
		if told, is := a.told[addr]; is && told == served {
			continue
		}
		if served {
			up = append(up, addr)
		} else {
			down = append(down, addr)
		}
	}
	for addr := range a.told {
		if _, is := want[addr]; !is { // it has left the configuration
			down = append(down, addr)
		}
	}
	err := a.pass(ctx, s.Command, "down", down, want)
	if ctx.Err() == nil {
		err = cmp.Or(a.pass(ctx, s.Command, "up", up, want), err)
	}
	switch {
	case ctx.Err() != nil: // the daemon ends
	case err != nil:
		a.failed, a.pending = time.Now(), true
		a.faults.set(a.o.Log, whatCommand, lineCommandFailed, err)
	default:
		a.faults.clear(a.o.Log, whatCommand)
	}
}

// pass calls the command with a state of addresses.
func (a *Announcer) pass(ctx context.Context, c secret.Command, state string, addrs []netip.Addr, want map[netip.Addr]bool) error {
	slices.SortFunc(addrs, netip.Addr.Compare)
	for part := range slices.Chunk(addrs, mostAtOnce) {
		words := []string{c.Reveal(), state}
		for _, addr := range part {
			words = append(words, addr.String())
		}
		limited, cancel := context.WithTimeout(ctx, commandTime)
		err := a.o.Run(limited, command.Command{Shell: strings.Join(words, " ")})
		cancel()
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("ended after %s", commandTime)
		}
		if err != nil {
			var secrets secret.Set
			secrets.AddCommand(c)
			return fmt.Errorf("%s %s: %s", c, state, secrets.Hide(err.Error()))
		}
		for _, addr := range part {
			if _, is := want[addr]; is {
				a.told[addr] = state == "up"
			} else {
				delete(a.told, addr)
			}
		}
	}
	return nil
}

// Withdraw ends following, and withdraws all addresses but those that stay, whatever was
// told before. It reports whether there were any. It returns when ctx is done, with an error
// in the log.
func (a *Announcer) Withdraw(ctx context.Context, stay func(netip.Addr) bool) bool {
	a.Leave()
	s, want := a.wanted()
	rest := make(map[netip.Addr]bool, len(want))
	for _, addr := range s.Addresses {
		rest[addr] = want == nil && stay(addr) && a.device.has(s.Device, addr)
	}
	for addr, served := range want {
		rest[addr] = served && stay(addr)
	}
	withdrawn := a.device.holds() || slices.ContainsFunc(s.Addresses, func(addr netip.Addr) bool { return a.told[addr] && !rest[addr] })
	a.device.follow(s, rest)
	clear(a.told)
	var down []netip.Addr
	for addr, served := range rest {
		if !served && (want != nil || !stay(addr)) {
			down = append(down, addr)
		}
	}
	if s.Command == "" || len(down) == 0 {
		return withdrawn
	}
	if err := a.pass(ctx, s.Command, "down", down, rest); err != nil {
		a.o.Log(lineLate, err)
	}
	return true
}
