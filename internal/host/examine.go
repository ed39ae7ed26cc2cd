package host

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/owners"
)

const (
	// reachPatience is how long a real server may take to accept a connection.
	reachPatience = 2 * time.Second
	// reachAtOnce is the number of real servers contacted at the same time.
	reachAtOnce = 64
)

// Survey examines this host as the director of a configuration. It probes the
// network for owners of the virtual addresses, and connects to each real server.
func (h *Host) Survey(ctx context.Context, cfg *conf.Config) (Survey, error) {
	s, err := h.SurveyRealServer()
	if err != nil {
		return s, err
	}
	place, err := h.Place(cfg, "")
	if err != nil {
		return s, err
	}
	s.IPVS = exists(filepath.Join(h.machine.proc, "net/ip_vs"))
	s.Devices = Director{Config: cfg, Place: place}.devices()
	s.Marks = h.Status(ctx, markSteps(cfg, h.Filter(ctx)))
	s.Rules, s.Rules6 = h.rules(ctx, "iptables"), h.rules(ctx, "ip6tables")
	s.Rivals = h.rivals()
	s.Strangers, s.Asked = strangers(place)
	s.Owned = h.machine.owners()
	s.Reals = reachAll(ctx, cfg)
	s.Pair = surveyPair(cfg)
	s.Load = h.load(cfg)
	return s, nil
}

// SurveyRealServer looks at this host as a real server.
func (h *Host) SurveyRealServer() (Survey, error) {
	s := Survey{Addresses: map[netip.Addr]Placed{}, Down: map[string]bool{}, ClockOff: clockOff(), Sysctl: h.sysctl}
	devices, err := readDevices()
	if err != nil {
		return s, err
	}
	for _, a := range devices.addresses {
		s.Addresses[a.prefix.Addr()] = Placed{a.dev, a.prefix.Bits()}
	}
	links, err := netlink.LinkList()
	if err != nil {
		return s, err
	}
	for _, l := range links {
		if l.Attrs().Flags&net.FlagUp == 0 {
			s.Down[l.Attrs().Name] = true
		}
	}
	if s.Gateway, err = defaultGateway(false); err == nil {
		s.Gateway6, err = defaultGateway(true)
	}
	return s, err
}

