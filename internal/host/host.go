// Package host sets up a director or a real server for IPVS: virtual addresses,
// answers to ARP, forwarding, tunnels, packet marks.
//
// First the setup is computed, as a list of Steps (DirectorSteps, RealServerSteps,
// markSteps); a Host then prints, applies or compares the list. A state file
// records each step and the state before it, so that Down reverts exactly the
// changes of Up.
package host

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/owners"
)

// A Step is one thing that a host needs. Two steps with the same String are the
// same.
type Step interface {
	// String is the step as it is shown: "sysctl net.ipv4.ip_forward 1".
	String() string

	look(m *machine) (sight, error)
	do(m *machine) error
	// undo restores the state was, as look returned it. It leaves later changes by
	// others alone.
	undo(m *machine, was string) error
}

// A sight is what a step finds.
type sight struct {
	done bool   // nothing is left to be done
	was  string // the state before, "" is none
}

// An unowned step is never reverted, for example loading a module: others may rely
// on it by now.
type unowned interface{ unowned() }

// A Host is the machine that this process runs on, in its network namespace. It
// is for one goroutine at a time; several processes may work at once.
type Host struct {
	machine *machine
	file    string // with the state

	// Say gets each step, as one line, and whether it changes anything. nil is
	// none.
	Say func(line string, changes bool)

	// DryRun only reports the steps, and changes nothing.
	DryRun bool
	begun  bool // a dry run has a step that would change something

	cfg   *conf.Config          // of the last ConfigSteps, nil before
	owned map[netip.Addr]string // the addresses of other programs; nil is not read yet
	left  map[string]bool       // lines about addresses of other programs that were reported
}

// New returns the host. Its state is kept in dir, which has to be lost with the next
// boot, as /run is.
func New(dir string) *Host {
	return &Host{machine: &machine{proc: "/proc", sys: "/sys", run: runProgram, owners: owners.Addresses, others: others}, file: stateFile(dir)}
}

// Up makes those steps that are still missing, in their order, and reverts steps of
// an earlier Up for owner that are not among them. With the same steps it changes
// nothing. After an error the steps before it are made, and Down reverts them.
//
// An address of a director that another machine has is left out; Up makes all other steps and
// returns a *TakenError. One that another program of this host has is left to it.
func (h *Host) Up(ctx context.Context, owner string, steps []Step) error {
	return h.change(ctx, func(s *state) error {
		steps := h.withoutOwned(steps)
		taken, err := h.taken(steps)
		if err != nil {
			return err
		}
		noted := false
		for _, step := range steps {
			if a, ok := step.(*Address); ok && a.Sole {
				if taken.has(a) {
					continue
				}
				if !noted { // after the steps before them: Down reverts the last one first
					noted = true
					if err := h.noteAddresses(s, owner, steps, taken); err != nil {
						return err
					}
				}
			}
			if err := h.up(s, owner, step); err != nil {
				return fmt.Errorf("%s: %w", step, err)
			}
		}
		if err := h.release(s, owner, steps); err != nil {
			return err
		}
		return taken.err()
	})
}

// Down reverts the steps of Up for owner, the last step first, except those that
// another owner needs too.
func (h *Host) Down(ctx context.Context, owner string) error {
	return h.change(ctx, func(s *state) error { return h.release(s, owner, nil) })
}

// Held are the steps that were done for owner and not yet taken back.
func (h *Host) Held(owner string) ([]Step, error) {
	s, err := readState(h.file)
	if err != nil {
		return nil, err
	}
	var steps []Step
	for _, d := range s.Done {
		if slices.Contains(d.For, owner) {
			steps = append(steps, d.Step)
		}
	}
	return steps, nil
}

// Owners are those with steps that are not reverted yet, sorted.
func (h *Host) Owners() ([]string, error) {
	s, err := readState(h.file)
	if err != nil {
		return nil, err
	}
	return s.owners(), nil
}

// change runs f with the state, alone among all processes.
func (h *Host) change(ctx context.Context, f func(*state) error) error {
	if !h.DryRun {
		unlock, err := lockState(ctx, h.file)
		if err != nil {
			return err
		}
		defer unlock()
	}
	s, err := readState(h.file)
	if err != nil {
		return err
	}
	h.machine.ctx, h.owned = ctx, nil
	if h.machine.addresses, err = readAddresses(); err != nil {
		return err
	}
	defer func() {
		h.machine.addresses = nil
		h.machine.neighbours.Close()
	}()
	return f(s)
}

