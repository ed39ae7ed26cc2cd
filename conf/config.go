// Package conf turns the text of an ldirectord.cf into a Config: complete,
// resolved, defaults applied, and never written to again.
//
// The package knows nothing of checks, of the kernel or of the daemon. What
// needs the world (names, ports) comes in through Options.
package conf

import (
	"net/netip"
	"time"

	"github.com/ldirectord/ldirectord/internal/secret"
)

// A Config is a whole configuration file. It is immutable once returned by
// Load or Parse; a reload makes another one.
type Config struct {
	Path     string // of the file, as it is named in messages
	Virtuals []*VirtualService
	Warnings []*Problem // in the order of the file; the file is usable all the same

	DriftCheck     time.Duration // how often the kernel's table is compared; 0 is off
	ReaddQuiescent bool          // a real server that is down and missing in the table is added with weight 0

	Process
	Scheduling
	Logs
	Notify
	StatusServer
}

// Process is how the daemon runs on its host.
type Process struct {
	AutoReload     bool
	Callback       secret.Command // path of a command, "" is none
	Execute        []string       // daemons to run beside this one: words for a shell, see ShellWords
	Fork           bool           // accepted; checks are parallel anyway
	HostSetup      bool           // set up what this host needs around IPVS, at start and stop
	MaintenanceDir string         // "" is none
	Supervised     bool           // stay in the foreground, log to standard output
}

// Scheduling is what all checks together have in common.
type Scheduling struct {
	CheckInterval time.Duration // of virtual services without one of their own
	CheckRate     int           // checks started per second; 0 is derived from the intervals
	CheckSource   netip.Addr    // the address checks come from; invalid is the kernel's choice
	HoldLocal     bool          // change nothing while most checks fail for want of something local
}

// Logs are the files that the daemon writes.
type Logs struct {
	LogFile    string // a path if it begins with "/", else a syslog facility
	MonitorLog string // the "is gone" / "is back" log, "" is none
}

// Notify is how events are sent, besides the mails of each virtual service.
type Notify struct {
	EmailAlertGroup time.Duration  // how long mails are collected; 0 is one mail for each event
	NotifyCommand   secret.Command // run by the shell with each event as JSON on its standard input, "" is none
	Webhook         secret.URL     // URL to which events are posted as JSON, "" is none
}

// StatusServer is where the daemon answers, and who may ask.
type StatusServer struct {
	StatusControl   bool   // orders are taken at StatusListen, from clients with the token
	StatusGroup     string // whose members may use the daemon's socket; "" is root alone
	StatusListen    string // ADDRESS:PORT or a path that begins with "/", "" is nowhere
	StatusReadToken string // path of the file with the token for reading, "" is that all who can connect may
	StatusToken     string // path of the file with the token
}

// A VirtualService is one virtual= or virtual6= block with every default
// applied: no reader needs the globals.
type VirtualService struct {
	Line int    // of the virtual= line
	Name string // the address as written

	Protocol Protocol // FWM for firewall marks
	IPv6     bool
	Addr     netip.Addr // invalid for firewall marks
	Port     uint16     // 0 is all ports
	Mark     uint32     // the firewall mark
	Marks    []Mark     // which packets get Mark; nil leaves that to others

	Reals    []*RealServer // in the order of the file, ranges expanded
	Fallback *Fallback     // nil is none; the block's, else the global one that fits

	CheckPort  uint16 // 0: the real server's port, else the service's
	PasswdFile string // the file that Passwd is from, "" is the configuration
	SecretFile string // the file that Secret is from, "" is the configuration

	Kernel
	Check
	Policy
	Alert
}

// Kernel is the kernel's service. Values that only the kernel can judge are kept
// as written: an unknown scheduler is refused when the service is added.
type Kernel struct {
	Scheduler  string
	SchedFlags string // comma separated, as ipvsadm -b takes them
	OPS        bool   // one-packet scheduling; false unless udp
	Persist    bool   // persistent was given
	Persistent uint64 // seconds; meaningful if Persist
	Netmask    string // dotted quad, or prefix length for IPv6; "" is none
}

// Check is how the real servers of a virtual service are checked: everything that
// a check reads besides its address, and nothing else. It is comparable: equal
// Checks are made in the same way.
type Check struct {
	CheckType    CheckType
	Combined     int            // connects per negotiate, for CheckCombined
	HalfOpen     bool           // a connect ends before the server's process sees it
	CheckCommand secret.Command // of CheckExternal and CheckExternalPerl
	Timing
	Negotiate
	HTTP
	TLS
}

// Timing is when a check runs and how long it may take.
type Timing struct {
	CheckInterval    time.Duration
	CheckTimeout     time.Duration // effective: connect, ping, external
	NegotiateTimeout time.Duration // effective: negotiate
	CheckCount       int           // tries of one ping
	ChkLoop          int           // tries at once of one check of any type
	FastInterval     time.Duration // between checks after a first failure, until decided; 0 is CheckInterval
	DownInterval     time.Duration // between checks of a real server that is down; 0 is CheckInterval
}