func (h *Host) sysctl(name string) string {
	text, err := os.ReadFile(filepath.Join(h.machine.proc, "sys", name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// rules are those of the packet filter; none if the program is not there.
func (h *Host) rules(ctx context.Context, program string) []string {
	out, err := h.machine.run(ctx, "", program, "-w", "10", "-S")
	if err != nil {
		return nil
	}
	return strings.Split(out, "\n")
}

// strangers probes the network for other owners of the virtual addresses. Those that cannot be
// probed are not in asked.
func strangers(p Place) (found map[netip.Addr][]string, asked map[netip.Addr]bool) {
	byDev := map[string][]netip.Addr{}
	for vip, name := range p.VIPs {
		byDev[name] = append(byDev[name], vip)
	}
	return others(byDev, false)
}

// neighbour is the hardware address of a machine that has addr, with another address that this host
// knows of it.
func neighbour(mac net.HardwareAddr, addr netip.Addr) string {
	if len(mac) == 0 {
		return "a machine that begins to take it"
	}
	neighbours, err := netlink.NeighList(0, netlink.FAMILY_ALL)
	if err == nil {
		for _, n := range neighbours {
			ip, _ := netip.AddrFromSlice(n.IP)
			if slices.Equal(n.HardwareAddr, mac) && ip.IsValid() && ip.Unmap() != addr && !ip.IsLinkLocalUnicast() {
				return fmt.Sprintf("%s (%s)", mac, ip.Unmap())
			}
		}
	}
	return mac.String()
}

// reachAll connects to each real server where it is checked.
func reachAll(ctx context.Context, cfg *conf.Config) map[netip.AddrPort]Reach {
	var mu sync.Mutex
	var wg sync.WaitGroup
	found := map[netip.AddrPort]Reach{}
	atOnce := make(chan struct{}, reachAtOnce)
	for _, v := range cfg.Virtuals {
		for _, r := range v.Reals {
			at := checkPoint(v, r)
			mu.Lock()
			_, known := found[at]
			found[at] = Reach{}
			mu.Unlock()
			if known {
				continue
			}
			atOnce <- struct{}{}
			wg.Go(func() {
				defer func() { <-atOnce }()
				reach := reachOne(ctx, v, at)
				mu.Lock()
				found[at] = reach
				mu.Unlock()
			})
		}
	}
	wg.Wait()
	return found
}

// reachOne looks for the way to a real server and, if it can be, connects to it.
func reachOne(ctx context.Context, v *conf.VirtualService, at netip.AddrPort) Reach {
	dev, from := routeTo(at.Addr())
	reach := Reach{Dev: dev, From: from}
	if dev == "" || v.Protocol == conf.UDP || at.Port() == 0 {
		return reach
	}
	d := net.Dialer{Timeout: reachPatience}
	conn, err := d.DialContext(ctx, "tcp", at.String())
	if err != nil {
		reach.Error = unreached(err)
		return reach
	}
	defer conn.Close()
	if v.Service == "http" {
		reach.Ahead = ahead(conn)
	}
	return reach
}

// notListening is the error for a reachable real server that refuses connections.
const notListening = "no process listens at that port"

// unreached describes why a connection failed.
func unreached(err error) string {
	if errors.Is(err, syscall.ECONNREFUSED) {
		return notListening
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno.Error()
	}
	return fmt.Sprintf("no answer within %v", reachPatience)
}

// ahead is how far a web server's clock is ahead; 0 if the server sends no time.
func ahead(conn net.Conn) time.Duration {
	if err := conn.SetDeadline(time.Now().Add(reachPatience)); err != nil {
		return 0
	}
	if _, err := io.WriteString(conn, "HEAD / HTTP/1.0\r\n\r\n"); err != nil {
		return 0
	}
	resp, err := http.ReadResponse(bufio.NewReader(io.LimitReader(conn, 64<<10)), nil)
	if err != nil {
		return 0
	}
	resp.Body.Close()
	theirs, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return 0
	}
	return time.Until(theirs)
}

// clockOff is the kernel's report about an unsynchronized clock, "" if it is
// synchronized.
func clockOff() string {
	var t unix.Timex
	if _, err := unix.Adjtimex(&t); err != nil {
		return ""
	}
	if t.Status&unix.STA_UNSYNC != 0 {
		return "is not synchronized (NTP)"
	}
	return ""
}

// rivals looks for programs that write the table, too: a keepalived without virtual_server, which only
// moves addresses, does not.
func (h *Host) rivals() []Rival {
	var found []Rival
	processes, _ := filepath.Glob(filepath.Join(h.machine.proc, "[0-9]*", "comm"))
	for _, file := range processes {
		name, err := os.ReadFile(file)
		if err != nil || strings.TrimSpace(string(name)) != "keepalived" {
			continue
		}
		cmdline, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline")) // it may have ended
		if owners.KeepalivedServes(strings.Split(strings.TrimRight(string(cmdline), "\x00"), "\x00")) {
			found = append(found, Rival{
				"keepalived runs as process " + filepath.Base(filepath.Dir(file)),
				"remove virtual_server from its configuration, or systemctl disable --now keepalived",
			})
			break // its children have the same name
		}
	}
	for _, link := range []string{
		"/etc/systemd/system/multi-user.target.wants/ipvsadm.service",
		"/etc/rc2.d/S*ipvsadm", "/etc/rc3.d/S*ipvsadm",
	} {
		if files, _ := filepath.Glob(link); len(files) > 0 && ipvsadmRestores() {
			found = append(found, Rival{"the service ipvsadm is enabled", "systemctl disable --now ipvsadm"})
			break
		}
	}
	return found
}

// ipvsadmRestores reports whether that service has an effect: Debian's only if its
// settings enable it.
func ipvsadmRestores() bool {
	text, err := os.ReadFile("/etc/default/ipvsadm")
	return err != nil || strings.Contains(string(text), `AUTO="true"`) || strings.Contains(string(text), "AUTO=true") ||
		strings.Contains(string(text), `DAEMON="master"`) || strings.Contains(string(text), `DAEMON="backup"`)
}
