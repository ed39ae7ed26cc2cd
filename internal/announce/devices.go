package announce

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/ldirectord/ldirectord/internal/state"
)

// A Network has devices with addresses.
type Network interface {
	// Ready makes a dummy device of that name if there is none, after the kernel has been set to
	// answer no ARP requests for the addresses of other devices, and brings it up.
	Ready(device string) error
	// Addresses are those of a device, none if there is no such device.
	Addresses(device string) ([]netip.Addr, error)
	// Add adds addresses, and returns how many, those before the first error.
	Add(device string, addrs []netip.Addr) (added int, err error)
	// Remove removes addresses, which may be gone already.
	Remove(device string, addrs []netip.Addr) error
}

// devices are the devices whose addresses follow. It is for one goroutine.
type devices struct {
	network Network
	owners  func() map[netip.Addr]string
	record  string
	log     func(format string, args ...any)
	faults  *faults

	ours map[string]map[netip.Addr]bool // by device; nil is not read yet
}

// follow makes the addresses of the device as wanted: the served ones are there, and those that are
// ours and not served are not. It reports whether all went well.
func (d *devices) follow(s Settings, want map[netip.Addr]bool) bool {
	d.recall()
	if s.Device == "" && !d.holds() {
		d.faults.drop(whatDevice)
		return true
	}
	err := d.swap(s, want)
	if err != nil {
		d.faults.set(d.log, whatDevice, lineDeviceFailed, s.Device, err)
		return false
	}
	for _, served := range want {
		if served && s.Device != "" {
			d.faults.clear(d.log, whatDevice)
			return true
		}
	}
	d.faults.drop(whatDevice) // without an address nothing shows that one can be added again
	return true
}

// swap adds before it removes, so that an address that moves to another device stays.
func (d *devices) swap(s Settings, want map[netip.Addr]bool) error {
	var failed error
	if s.Device != "" {
		failed = d.add(s, want)
	}
	for device, addrs := range d.ours {
		var gone []netip.Addr
		for addr := range addrs {
			if device != s.Device && failed == nil || device == s.Device && !want[addr] {
				gone = append(gone, addr)
			}
		}
		if err := d.remove(device, gone); err != nil && failed == nil {
			failed = err
		}
	}
	return failed
}

