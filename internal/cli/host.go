package cli

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/pflag"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/daemon"
	"github.com/ldirectord/ldirectord/internal/host"
)

// hostHelp is the help of host.
const hostHelp = `Sets up what LVS needs beside the table, reverts it, or compares it with the
state of the host. Each step is printed as one line. down reverts exactly the
changes of up, to the values before them, and keeps what was there already; a
step that two need is reverted with the second one. status ends with 1 if a step
is missing.

host director up|down|status
    the virtual addresses of the configuration; for masq forwarding and no ICMP
    redirects; the kernel's settings for clients of real servers that are out;
    modules. Left out are addresses of keepalived's or Pacemaker's configuration
    on this host, those of a file with hostsetup = noaddress, vipdevice, or
    vipcommand without hostsetup, and each one that another machine answers for:
    up does all else, names that machine, and ends with 1, or with --wait tries
    again every 30 s
host marks up|down|status
    the packet marks of the configuration (mark=...)
host realserver up|down|status
    on a real server, without a configuration: the virtual addresses, hidden
    from ARP before they appear; for masq only a look at the default route`

// hostOptions are the values of the options of host.
type hostOptions struct {
	dev        string
	prefix     int
	masquerade []string
	vips       []string
	mode       string
	gateway    string
	wait       bool
	dryRun     bool
}

// hostKinds are what host sets up, with the options of each.
var hostKinds = map[string][]string{
	"director":   {"dev", "prefix", "masquerade", "wait", "dry-run"},
	"marks":      {"dry-run"},
	"realserver": {"vip", "mode", "dev", "gateway", "dry-run"},
}

// hostCommand sets up what a host needs around the table.
func hostCommand(flags *pflag.FlagSet) action {
	var o hostOptions
	flags.StringVar(&o.dev, "dev", "", "DEV\tdirector: the device for virtual addresses, if not the one in whose network they are; realserver: the device that holds them, lo, for ipip the tunnel")
	flags.IntVar(&o.prefix, "prefix", 0, "N\tdirector: of IPv4 virtual addresses, 32 if not given")
	flags.StringSliceVar(&o.masquerade, "masquerade", nil, "NETWORK\tdirector: real servers of this network reach others with this host's address; may be repeated")
	flags.BoolVar(&o.wait, "wait", false, "director up: go on until no other machine has one of the addresses; systemd is told when all else is done")
	flags.StringSliceVar(&o.vips, "vip", nil, "ADDRESS,...\trealserver: the virtual addresses")
	flags.StringVar(&o.mode, "mode", "gate", "gate|ipip|masq\trealserver: how the director forwards, gate if not given")
	flags.StringVar(&o.gateway, "gateway", "", "ADDRESS\trealserver: the director, needed for masq")
	flags.BoolVar(&o.dryRun, "dry-run", false, "print the steps, and change nothing")
	return func(s *session, arguments []string) error {
		if len(arguments) < 2 {
			return usageError("host is followed by director, realserver or marks, and by up, down or status")
		}
		what, verb := arguments[0], arguments[1]
		if err := hostKind(flags, what, arguments); err != nil {
			return err
		}
		return s.host(what, verb, o)
	}
}

// hostKind tests the options and arguments of one kind of host.
func hostKind(flags *pflag.FlagSet, what string, arguments []string) (err error) {
	known, ok := hostKinds[what]
	if !ok {
		return usageError(fmt.Sprintf("host is followed by director, realserver or marks, not by %q", what))
	}
	flags.Visit(func(f *pflag.Flag) {
		if err == nil && !slices.Contains(known, f.Name) {
			err = usageError("Unknown option: " + f.Name)
		}
	})
	if err == nil && len(arguments) > 2 {
		err = usageError(fmt.Sprintf("host %s does not understand %q", what, arguments[2]))
	}
	return err
}

