// Package conf turns the text of an ldirectord.cf into a Config: complete,
// resolved, with all defaults, and immutable.
//
// The package knows nothing of checks, of the kernel or of the daemon. Options
// supply its access to the system (names, ports).
package conf

import (
	"net/netip"
	"time"

	"github.com/ldirectord/ldirectord/internal/account"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// A Config is a whole configuration: a file and those that it includes. It is immutable once returned by
// Load or Parse; a reload makes another one.
type Config struct {
	Path     string // path of the file that includes the others, for messages
	Virtuals []*VirtualService
	Warnings []*Problem // in the order of the file; the file is usable in spite of them

	fingerprint string

	DriftCheck     time.Duration // time between two comparisons with the kernel's table; 0 is off
	ReaddQuiescent bool          // a real server, down and missing in the table, is added with weight 0
	Resolve        time.Duration // time between two lookups of the names of real servers; 0 is never

	Beside
	Process
	Scheduling
	Logs
	Notify
	StatusServer
	Announcing
}

// Announcing is how the network follows which virtual addresses are served.
type Announcing struct {
	VIPCommand    secret.Command // the shell runs it with up|down and addresses, "" is none
	VIPDevice     string         // the device that has the served addresses, "" is none
	WithdrawDelay time.Duration  // at a stop, between the withdrawal of the addresses and the end of the table
}

// Beside is the kernel's state of IPVS beside its table.
type Beside struct {
	SyncDaemon   SyncDaemon
	IPVSTimeouts IPVSTimeouts
}

// Process is the settings of the daemon's process.
type Process struct {
	AutoReload     bool
	Callback       secret.Command  // path of a command, "" is none
	CheckUser      account.Account // the user that runs NotifyCommand; the zero Account is the daemon's
	Execute        []string        // daemons to run beside this one: words for a shell, see ShellWords
	Fork           bool            // accepted; checks are parallel anyway
	HostSetup      HostSetup       // what is set up on this host for IPVS, and undone at the stop
	MaintenanceDir string          // "" is none

	MaintenanceOrders bool // the first line of a file in MaintenanceDir may be an order

	Supervised bool // stay in the foreground, log to standard output
}

// Scheduling is the settings of all checks together.
type Scheduling struct {
	CheckInterval time.Duration // for virtual services without one of their own
	CheckRate     int           // checks started per second; 0 is derived from the intervals
	HoldLocal     bool          // change nothing while most checks fail for a local reason
}

// Logs are the files that the daemon writes.
type Logs struct {
	LogFile          string // a path if it begins with "/", else a syslog facility
	LogFormat        LogFormat
	MonitorLog       string // the "is gone" / "is back" log, "" is none
	MonitorLogFormat LogFormat
}

// Notify is the receivers of events besides the mails of each virtual service.
type Notify struct {
	EmailAlertGroup   time.Duration  // the time for which mails are collected; 0 is one mail for each event
	NotifyActive      bool           // only events of virtual services with an address on this host, for mails and hooks
	NotifyCommand     secret.Command // the shell runs it with each event as JSON on its standard input, "" is none
	Webhook           secret.URL     // events are posted to this URL as JSON, "" is none
	WebhookFormat     WebhookFormat
	WebhookSecret     secret.Text // the key of the signature of each request, "" is no signature
	WebhookSecretFile string      // the file that supplied WebhookSecret
}

// A VirtualService is one virtual= or virtual6= block with all defaults: its
// readers need no global settings.
type VirtualService struct {
	File string // path of the file of its block
	Line int    // line of virtual=
	Name string // the address as written

	Protocol Protocol // FWM for firewall marks
	IPv6     bool
	Addr     netip.Addr // invalid for firewall marks
	Port     uint16     // 0 is all ports
	Mark     uint32     // the firewall mark
	Marks    []Mark     // the packets that get Mark; nil if another program sets the mark

	Reals    []*RealServer // in the order of the file, ranges expanded
	Fallback *Fallback     // nil is none; the block's, else the global one of its family

	CheckTarget
	SecretFiles
	Kernel
	Resolution
	Check
	MoreChecks
	Policy
	Alert
}

// Announcement is when the address of a virtual service is served.
type Announcement struct {
	Announce         Announce
	AnnounceDelay    time.Duration // for which it has to be served until it counts
	AnnounceFallback bool          // it is served by its fallback, too
}

// Announce is how a virtual service counts for whether its address is served.
type Announce uint8

// The values of the announce directive.
const (
	AnnounceAny Announce = iota // one served virtual service of these is enough
	AnnounceAll                 // each of these has to be served
	AnnounceNo                  // it does not count
)

// Resolution is how the names of real servers become addresses.
type Resolution struct {
	ResolveAll bool // each address of a name, or each record of SRV, is a real server
	ResolveMax int  // of one line at most so many
}

// Kernel is the kernel's service. Values that only the kernel can judge remain as
// written: it refuses an unknown scheduler when the service is added.
type Kernel struct {
	Scheduler  string
	SchedFlags string // comma separated, as ipvsadm -b takes them
	OPS        bool   // one-packet scheduling; false unless udp
	Persist    bool   // persistent was given
	Persistent uint64 // seconds; meaningful if Persist
	Netmask    string // dotted quad, or prefix length for IPv6; "" is none
}

// CheckTarget is where checks go, where it is not the real server's own address and port.
type CheckTarget struct {
	CheckAddr netip.Addr // the address to check in place of each real server's; invalid is that one
	CheckPort uint16     // 0: the real server's port, else the service's
}

// SecretFiles are the files that supplied secrets of a check, "" is the configuration.
type SecretFiles struct {
	PasswdFile string // Passwd
	SecretFile string // Secret
}

// Check is all settings that a check of a real server reads besides its address. It
// is comparable: equal Checks are made in the same way.
type Check struct {
	CheckType     CheckType
	Combined      int             // number of connects per negotiate, for CheckCombined
	HalfOpen      bool            // a connect check ends before the server's process sees the connection
	CheckCommand  secret.Command  // for CheckExternal and CheckExternalPerl
	CheckArgs     secret.Text     // words for CheckCommand, behind those that it always gets; see ShellWords
	CheckArgsOnly bool            // CheckCommand gets CheckArgs and no address, as keepalived's MISC_CHECK
	CheckUser     account.Account // the user that runs CheckCommand and FallbackCommand; the zero Account is the daemon's

	AgentSend      string // is sent to an agent first, with \n for a line end; "" is nothing
	ExternalWeight bool   // an exit status of CheckCommand from 2 on is up, with a weight
	Timing
	Origin
	Negotiate
	HTTP
	TLS
}

// Origin is the local end of the connections and packets of a check. Commands do not
// use it.
type Origin struct {
	CheckSource netip.Addr // the local address, for targets of its family; invalid is the kernel's choice
	CheckDevice string     // the network device, "" is the kernel's choice
	CheckMark   uint32     // the mark of the packets, 0 is none
}

// Negotiate is the service's dialogue.
type Negotiate struct {
	Service      string         // "http", ... , "none"
	Request      secret.Request // begins with "/", which is the default
	Receive      string         // Perl regular expression, "" matches everything
	ReceiveNot   string         // Perl regular expression that must not match, "" is none
	ReceiveDrain string         // Perl regular expression of an answer that wants no new connections, "" is none
	ReceiveBytes int64          // the number of bytes of an answer to read; 0 is the checker's own limit
	Login        string
	Passwd       secret.Text
	Database     string
	Secret       secret.Text
}

// HTTP is the request and the expected answer of the services that are HTTP.
type HTTP struct {
	HTTPMethod     string    // GET or HEAD
	HTTPStatus     StatusSet // the good statuses
	HTTPDrain      StatusSet // the statuses of an answer that wants no new connections; the zero StatusSet is none
	HTTPHeader     Headers   // added to the default headers
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
	SSLName   string // for the handshake and the certificate; "" is VirtualHost
	SSLCert   string // client certificate, "" is none
	SSLKey    string // "" with SSLCert: the key is in that file too
}

// Policy is the consequences of the verdicts on the real servers, and of the
// daemon's stop.
type Policy struct {
	FailureCount    int // failed checks in a row until down
	RiseCount       int // good checks in a row until up again
	Quiescent       bool
	CleanStop       bool
	SlowStart       time.Duration  // the time in which the weight climbs after coming back; 0 is at once
	FlapDamping     FlapDamping    // which real servers are kept out that go down again and again
	MinAlive        Portion        // checks alone leave at least this many in service
	BackupBelow     int            // backup servers are in service while fewer real servers are up
	Quorum          Portion        // the real servers serve only while so many of them are up
	Hysteresis      int            // after a loss of the quorum so many more have to be up
	KeepRest        bool           // without the quorum the living ones stay beside the fallback
	QuorumCommand   secret.Command // the shell runs it with up|down, "" is none
	FallbackCommand secret.Command // the shell runs it with start|stop, "" is none
	StopCommands    bool           // FallbackCommand is run with stop, QuorumCommand with down, when the daemon stops
	Announcement
	Leaving
}

// Alert is the reports about a virtual service and their recipients.
type Alert struct {
	EmailAlert       string // recipients as written, "" is none
	EmailAlertFrom   string
	EmailAlertFreq   time.Duration // 0 is no reminder
	EmailAlertStatus Status        // the daemon's states in which mail is sent
	SMTP             string        // "" is the local mailer
	ServiceName      string
	Comment          string
	MonitorFile      string // one line for each result, "" is none
	SSLExpiryWarn    int    // days before its end at which a certificate is logged; 0 is never
}

// A RealServer is one address behind a virtual service.
type RealServer struct {
	Line    int    // of the virtual service's File
	Host    string // as written, a name or an address; the address in a range
	Addr    netip.Addr
	Port    uint16 // 0: the virtual service's
	Forward Forward
	Weight  int
	Upper   uint32 // connection thresholds, 0 is none
	Lower   uint32
	Backup  bool // in service only while too few real servers are up

	// Request and Receive are those of this real server's check: its own pair if it
	// has one (OwnRequest), else the virtual service's.
	Request    secret.Request
	Receive    string
	OwnRequest bool

	// Check is the check of this real server in place of the virtual service's own; the
	// zero CheckUse is that one.
	Check CheckUse
}

// A Fallback takes the connections when no real server is in service.
type Fallback struct {
	File    string // in which its line is
	Line    int
	Addr    netip.Addr
	Port    uint16
	Forward Forward
}

// Protocol is the protocol of a virtual service.
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

// CheckType is the kind of check of a real server.
type CheckType uint8

// The values of the checktype directive.
const (
	CheckNegotiate CheckType = iota
	CheckConnect
	CheckCombined // a number: one negotiate, then this many connects
	CheckPing
	CheckExternal
	CheckExternalPerl
	CheckOn
	CheckOff
	CheckAgent // an agent on the real server decides on weight and verdict
)

// SSLVerify is the required quality of a real server's certificate.
type SSLVerify uint8

// The values of the sslverify directive. The default VerifyChain is the original's
// behaviour: a chain to a known CA, any name.
const (
	VerifyChain SSLVerify = iota
	VerifyFull            // yes: the chain and the name
	VerifyNone            // no
)

// HTTPVersion is the version of HTTP of a request.
type HTTPVersion uint8

// The values of the httpversion directive.
const (
	HTTP11 HTTPVersion = iota
	HTTP10
	HTTP2
)

// HTTPFollow is the treatment of a redirect.
type HTTPFollow uint8

// The values of the httpfollow directive.
const (
	FollowYes  HTTPFollow = iota
	FollowNo              // the redirect is the answer
	FollowSame            // on the real server itself, whatever the host in the redirect
)

// A Portion is a part of the real servers of a virtual service: a number, or a share of the
// configured ones. The zero Portion is none.
type Portion struct {
	Count   int
	Percent int
}

// Of is the number for a virtual service with total real servers, at most total. A
// share is rounded up.
func (p Portion) Of(total int) int {
	return min(total, max(p.Count, (total*p.Percent+99)/100))
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