// Negotiate is the service's dialogue.
type Negotiate struct {
	Service      string         // "http", ... , "none"
	Request      secret.Request // begins with "/", which is the default
	Receive      string         // Perl regular expression, "" matches everything
	ReceiveNot   string         // Perl regular expression that must not match, "" is none
	ReceiveBytes int64          // how much of an answer is read; 0 is the checker's own limit
	Login        string
	Passwd       secret.Text
	Database     string
	Secret       secret.Text
}

// HTTP is the request and the expected answer of the services that are HTTP.
type HTTP struct {
	HTTPMethod     string    // GET or HEAD
	HTTPStatus     StatusSet // the good ones
	HTTPHeader     Headers   // sent besides the usual ones
	HTTPVersion    HTTPVersion
	HTTPFollow     HTTPFollow
	VirtualHost    string
	HasVirtualHost bool // virtualhost was given, possibly empty
}

// TLS is for the services over TLS, and for StartTLS.
type TLS struct {
	StartTLS  bool
	SSLVerify SSLVerify
	SSLCAFile string // "" is the system's
	SSLName   string // to ask for and to verify; "" is VirtualHost
	SSLCert   string // client certificate, "" is none
	SSLKey    string // "" with SSLCert: the key is in that file too
}

// Policy is what follows from the verdicts on the real servers, and what remains
// when the daemon stops.
type Policy struct {
	FailureCount    int // failed checks in a row until down
	RiseCount       int // good checks in a row until up again
	Quiescent       bool
	CleanStop       bool
	SlowStart       time.Duration  // in which the weight climbs after coming back; 0 is at once
	MinAlive        MinAlive       // checks alone leave at least this many in
	FallbackCommand secret.Command // run by the shell with start|stop, "" is none
}

// Alert is what is reported of a virtual service, and to whom.
type Alert struct {
	EmailAlert       string // recipients as written, "" is none
	EmailAlertFrom   string
	EmailAlertFreq   time.Duration // 0 is no reminder
	EmailAlertStatus Status        // the daemon's states in which mail is sent
	SMTP             string        // "" is the local mailer
	ServiceName      string
	Comment          string
	MonitorFile      string // one line for each result, "" is none
	SSLExpiryWarn    int    // days before its end that a certificate is warned of; 0 is never
}

// A RealServer is one address behind a virtual service.
type RealServer struct {
	Line    int
	Host    string // as written, for maintenance files
	Addr    netip.Addr
	Port    uint16 // 0: the virtual service's
	Forward Forward
	Weight  int
	Upper   uint32 // connection thresholds, 0 is none
	Lower   uint32

	// Request and Receive are what this real server is asked: its own pair if
	// it has one (OwnRequest), else the virtual service's.
	Request    secret.Request
	Receive    string
	OwnRequest bool
}

// A Fallback is where connections go when no real server is up.
type Fallback struct {
	Line    int
	Addr    netip.Addr
	Port    uint16
	Forward Forward
}

// Protocol is what a virtual service balances.
type Protocol uint8

// The protocols of the protocol directive.
const (
	TCP Protocol = iota
	UDP
	FWM
)

// Forward is how packets reach a real server.
type Forward uint8

// The forwarding methods.
const (
	Gate Forward = iota
	Masq
	IPIP
)

// CheckType is how a real server is asked.
type CheckType uint8

// The values of the checktype directive.
const (
	CheckNegotiate CheckType = iota
	CheckConnect
	CheckCombined // a number: one negotiate, then that many connects
	CheckPing
	CheckExternal
	CheckExternalPerl
	CheckOn
	CheckOff
	CheckAgent // weight and verdict come from an agent on the real server
)

// SSLVerify is what a real server's certificate has to prove.
type SSLVerify uint8

// The values of the sslverify directive. VerifyChain, where it is not given, is
// what the original did: a chain to a known CA, any name.
const (
	VerifyChain SSLVerify = iota
	VerifyFull            // yes: the chain and the name
	VerifyNone            // no
)

// HTTPVersion is the version of HTTP a real server is asked in.
type HTTPVersion uint8

// The values of the httpversion directive.
const (
	HTTP11 HTTPVersion = iota
	HTTP10
	HTTP2
)

// HTTPFollow is what is done about a redirect.
type HTTPFollow uint8

// The values of the httpfollow directive.
const (
	FollowYes  HTTPFollow = iota
	FollowNo              // the redirect is the answer
	FollowSame            // on the real server itself, whatever host it names
)

// MinAlive is how many real servers of a virtual service checks alone never
// take out: a number, or a share of those configured. The zero MinAlive is none.
type MinAlive struct {
	Count   int
	Percent int
}

// Of is the number for a virtual service with total real servers, at most
// total. A share is rounded up.
func (m MinAlive) Of(total int) int {
	return min(total, max(m.Count, (total*m.Percent+99)/100))
}

// Status is a set of the daemon's states.
type Status uint8

// The words of emailalertstatus; All and none are their union and 0.
const (
	Starting Status = 1 << iota
	Running
	Stopping
	Reloading
	All = Starting | Running | Stopping | Reloading
)
