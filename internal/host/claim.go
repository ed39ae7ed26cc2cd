package host

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// A Taken is a virtual address that this host does not get: another machine has it.
type Taken struct {
	Address netip.Addr
	Dev     string
	By      []string // hardware addresses, with an address of that machine if one is known
	Real    bool     // all of them are real servers of the configuration
}

// String names the address, who has it, and what that may be.
func (t Taken) String() string {
	text := fmt.Sprintf("virtual address %s is not added to %s: %s has it", t.Address, t.Dev, strings.Join(t.By, " and "))
	mistake := "without arp_ignore"
	if t.Address.Is6() {
		mistake = "that has it on the network's device"
	}
	cure := fmt.Sprintf("(ldirectord host realserver up --vip %s, there)", t.Address)
	if t.Real {
		return fmt.Sprintf("%s: a real server %s answers %s", text, mistake, cure)
	}
	return fmt.Sprintf("%s: another director, or a real server %s answers %s", text, mistake, cure)
}

// A TakenError is that all was done but those addresses.
type TakenError struct{ Taken []Taken }

// Error implements error.
func (e *TakenError) Error() string {
	texts := make([]string, len(e.Taken))
	for i, t := range e.Taken {
		texts[i] = t.String()
	}
	return strings.Join(texts, "; ")
}

// takens are those of one Up.
type takens []Taken

func (ts takens) has(a *Address) bool {
	return slices.ContainsFunc(ts, func(t Taken) bool { return t.Address == a.Prefix.Addr() && t.Dev == a.Dev })
}

func (ts takens) err() error {
	if len(ts) == 0 {
		return nil
	}
	return &TakenError{Taken: ts}
}

// taken probes for the addresses of steps that this host has not got yet. A dry run sends nothing.
func (h *Host) taken(steps []Step) (takens, error) {
	byDev := map[string][]netip.Addr{}
	for _, step := range steps {
		a, ok := step.(*Address)
		if !ok || !a.Sole || h.DryRun {
			continue
		}
		found, err := a.look(h.machine)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", step, err)
		}
		if !found.done && found.was == "" {
			byDev[a.Dev] = append(byDev[a.Dev], a.Prefix.Addr())
		}
	}
	if len(byDev) == 0 {
		return nil, nil
	}
	others, _ := h.machine.others(byDev, true)
	var list takens
	for dev, addrs := range byDev {
		for _, addr := range addrs {
			if by := others[addr]; len(by) > 0 {
				list = append(list, Taken{addr, dev, by, !slices.ContainsFunc(by, func(machine string) bool { return !h.isReal(machine) })})
			}
		}
	}
	slices.SortFunc(list, func(a, b Taken) int { return a.Address.Compare(b.Address) })
	return list, nil
}

// isReal reports whether a machine, as neighbour names it, is a real server of the configuration.
func (h *Host) isReal(machine string) bool { return h.cfg != nil && isReal(h.cfg, machine) }

// withoutOwned are the steps without the addresses that another program of this host has.
func (h *Host) withoutOwned(steps []Step) []Step {
	return slices.DeleteFunc(slices.Clone(steps), func(step Step) bool {
		file := h.ownedBy(step)
		if file != "" {
			h.sayLeft(step, file)
		}
		return file != ""
	})
}

// ownedBy is the file of another program of this host that has the address of a step, "" if none has.
func (h *Host) ownedBy(step Step) string {
	a, ok := step.(*Address)
	if !ok || !a.Sole {
		return ""
	}
	if h.owned == nil {
		h.owned = h.machine.owners()
	}
	return h.owned[a.Prefix.Addr()]
}

// sayLeft says once that a step is left to the program with that file.
func (h *Host) sayLeft(step Step, file string) {
	line := fmt.Sprintf("%s is left out: %s has the address", step, file)
	if !h.left[line] {
		if h.left == nil {
			h.left = map[string]bool{}
		}
		h.left[line] = true
		h.say(line, true)
	}
}

// AddressesOf are the virtual addresses of steps.
func AddressesOf(steps []Step) (list []netip.Addr) {
	for _, step := range steps {
		if a, ok := step.(*Address); ok {
			list = append(list, a.Prefix.Addr())
		}
	}
	return list
}

// noteAddresses records the addresses that will be added, before the first one is, in one write.
func (h *Host) noteAddresses(s *state, owner string, steps []Step, taken takens) error {
	noted := false
	for _, step := range steps {
		a, ok := step.(*Address)
		if !ok || !a.Sole || h.DryRun || taken.has(a) {
			continue
		}
		found, err := a.look(h.machine)
		if err != nil {
			return fmt.Errorf("%s: %w", step, err)
		}
		noted = s.note(owner, step, found) || noted
	}
	if !noted {
		return nil
	}
	return s.write(h.file)
}
