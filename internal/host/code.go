package host

// A Code names a kind of finding, for programs. A code keeps its name and its meaning; the texts
// may change. docs/troubleshooting.md has them all.
type Code string

// The codes of findings about a director.
const (
	CodeClockNotSynchronized Code = "clock-not-synchronized" // no time server sets the clock
	CodeClocksDiffer         Code = "clocks-differ"          // a real server has another time
	CodeConnReuseMode        Code = "conn-reuse-mode"        // clients may come to a real server that drains itself
	CodeDirectorActive       Code = "director-active"        // this director has an address that moves between directors
	CodeDirectorStandby      Code = "director-standby"       // another director has it, or may have it
	CodeExpireNoDestConn     Code = "expire-nodest-conn"     // clients of a removed real server wait
	CodeFilterDropsAll       Code = "filter-drops-all"       // the packet filter drops what clients send
	CodeFilterDropsLater     Code = "filter-drops-later"     // the packet filter drops what follows the beginning of a connection
	CodeForwardingOff        Code = "forwarding-off"         // masq needs ip_forward
	CodeForwardingOff6       Code = "forwarding-off-ipv6"    // masq needs forwarding of IPv6
	CodeIPVSMissing          Code = "ipvs-missing"           // the kernel has no IPVS
	CodeMarkMissing          Code = "mark-missing"           // a packet mark is not set
	CodeMasqRedirects        Code = "masq-redirects"         // ICMP redirects let answers go past the director
	CodePairUnsynchronized   Code = "pair-unsynchronized"    // the other director does not know the connections of this one
	CodeRealAnswersVIP       Code = "real-answers-vip"       // a real server answers for a virtual address
	CodeRealIsDirector       Code = "real-is-director"       // a real server is this host
	CodeRealNoRoute          Code = "real-no-route"          // no route leads to a real server
	CodeRealPortKept         Code = "real-port-kept"         // gate and ipip keep the port of the virtual service
	CodeRealUnreachable      Code = "real-unreachable"       // a real server does not answer
	CodeSyncIDsDiffer        Code = "sync-ids-differ"        // another director uses another sync id
	CodeTableWriter          Code = "table-writer"           // another program writes the table
	CodeVIPDuplicate         Code = "vip-duplicate"          // another machine has a virtual address, too
	CodeVIPElsewhere         Code = "vip-elsewhere"          // another machine has a virtual address, and this one does not
	CodeVIPMissing           Code = "vip-missing"            // a virtual address is on no device
	CodeVIPNotAnnounced      Code = "vip-not-announced"      // a virtual address is not served now, so that vipdevice or vipcommand does not announce it
	CodeVIPNowhere           Code = "vip-nowhere"            // a virtual address moves between directors, and none has it
	CodeVIPOnLoopback        Code = "vip-on-lo"              // a virtual address is on lo, as on a real server
	CodeVIPWrongDevice       Code = "vip-wrong-device"       // a virtual address is on another device than vipdevice
	CodeZeroWeight           Code = "zero-weight"            // clients of a real server with weight 0 are refused or stay
	CodeConnTableSmall       Code = "conn-table-small"       // conn_tab_bits is small for the connections
	CodeConntrackFull        Code = "conntrack-full"         // nf_conntrack_max is small for checks and clients
	CodeEstimatorsMany       Code = "estimators-many"        // the kernel estimates more rates than is good
	CodeNeighboursNearlyFull Code = "neighbours-nearly-full" // gc_thresh3 is small for the neighbours
	CodeNeighboursTooMany    Code = "neighbours-too-many"    // gc_thresh3 is less than the servers in networks of this host
	CodeNeighboursWereFull   Code = "neighbours-were-full"   // the table of neighbours was full since the boot
	CodeNetlinkRoom          Code = "netlink-room"           // rmem_default is small for what the kernel says of its table
)

// The codes of findings about a real server.
const (
	CodeARPAnswers     Code = "arp-answers"      // the real server answers for the virtual address, or announces it
	CodeGatewayMissing Code = "gateway-missing"  // there is no default route
	CodeGatewayOther   Code = "gateway-other"    // the default route does not lead to the director
	CodeRPFilter       Code = "rp-filter"        // the kernel drops what comes out of the tunnel
	CodeTunnelDown     Code = "tunnel-down"      // the tunnel device is down
	CodeVIPNotHeld     Code = "vip-not-held"     // the real server does not have the virtual address
	CodeVIPOtherDevice Code = "vip-other-device" // the virtual address is on a device where ARP answers for it
	CodeVIPPrefix      Code = "vip-prefix"       // the virtual address is on lo with the whole network
)

// The codes of findings about the daemon and its files. Warnings of files have the codes of check.
const (
	CodeDaemonSilent       Code = "daemon-silent"       // the daemon runs, and its socket does not answer
	CodeMaintenanceFile    Code = "maintenance-file"    // maintenancedir does not say who is in maintenance
	CodeNotifyActive       Code = "notify-active"       // whether this director mails (notify = active)
	CodeOutsideFault       Code = "outside-fault"       // the daemon reports a fault of what it depends on
	CodeSandboxUnnecessary Code = "sandbox-unnecessary" // ldirectord.service may have fewer rights
)
