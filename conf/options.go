package conf

import (
	"context"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/ldirectord/ldirectord/internal/account"
	"github.com/ldirectord/ldirectord/internal/rights"
)

// lookupTime limits one look-up of a host name, so that a dead resolver delays a
// start or a reload but does not block it.
const lookupTime = 5 * time.Second

// Options supply the parser's access to the system. The zero Options are the
// machine's own; tests and "check" replace them by harmless ones.
type Options struct {
	// LookupHost resolves a name to an IPv4 or IPv6 address. It is called once for
	// each name and family. nil is the machine's resolver, with a timeout.
	LookupHost func(name string, ipv6 bool) (netip.Addr, error)

	// LookupReal resolves a name in a real line, which with all may be one of SRV records.
	// With all it returns each address, else one. It is called once for each name, family
	// and all. nil is LookupHost for one, and lookupAll for all.
	LookupReal func(name string, ipv6, all bool) ([]Found, error)

	// LookupUser returns the account of a user, by its name or number. nil is
	// account.Lookup.
	LookupUser func(name string) (account.Account, error)

	// LookupPort resolves a port's name for "tcp" or "udp", or for "" in any
	// protocol. nil is /etc/services.
	LookupPort func(name, proto string) (uint16, error)

	// ValidPattern returns the fault of a receive pattern, nil if it is valid. A
	// nil function accepts all.
	ValidPattern func(pattern string) error

	// Refusals returns the parts of a virtual service that the kernel would refuse.
	// A nil function returns none.
	Refusals func(*VirtualService) []Refusal

	// TryOpen reports whether a log file can be appended to; the original opens
	// logfile and monitorfile while it reads, and so creates them. nil does the
	// same.
	TryOpen func(path string) error

	// ReadSecret reads the file of a passwdfile or secretfile: a path, or the name
	// of a credential of systemd. warning names the other users who may read it, ""
	// if none may. nil reads the file.
	ReadSecret func(name string) (text, warning string, err error)

	// IsDir reports whether path is a directory. nil uses stat.
	IsDir func(path string) bool

	// KnownFacility reports whether syslog has a facility. nil accepts all.
	KnownFacility func(name string) bool

	// LogDir is the directory of logs without a path in the file. "" is /var/log.
	LogDir string

	// Startable returns the reason why no daemon can start with the configuration
	// file name of an execute directive. Only CheckFile calls it. nil checks
	// nothing.
	Startable func(name string) error

	// Hostname is the host in the login of service=ftp and service=sip. "" is
	// $HOSTNAME, else the node's name.
	Hostname string
}

// filled returns o with the machine's own functions in place of nil.
func (o Options) filled() Options {
	if o.LookupHost == nil {
		o.LookupHost = lookupHost
	}
	if o.LookupUser == nil {
		o.LookupUser = account.Lookup
	}
	if o.LookupPort == nil {
		read := sync.OnceValues(readServices)
		o.LookupPort = func(name, proto string) (uint16, error) {
			s, err := read()
			if err != nil {
				return lookupPort(name, proto)
			}
			return s.port(name, proto)
		}
	}
	if o.ValidPattern == nil {
		o.ValidPattern = func(string) error { return nil }
	}
	if o.Refusals == nil {
		o.Refusals = func(*VirtualService) []Refusal { return nil }
	}
	if o.TryOpen == nil {
		o.TryOpen = tryOpen
	}
	if o.ReadSecret == nil {
		o.ReadSecret = rights.ReadSecret
	}
	if o.IsDir == nil {
		o.IsDir = isDir
	}
	if o.KnownFacility == nil {
		o.KnownFacility = func(string) bool { return true }
	}
	if o.Startable == nil {
		o.Startable = func(string) error { return nil }
	}
	if o.Hostname == "" {
		o.Hostname = Hostname()
	}
	return o
}

// lookupPort has a few built-in names, for machines without /etc/services.
func lookupPort(name, proto string) (uint16, error) {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTime)
	defer cancel()
	port, err := net.DefaultResolver.LookupPort(ctx, proto, name)
	return uint16(port), err
}

func tryOpen(path string) error {
	f, err := rights.Append(path)
	if err != nil {
		return err
	}
	return f.Close()
}

func isDir(path string) bool {
	fi, err := os.Stat(path)
	return err == nil && fi.IsDir()
}

// Hostname is the name of this host: $HOSTNAME, or the name of the node; "localhost" if it has none.
func Hostname() string {
	if name := os.Getenv("HOSTNAME"); name != "" {
		return name
	}
	name, err := os.Hostname()
	if err != nil {
		return "localhost"
	}
	return name
}