// add adds the served addresses that are missing. Those of the file that are there are ours from now on,
// but for those that another program has.
func (d *devices) add(s Settings, want map[netip.Addr]bool) error {
	present, err := d.network.Addresses(s.Device)
	if err != nil {
		return err
	}
	ours := d.ours[s.Device]
	if ours == nil {
		ours = map[netip.Addr]bool{}
		d.ours[s.Device] = ours
	}
	before := maps.Clone(ours)
	d.adopt(s, present, ours)
	there := make(map[netip.Addr]bool, len(present))
	for _, addr := range present {
		there[addr] = true
	}
	missing := d.missing(s, want, there)
	for _, addr := range missing {
		ours[addr] = true
	}
	if !maps.Equal(before, ours) {
		if err := d.write(); err != nil {
			maps.DeleteFunc(ours, func(addr netip.Addr, _ bool) bool { return !there[addr] && !before[addr] })
			return err
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if err := d.network.Ready(s.Device); err != nil {
		return err
	}
	added, err := d.network.Add(s.Device, missing)
	d.logChange(lineAdded, s.Device, missing[:added])
	if err != nil {
		return fmt.Errorf("adding %s: %w", missing[added], err)
	}
	return nil
}

// adopt makes the addresses of the file ours that are on the device.
func (d *devices) adopt(s Settings, present []netip.Addr, ours map[netip.Addr]bool) {
	var found []netip.Addr
	for _, addr := range present {
		if _, is := slices.BinarySearchFunc(s.Addresses, addr, netip.Addr.Compare); is && !ours[addr] {
			found = append(found, addr)
		}
	}
	if len(found) == 0 {
		return
	}
	owners := d.owners()
	for _, addr := range found {
		if owners[addr] == "" {
			ours[addr] = true
		}
	}
}

// missing are the addresses to be added: not those that another program has.
func (d *devices) missing(s Settings, want, there map[netip.Addr]bool) (missing []netip.Addr) {
	for addr, served := range want {
		if served && !there[addr] && !addr.IsLoopback() && !addr.IsUnspecified() {
			missing = append(missing, addr)
		}
	}
	if len(missing) == 0 {
		d.faults.drop(whatOwned)
		return nil
	}
	slices.SortFunc(missing, netip.Addr.Compare)
	owners := d.owners()
	var owned []netip.Addr
	missing = slices.DeleteFunc(missing, func(addr netip.Addr) bool {
		if owners[addr] == "" {
			return false
		}
		owned = append(owned, addr)
		return true
	})
	switch len(owned) {
	case 0:
		d.faults.drop(whatOwned)
	case 1:
		d.faults.set(d.log, whatOwned, lineOwned, owned[0], s.Device, owners[owned[0]])
	default:
		names := named(owned, func(addr netip.Addr) string { return fmt.Sprintf("%s (%s)", addr, owners[addr]) })
		d.faults.set(d.log, whatOwned, lineOwnedSeveral, s.Device, names)
	}
	return missing
}

// remove removes addresses of ours. The log has those that were there: an addition may have failed.
func (d *devices) remove(device string, addrs []netip.Addr) error {
	if len(addrs) == 0 {
		return nil
	}
	slices.SortFunc(addrs, netip.Addr.Compare)
	present, err := d.network.Addresses(device)
	if err != nil {
		return err
	}
	if err := d.network.Remove(device, addrs); err != nil {
		return err
	}
	for _, addr := range addrs {
		delete(d.ours[device], addr)
	}
	d.logChange(lineRemoved, device, slices.DeleteFunc(addrs, func(addr netip.Addr) bool { return !slices.Contains(present, addr) }))
	if len(d.ours[device]) == 0 {
		delete(d.ours, device)
	}
	return d.write()
}

// mostNamed is how many addresses one line of the log names.
const mostNamed = 20

// logChange logs which addresses came to a device, or left it.
func (d *devices) logChange(format, device string, addrs []netip.Addr) {
	if len(addrs) > 0 {
		d.log(format, device, named(addrs, netip.Addr.String))
	}
}

// named is the addresses as a line of the log has them, each in the words of name.
func named(addrs []netip.Addr, name func(netip.Addr) string) string {
	var names []string
	for _, addr := range addrs[:min(len(addrs), mostNamed)] {
		names = append(names, name(addr))
	}
	text := strings.Join(names, ", ")
	if more := len(addrs) - mostNamed; more > 0 {
		text += fmt.Sprintf(", and %d more", more)
	}
	return text
}

// holds reports whether an address of a device is ours.
func (d *devices) holds() bool {
	d.recall()
	return len(d.ours) > 0
}

// has reports whether an address of a device is ours.
func (d *devices) has(device string, addr netip.Addr) bool {
	d.recall()
	return d.ours[device][addr]
}

// recall reads what earlier daemons have added.
func (d *devices) recall() {
	if d.ours != nil {
		return
	}
	d.ours = map[string]map[netip.Addr]bool{}
	known, err := state.ReadAnnounced(d.record)
	if err != nil {
		d.log(lineUnread, err)
	}
	for device, addrs := range known {
		ours := map[netip.Addr]bool{}
		for _, addr := range addrs {
			ours[addr] = true
		}
		d.ours[device] = ours
	}
}

// write keeps our addresses for the next daemon.
func (d *devices) write() error {
	known := map[string][]netip.Addr{}
	for device, ours := range d.ours {
		if len(ours) > 0 {
			known[device] = slices.SortedFunc(maps.Keys(ours), netip.Addr.Compare)
		}
	}
	return state.WriteAnnounced(d.record, known)
}
