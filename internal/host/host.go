// Package host sets up what a director or a real server needs around IPVS:
// virtual addresses, how ARP is answered, forwarding, tunnels, packet marks.
//
// What a host needs is computed first, as a list of Steps (DirectorSteps,
// RealServerSteps, MarkSteps); the list is then shown, applied or compared by a
// Host. A state file remembers what was done and what was there before, so that
// Down takes back exactly what Up did.
package host

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Step is one thing that a host needs. Two steps with the same String are the
// same.
type Step interface {
	// String is the step as it is shown: "sysctl net.ipv4.ip_forward 1".
	String() string

	look(m *machine) (sight, error)
	do(m *machine) error
	// undo puts back what was there before, as look saw it. What somebody has
	// changed or removed meanwhile is left as it is.
	undo(m *machine, was string) error
}

// A sight is what a step finds.
type sight struct {
	done bool   // nothing is left to be done
	was  string // what was there, "" is nothing
}

// An unowned step is one that is never taken back, like loading a module: others
// may rely on it by now.
type unowned interface{ unowned() }

// A Host is the machine that this process runs on, in its network namespace. It
// is for one goroutine at a time; several processes may work at once.
type Host struct {
	machine *machine
	file    string // with the state

	// Say is told each thing that is done, as one line. nil is nobody.
	Say func(format string, args ...any)
}

// New returns the host. runDir is where its state is kept, in a directory
// ldirectord: it has to be lost with the next boot, as /run is.
func New(runDir string) *Host {
	return &Host{machine: &machine{proc: "/proc", sys: "/sys", run: runProgram}, file: stateFile(runDir)}
}

// Up does those steps that are still to be done, in their order, and takes back
// what was done for owner before and is not among steps. Who calls it again with
// the same steps changes nothing. After an error the steps before it are done,
// and Down takes them back.
func (h *Host) Up(ctx context.Context, owner string, steps []Step) error {
	return h.change(ctx, func(s *state) error {
		for _, step := range steps {
			if err := h.up(s, owner, step); err != nil {
				return fmt.Errorf("%s: %w", step, err)
			}
		}
		return h.release(s, owner, steps)
	})
}

// Down takes back what Up did for owner, the last step first, except what is
// also done for another owner.
func (h *Host) Down(ctx context.Context, owner string) error {
	return h.change(ctx, func(s *state) error { return h.release(s, owner, nil) })
}

// Owners are those for whom something was done and not yet taken back, sorted.
func (h *Host) Owners() ([]string, error) {
	s, err := readState(h.file)
	if err != nil {
		return nil, err
	}
	return s.owners(), nil
}

// change runs f with the state, alone among all processes.
func (h *Host) change(ctx context.Context, f func(*state) error) error {
	unlock, err := lockState(ctx, h.file)
	if err != nil {
		return err
	}
	defer unlock()
	s, err := readState(h.file)
	if err != nil {
		return err
	}
	h.machine.ctx = ctx
	return f(s)
}

// up does one step. It is noted before it is done: an interruption must not
// leave behind what nobody knows of.
func (h *Host) up(s *state, owner string, step Step) error {
	found, err := step.look(h.machine)
	if err != nil {
		return err
	}
	d := s.find(step)
	if found.done && d == nil {
		h.say("%s (is so already)", step)
		return nil
	}
	if _, ok := step.(unowned); !ok {
		if d == nil {
			d = s.add(step, found.was)
		}
		if d.want(owner) {
			if err := s.write(h.file); err != nil {
				return err
			}
		}
	}
	if found.done {
		h.say("%s (is so already)", step)
		return nil
	}
	if err := step.do(h.machine); err != nil {
		return err
	}
	if found.was != "" {
		h.say("%s (was %s)", step, found.was)
	} else {
		h.say("%s", step)
	}
	return nil
}

// release takes back, from the last to the first, what was done for owner and is
// not among those to keep. It goes on after an error: as much as possible goes.
func (h *Host) release(s *state, owner string, keep []Step) error {
	var failed error
	for _, d := range slices.Backward(slices.Clone(s.Done)) {
		if slices.ContainsFunc(keep, func(k Step) bool { return k.String() == d.Step.String() }) || !slices.Contains(d.For, owner) {
			continue
		}
		if len(d.For) == 1 {
			if err := d.Step.undo(h.machine, d.Was); err != nil {
				failed = errors.Join(failed, fmt.Errorf("taking back %s: %w", d.Step, err))
				continue
			}
			h.say("taken back: %s%s", d.Step, before(d.Was))
		}
		s.leave(d, owner)
		if err := s.write(h.file); err != nil {
			return err
		}
	}
	return failed
}

func before(was string) string {
	if was == "" {
		return ""
	}
	return " (again " + was + ")"
}

func (h *Host) say(format string, args ...any) {
	if h.Say != nil {
		h.Say(format, args...)
	}
}

// A Condition is how one step stands.
type Condition struct {
	Step Step
	Done bool
	Was  string // what is there instead, "" is nothing
}

// String is the step and, if it is not done, what is there instead.
func (c Condition) String() string {
	switch {
	case c.Done:
		return "ok       " + c.Step.String()
	case c.Was == "":
		return "missing  " + c.Step.String()
	}
	return "differs  " + c.Step.String() + " (is " + c.Was + ")"
}

// Status compares steps with what is. It changes nothing and works without
// rights.
func (h *Host) Status(ctx context.Context, steps []Step) []Condition {
	h.machine.ctx = ctx
	conditions := make([]Condition, 0, len(steps))
	for _, step := range steps {
		found, err := step.look(h.machine)
		if err != nil {
			found.was = firstLine(err.Error())
		}
		conditions = append(conditions, Condition{Step: step, Done: found.done && err == nil, Was: found.was})
	}
	return conditions
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