func (s *session) host(what, verb string, options hostOptions) error {
	if verb != "up" && verb != "down" && verb != "status" {
		return usageError(fmt.Sprintf("host %s is followed by up, down or status, not by %q", what, verb))
	}
	if options.wait && verb != "up" {
		return usageError("--wait belongs to host director up, not to host director " + verb)
	}
	if options.prefix > 32 {
		return usageError(fmt.Sprintf("--prefix is %d, and an IPv4 address has 32 bits", options.prefix))
	}
	if what == "realserver" {
		if err := options.realServer(verb); err != nil {
			return err
		}
	}
	h := host.New(s.Dirs.Run)
	h.DryRun = options.dryRun || s.inv.dryRun
	h.Say = func(line string, _ bool) { fmt.Fprintln(s.Stdout, line) }
	if what == "realserver" {
		return asRoot(s.hostRealServer(h, verb, options), os.Geteuid())
	}
	return asRoot(s.hostDirector(h, what, verb, options), os.Geteuid())
}

func usageError(text string) error { return &daemon.Exit{Status: exitUsage, Text: text} }

// realServer tests the options of a real server.
func (o hostOptions) realServer(verb string) error {
	switch masq := o.mode == "masq"; {
	case masq && len(o.vips) > 0:
		return usageError("--vip cannot be combined with --mode masq: such a real server has no virtual address")
	case masq && o.dev != "":
		return usageError("--dev cannot be combined with --mode masq: such a real server has no virtual address")
	case masq && o.gateway == "" && verb != "down":
		return usageError("--mode masq needs --gateway ADDRESS, the director's: without it any default route would do")
	case !masq && o.gateway != "":
		return usageError("--gateway belongs to --mode masq, not to --mode " + o.mode)
	case o.dev != "" && verb == "up" && !host.HasDevice(o.dev):
		return noDevice(o.dev)
	}
	return nil
}

func noDevice(name string) error {
	return &daemon.Exit{Status: exitFailed, Text: "there is no device " + name + ": ip link shows those there are"}
}

// hostDirector runs one verb for a director or for its marks. down works without a
// configuration, too.
func (s *session) hostDirector(h *host.Host, what, verb string, o hostOptions) error {
	ctx := context.Background()
	findErr := s.find()
	owner := daemon.HostOwner(what, s.Path)
	if verb == "down" {
		return s.hostDown(h, owner)
	}
	if findErr != nil {
		return &daemon.Exit{Status: exitFailed, Text: findErr.Error()}
	}
	cfg, err := conf.Load(s.Path, daemon.Harmless(s.Dirs.ConfigOptions()))
	if err != nil {
		return &daemon.Exit{Status: exitConfig, Text: diagnosis(err)}
	}
	choices, err := o.choices()
	if err != nil {
		return err
	}
	steps, err := h.ConfigSteps(ctx, cfg, what, choices)
	if err != nil {
		return err
	}
	if what == "marks" && len(steps) == 0 {
		fmt.Fprintf(s.Stdout, "nothing to set up: %s has no mark lines\n", s.Path)
	}
	if verb == "up" {
		return s.hostUp(h, o.wait, func() error { return h.Up(ctx, owner, steps) })
	}
	return s.hostStatus(h, owner, steps)
}

// hostWait is the time between two tries to get addresses that other machines have.
const hostWait = 30 * time.Second

// hostUp sets up a director, with wait until no other machine has an address of it.
func (s *session) hostUp(h *host.Host, wait bool, up func() error) error {
	said := ""
	for {
		err := up()
		_, taken := errors.AsType[*host.TakenError](err)
		if !wait || err != nil && !taken {
			return err
		}
		if said == "" { // all else is done
			_, _ = systemd.SdNotify(false, systemd.SdNotifyReady)
			h.Say = func(line string, changes bool) {
				if changes {
					fmt.Fprintln(s.Stdout, line)
				}
			}
		}
		if !taken {
			return nil
		}
		if text := err.Error(); text != said {
			said = text
			fmt.Fprintf(s.Stderr, "%s; it is tried again every %v\n", text, hostWait)
		}
		time.Sleep(hostWait)
	}
}

// choices are the options of a director.
func (o hostOptions) choices() (host.Choices, error) {
	c := host.Choices{Dev: o.dev, PrefixLen: o.prefix}
	for _, text := range o.masquerade {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			return c, usageError("masquerade needs a network, like 192.168.211.0/24, not " + text)
		}
		c.Masquerade = append(c.Masquerade, network)
	}
	return c, nil
}