// up makes one step. It is recorded first, so that an interruption leaves no
// unrecorded change.
func (h *Host) up(s *state, owner string, step Step) error {
	found, err := step.look(h.machine)
	switch {
	case err != nil && (!h.DryRun || !h.begun):
		return err
	case err != nil: // the steps before may create the subject of this one
		h.say(fmt.Sprintf("%s (after the steps before: %v)", step, err), true)
		return nil
	case h.DryRun:
		h.begun = h.begun || !found.done
		h.sayStep(step, found)
		return nil
	}
	if err := h.note(s, owner, step, found); err != nil {
		return err
	}
	if !found.done {
		if err := step.do(h.machine); err != nil {
			return errors.Join(err, h.unnote(s, owner, step))
		}
	}
	h.sayStep(step, found)
	return nil
}

// note records that a step will be made for owner, unless its state already exists
// without us.
func (h *Host) note(s *state, owner string, step Step, found sight) error {
	if !s.note(owner, step, found) {
		return nil
	}
	return s.write(h.file)
}

// unnote takes back the record of a step that has failed, if it had no effect: there is nothing
// to be reverted.
func (h *Host) unnote(s *state, owner string, step Step) error {
	d := s.find(step)
	if d == nil || !slices.Contains(d.For, owner) {
		return nil
	}
	if found, err := step.look(h.machine); err != nil || found.done || found.was != d.Was {
		return nil //nolint:nilerr // an unknown state may have to be reverted
	}
	s.leave(d, owner)
	return s.write(h.file)
}

func (h *Host) sayStep(step Step, found sight) {
	switch {
	case found.done:
		h.say(step.String()+" (is so already)", false)
	case found.was != "":
		h.say(fmt.Sprintf("%s (was %s)", step, found.was), true)
	default:
		h.say(step.String(), true)
	}
}

// release reverts, from the last to the first, the steps for owner that are not
// among those to keep. It continues after an error.
func (h *Host) release(s *state, owner string, keep []Step) error {
	var failed error
	kept := make(map[string]bool, len(keep))
	for _, step := range keep {
		kept[step.String()] = true
	}
	changed := false
	for _, d := range slices.Backward(slices.Clone(s.Done)) {
		if !slices.Contains(d.For, owner) || kept[d.Step.String()] {
			continue
		}
		if err := h.leave(s, d, owner); err != nil {
			failed = errors.Join(failed, fmt.Errorf("taking back %s: %w", d.Step, err))
			continue
		}
		changed = true
	}
	if changed && !h.DryRun { // an interruption before it leaves steps recorded that are reverted
		failed = errors.Join(failed, s.write(h.file))
	}
	return failed
}

// leave reverts one step, unless another owner needs it. The caller writes the state.
func (h *Host) leave(s *state, d *done, owner string) error {
	if file := h.ownedBy(d.Step); file != "" {
		h.sayLeft(d.Step, file)
	} else if len(d.For) == 1 {
		if !h.DryRun {
			if err := d.Step.undo(h.machine, d.Was); err != nil {
				return err
			}
		}
		h.say("taken back: "+d.Step.String()+before(d.Was), true)
	}
	if !h.DryRun {
		s.leave(d, owner)
	}
	return nil
}

func before(was string) string {
	if was == "" {
		return ""
	}
	return " (again " + was + ")"
}

func (h *Host) say(line string, changes bool) {
	if h.Say != nil {
		h.Say(line, changes)
	}
}

// A Condition is the state of one step.
type Condition struct {
	Step Step
	Done bool
	Was  string // the state in its place, "" is none
	Err  string // why its state is unknown, "" if it is known
}

// String is the step and, if it is missing, the state in its place.
func (c Condition) String() string {
	switch {
	case c.Err != "":
		return "unknown  " + c.Step.String() + ": " + c.Err
	case c.Done:
		return "ok       " + c.Step.String()
	case c.Was == "":
		return "missing  " + c.Step.String()
	}
	return "differs  " + c.Step.String() + " (is " + c.Was + ")"
}

// Status compares steps with the state of the host, but not those that are left to another
// program. It changes nothing and works without rights.
func (h *Host) Status(ctx context.Context, steps []Step) []Condition {
	h.machine.ctx = ctx
	h.machine.addresses, _ = readAddresses() // the error is each address's
	defer func() { h.machine.addresses = nil }()
	conditions := make([]Condition, 0, len(steps))
	h.owned = nil
	for _, step := range h.withoutOwned(steps) {
		found, err := step.look(h.machine)
		c := Condition{Step: step, Done: found.done && err == nil, Was: found.was}
		if err != nil {
			c.Err = firstLine(err.Error())
		}
		conditions = append(conditions, c)
	}
	return conditions
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