// hostRealServer runs one verb for all virtual addresses. Without any, down and status
// are for every address that was set up.
func (s *session) hostRealServer(h *host.Host, verb string, o hostOptions) error {
	ctx := context.Background()
	servers, err := realServers(o)
	if err != nil {
		return err
	}
	if len(servers) == 0 && verb == "up" {
		return usageError("host realserver up needs --vip ADDRESS, the virtual address")
	}
	if len(servers) == 0 {
		return s.allRealServers(h, verb)
	}
	var failed error
	for _, r := range servers {
		steps, err := r.Steps()
		if err != nil {
			return err
		}
		switch verb {
		case "up":
			err = h.Up(ctx, r.Owner(), steps)
		case "down":
			err = s.hostDown(h, r.Owner())
		default:
			err = s.hostStatus(h, r.Owner(), steps)
		}
		failed = errors.Join(failed, err)
	}
	return oneExit(failed)
}

// realServers are the real servers of the options: one for each virtual address.
func realServers(o hostOptions) ([]host.RealServer, error) {
	r := host.RealServer{Dev: o.dev}
	switch o.mode {
	case "gate":
		r.Forward = conf.Gate
	case "ipip":
		r.Forward = conf.IPIP
	case "masq":
		r.Forward = conf.Masq
	default:
		return nil, usageError(fmt.Sprintf("mode is gate, ipip or masq, not %q", o.mode))
	}
	if o.gateway != "" {
		var err error
		if r.Gateway, err = netip.ParseAddr(o.gateway); err != nil {
			return nil, usageError("--gateway needs an address, not " + o.gateway)
		}
	}
	if r.Forward == conf.Masq {
		return []host.RealServer{r}, nil
	}
	var servers []host.RealServer
	for _, text := range o.vips {
		var err error
		if r.VIP, err = netip.ParseAddr(strings.Trim(text, "[]")); err != nil {
			return nil, usageError("--vip needs an address, not " + text)
		}
		r.VIP = r.VIP.Unmap()
		if r.VIP.IsUnspecified() || r.VIP.IsMulticast() || r.VIP.IsLoopback() || r.VIP.Zone() != "" {
			return nil, usageError("vip cannot be " + text + ", which no client reaches")
		}
		if !slices.Contains(servers, r) {
			servers = append(servers, r)
		}
	}
	return servers, nil
}

// allRealServers runs down or status for everything that was set up.
func (s *session) allRealServers(h *host.Host, verb string) error {
	owners, err := h.Owners()
	if err != nil {
		return err
	}
	var failed error
	found := false
	for _, owner := range owners {
		if !strings.HasPrefix(owner, host.RealServerOwner) {
			continue
		}
		found = true
		if verb == "down" {
			failed = errors.Join(failed, h.Down(context.Background(), owner))
		} else {
			failed = errors.Join(failed, s.hostStatus(h, owner, nil))
		}
	}
	if !found {
		fmt.Fprintln(s.Stdout, "this host is not set up as a real server; --vip ADDRESS looks for one virtual address")
		if verb == "status" {
			return &daemon.Exit{Status: exitFailed}
		}
	}
	return oneExit(failed)
}

// hostDown reverts the steps of owner. If there are none, which may be a typing error, it
// lists the owners that have steps.
func (s *session) hostDown(h *host.Host, owner string) error {
	owners, err := h.Owners()
	if err != nil {
		return err
	}
	if !slices.Contains(owners, owner) {
		fmt.Fprintf(s.Stdout, "nothing was set up for %s\n", owner)
		for _, other := range owners {
			fmt.Fprintf(s.Stdout, "set up is: %s\n", other)
		}
		return nil
	}
	return h.Down(context.Background(), owner)
}

// hostStatus prints the state of steps and of the other steps of owner.
func (s *session) hostStatus(h *host.Host, owner string, steps []host.Step) error {
	held, err := h.Held(owner)
	if err != nil {
		return err
	}
	good := true
	for _, c := range h.Status(context.Background(), host.Unique(append(steps, held...))) {
		fmt.Fprintln(s.Stdout, c)
		good = good && c.Done
	}
	if !good {
		return &daemon.Exit{Status: exitFailed}
	}
	return nil
}

// oneExit makes one exit status of several errors.
func oneExit(err error) error {
	if err == nil {
		return nil
	}
	return &daemon.Exit{Status: exitFailed, Text: strings.TrimSpace(err.Error())}
}
