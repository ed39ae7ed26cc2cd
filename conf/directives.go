package conf

import (
	"net/netip"
	"slices"
	"time"

	"github.com/ldirectord/ldirectord/internal/account"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// directives is the table, sorted by name.
var directives = slices.Concat(directivesToL, directivesFromM)

var directivesToL = []directive{
	{
		name: "agentinterval", where: anywhere, help: "time between two questions to the agent at agentport; none is checkinterval",
		binding: ofService(duration.is(0), func(v *VirtualService) *time.Duration { return &v.AgentInterval }),
	},
	{
		name: "agentport", where: anywhere, help: "port of an agent on each real server, beside its check",
		binding: ofService(kindOf("PORT", readAgentPort).orNone(), func(v *VirtualService) *uint16 { return &v.AgentPort }),
	},
	{
		name: "agentsend", where: anywhere, form: quoted, help: "text to send to an agent first",
		binding: ofService(text[string]("invalid agentsend"), func(v *VirtualService) *string { return &v.AgentSend }),
	},
	{
		name: "also", where: inBlock, repeats: true, help: "another virtual service with the same block; repeatable",
		binding: by("ADDRESS:PORT[,PORT]", setAlso),
	},
	{
		name: "also6", where: inBlock, repeats: true, help: "also, for virtual6; repeatable",
		binding: by("[ADDRESS]:PORT[,PORT]", setAlso6),
	},
	{
		name: "alsocheck", where: inBlock, repeats: true, mask: maskCommand, help: "check block with one more check of each real server; repeatable",
		binding: by("NAME [ARGUMENT...]", setAlsoCheck),
	},
	{
		name: "announce", where: anywhere, help: "how a virtual service counts for whether its address is served",
		binding: ofService(choice("any|all|no", AnnounceAny, AnnounceAll, AnnounceNo).is(AnnounceAny), func(v *VirtualService) *Announce { return &v.Announce }),
	},
	{
		name: "announcedelay", where: anywhere, help: "time for which a virtual service has to be served until it counts",
		binding: ofService(duration.is(2*time.Second), func(v *VirtualService) *time.Duration { return &v.AnnounceDelay }),
	},
	{
		name: "announcefallback", where: anywhere, help: "whether a virtual service is served while only its fallback is in the table",
		binding: ofService(yesNo.is(true), func(v *VirtualService) *bool { return &v.AnnounceFallback }),
	},
	{
		name: "autoreload", where: outside, help: "read this file again when it changes",
		binding: ofConfig(yesNo.is(false), func(c *Config) *bool { return &c.AutoReload }),
	},
	{
		name: "backup", where: inBlock, repeats: true, help: "checked server that is in service while too few real servers are up; repeatable",
		binding: by(`ADDRESS[->ADDRESS][:PORT] gate|masq|ipip [WEIGHT] ["REQUEST", "RECEIVE"] [l:N] [u:N]`, setBackup).hinted(hintReal),
	},
	{
		name: "backup6", where: inBlock, repeats: true, help: "backup, for virtual6; repeatable",
		binding: by(`[ADDRESS][:PORT] gate|masq|ipip [WEIGHT] ["REQUEST", "RECEIVE"] [l:N] [u:N]`, setBackup6).hinted(hintReal),
	},
	{
		name: "backupbelow", where: anywhere, help: "backup servers are in service while fewer real servers than this are up",
		binding: ofService(numberFrom(1).is(1), func(v *VirtualService) *int { return &v.BackupBelow }),
	},
	{
		name: "callback", where: outside, form: quoted, mask: maskCommand, help: "command to run when this file has changed",
		binding: ofConfig(kindOf("COMMAND", readCallback).orNone(), func(c *Config) *secret.Command { return &c.Callback }),
	},
	{
		name: "checkaddress", where: inBlock, help: "address to check instead of the real server's",
		binding: ofService(kindOf("ADDRESS", readCheckAddress), func(v *VirtualService) *netip.Addr { return &v.CheckAddr }).unset("the real server's address"),
	},
	{
		name: "checkarguments", where: inBlock, mask: maskText, help: "arguments of checkcommand, behind the addresses and ports",
		binding: ofService(kindOf("ARGUMENT...", readCheckArguments), func(v *VirtualService) *secret.Text { return &v.CheckArgs }),
	},
	{
		name: "checkargumentsonly", where: inBlock, help: "checkcommand gets checkarguments alone, and no addresses and ports",
		binding: ofService(yesNo.is(false), func(v *VirtualService) *bool { return &v.CheckArgsOnly }),
	},
	{
		name: "checkcommand", where: inBlock, mask: maskCommand, help: "program of an external check",
		binding: ofService(kindOf("/PATH", readCheckCommand).is("/bin/true"), func(v *VirtualService) *secret.Command { return &v.CheckCommand }).unset("/bin/true"),
	},
	{
		name: "checkcount", where: anywhere, help: "attempts of one ping",
		binding: ofService(checkCount.is(1), func(v *VirtualService) *int { return &v.CheckCount }),
	},
	{
		name: "checkdevice", where: anywhere, help: "network device of the checks",
		binding: ofService(kindOf("DEVICE", readCheckDevice), func(v *VirtualService) *string { return &v.CheckDevice }).unset("the kernel's choice"),
	},
	{
		name: "checkinterval", where: anywhere, help: "time between two checks of a real server",
		binding: ofService(originalDuration("invalid check interval value", "invalid checkinterval").is(10*time.Second), func(v *VirtualService) *time.Duration { return &v.CheckInterval }),
	},
	{
		name: "checkmark", where: anywhere, help: "mark of the packets of the checks, for routing rules and packet filters",
		binding: ofService(kindOf("N", readCheckMark), func(v *VirtualService) *uint32 { return &v.CheckMark }).unset("0"),
	},
	{
		name: "checkport", where: inBlock, help: "port to check instead of the real server's",
		binding: ofService(kindOf("PORT", readCheckPort), func(v *VirtualService) *uint16 { return &v.CheckPort }).unset("the real server's port, else the usual one of the service"),
	},
	{
		name: "checkrate", where: outside, help: "checks started in a second at most, 0 is derived from the intervals",
		binding: ofConfig(numberFrom(0).is(0), func(c *Config) *int { return &c.CheckRate }),
	},
	{
		name: "checksneeded", where: anywhere, help: "how many checks make a real server up, of the virtual service's own and those of alsocheck",
		binding: ofService(kindOf("all|N", readChecksNeeded).is(0), func(v *VirtualService) *int { return &v.ChecksNeeded }).unset("all"),
	},
	{
		name: "checksource", where: anywhere, help: "local address of the checks",
		binding: ofService(kindOf("ADDRESS", readCheckSource).orNone(), func(v *VirtualService) *netip.Addr { return &v.CheckSource }).unset("the kernel's choice"),
	},
	{
		name: "checktimeout", where: anywhere, or: "negotiatetimeout", help: "timeout of a connect, ping or external check",
		binding: ofService(originalDuration("invalid check timeout value", "invalid check timeout").is(5*time.Second), func(v *VirtualService) *time.Duration { return &v.CheckTimeout }),
	},
	{
		name: "checktype", where: inBlock, help: "how real servers are checked; N is one negotiate, then N connects",
		binding: ofService(checkType.is(CheckNegotiate), func(v *VirtualService) *CheckType { return &v.CheckType }).hinted(hintCheckType),
	},
	{
		name: "checkuser", where: outside, help: "user of external checks and of the commands that events start; left out, the daemon's",
		binding: ofService(kindOf("USER", readCheckUser), func(v *VirtualService) *account.Account { return &v.CheckUser }),
	},
	{
		name: "chkloop", where: anywhere, help: "attempts at once before a check of any type counts as failed",
		binding: ofService(numberFrom(1).is(1), func(v *VirtualService) *int { return &v.ChkLoop }),
	},
	{
		name: "cleanstop", where: anywhere, help: "remove the virtual services when the daemon stops",
		binding: ofService(yesNo.is(true), func(v *VirtualService) *bool { return &v.CleanStop }),
	},
	{
		name: "comment", where: inBlock, help: "text for mails",
		binding: ofService(restOfLine, func(v *VirtualService) *string { return &v.Comment }),
	},
	{
		name: "connecttimeout", where: anywhere, help: "gone: see negotiatetimeout",
		binding: gone("connecttimeout directive deprecated in favour of negotiatetimeout"),
	},
	{
		name: "database", where: inBlock, form: quoted, help: "database of an SQL check",
		binding: ofService(text[string]("invalid database"), func(v *VirtualService) *string { return &v.Database }),
	},
	{
		name: "directors", where: outside, help: "where each director of the fleet listens, this one too",
		binding: ofConfig(kindOf("HOST:PORT...", readDirectors), func(c *Config) *[]string { return &c.Directors }),
	},
	{
		name: "downinterval", where: anywhere, help: "time between two checks of a real server that is down; none is checkinterval",
		binding: ofService(duration.is(0), func(v *VirtualService) *time.Duration { return &v.DownInterval }),
	},
	{
		name: "driftcheck", where: outside, help: "time between two comparisons with the kernel's table; none is never",
		binding: ofConfig(duration.is(5*time.Second), func(c *Config) *time.Duration { return &c.DriftCheck }),
	},
	{
		name: "emailalert", where: anywhere, help: "recipients of mails",
		binding: ofService(kindOf("ADDRESS[, ADDRESS]", readEmailAlert).orNone(), func(v *VirtualService) *string { return &v.EmailAlert }),
	},
	{
		name: "emailalertfreq", where: anywhere, help: "seconds between reminders that a real server is down, 0 is none",
		binding: ofService(kindOf("SECONDS", readEmailAlertFreq).is(0), func(v *VirtualService) *time.Duration { return &v.EmailAlertFreq }).unset("0"),
	},
	{
		name: "emailalertfrom", where: outside, help: "sender of mails",
		binding: ofService(kindOf("ADDRESS", readEmailAlertFrom).orNone(), func(v *VirtualService) *string { return &v.EmailAlertFrom }).unset("the user of the daemon at this host"),
	},
	{
		name: "emailalertgroup", where: outside, help: "time in which events are collected into one mail; none is one mail for each",
		binding: ofConfig(duration.is(0), func(c *Config) *time.Duration { return &c.EmailAlertGroup }),
	},
	{
		name: "emailalertstatus", where: anywhere, help: "states of the daemon in which mails are sent",
		binding: ofService(emailAlertStatus.is(All), func(v *VirtualService) *Status { return &v.EmailAlertStatus }).unset("all"),
	},
	{
		name: "execute", where: outside, repeats: true, help: "another configuration file, for a daemon beside this one; repeatable",
		binding: by("FILE", setExecute),
	},
	{
		name: "externalweight", where: anywhere, help: "an exit status N of an external check from 2 on is up, with weight N-2",
		binding: ofService(yesNo.is(false), func(v *VirtualService) *bool { return &v.ExternalWeight }),
	},
	{
		name: "failurecount", where: anywhere, help: "failed checks in a row until a real server is down",
		binding: ofService(originalNumber("invalid failure count value", "invalid failure count").is(1), func(v *VirtualService) *int { return &v.FailureCount }),
	},
	{
		name: "fallback", where: anywhere, help: "server that takes the traffic when no real server is in service",
		binding: by("ADDRESS[:PORT] [gate|masq|ipip]", setFallback).hinted(hintFallback),
	},
	{
		name: "fallback6", where: anywhere, help: "fallback, for virtual6",
		binding: by("[ADDRESS][:PORT] [gate|masq|ipip]", setFallback6).hinted(hintFallback),
	},
	{
		name: "fallbackcommand", where: anywhere, mask: maskCommand, help: "command to run with start or stop when the fallback comes in or leaves",
		binding: ofService(kindOf("COMMAND", readFallbackCommand).orNone(), func(v *VirtualService) *secret.Command { return &v.FallbackCommand }),
	},
	{
		name: "fastinterval", where: anywhere, help: "time between two checks after a first failure; none is checkinterval",
		binding: ofService(duration.is(0), func(v *VirtualService) *time.Duration { return &v.FastInterval }),
	},
	{
		name: "flapdamping", where: anywhere, help: "how often within a time a real server may go down before it is kept out for a while",
		binding: ofService(kindOf("N in DURATION|no", readFlapDamping).is(FlapDamping{}), func(v *VirtualService) *FlapDamping { return &v.FlapDamping }),
	},
	{
		name: "fork", where: outside, help: "accepted: checks run at the same time anyway",
		binding: ofConfig(yesNo.is(false), func(c *Config) *bool { return &c.Fork }),
	},
	{
		name: "halfopen", where: anywhere, help: "end a connect check before the server's process sees a connection",
		binding: ofService(yesNo.is(true), func(v *VirtualService) *bool { return &v.HalfOpen }),
	},
	{
		name: "holdlocal", where: outside, help: "change nothing while most checks fail for a reason on this host",
		binding: ofConfig(yesNo.is(true), func(c *Config) *bool { return &c.HoldLocal }),
	},
	{
		name: "hostsetup", where: outside, help: "set up addresses, kernel parameters and packet marks at start, remove them at stop",
		binding: ofConfig(choice("yes|no|noaddress", HostSetupYes, HostSetupNo, HostSetupNoAddress).is(HostSetupNo), func(c *Config) *HostSetup { return &c.HostSetup }),
	},
	{
		name: "httpdrain", where: anywhere, help: "statuses of an answer that wants no new connections",
		binding: ofService(kindOf("CODE[-CODE][,CODE[-CODE]]", readHTTPStatus).orNone(), func(v *VirtualService) *StatusSet { return &v.HTTPDrain }),
	},
	{
		name: "httpfollow", where: anywhere, help: "whether a redirect is followed; same is on the real server itself",
		binding: ofService(choice("yes|no|same", FollowYes, FollowNo, FollowSame).is(FollowYes), func(v *VirtualService) *HTTPFollow { return &v.HTTPFollow }),
	},
	{
		name: "httpheader", where: anywhere, repeats: true, mask: maskText, help: "header of the request; repeatable",
		binding: ofService(kindOf(`"NAME: VALUE"`, readHTTPHeader), func(v *VirtualService) *Headers { return &v.HTTPHeader }),
	},
	{
		name: "httpmethod", where: inBlock, help: "method of the request",
		binding: ofService(kindOf("GET|HEAD", readHTTPMethod).is("GET"), func(v *VirtualService) *string { return &v.HTTPMethod }),
	},
	{
		name: "httpstatus", where: anywhere, help: "statuses of a good answer",
		binding: ofService(kindOf("CODE[-CODE][,CODE[-CODE]]", readHTTPStatus), func(v *VirtualService) *StatusSet { return &v.HTTPStatus }).unset("200-299"),
	},
	{
		name: "httpversion", where: anywhere, help: "version of HTTP",
		binding: ofService(choice("1.0|1.1|2", HTTP10, HTTP11, HTTP2).is(HTTP11), func(v *VirtualService) *HTTPVersion { return &v.HTTPVersion }),
	},
	{
		name: "hysteresis", where: anywhere, help: "real servers besides the quorum that must be up again after it was lost",
		binding: ofService(numberFrom(0).is(0), func(v *VirtualService) *int { return &v.Hysteresis }),
	},
	{
		name: "include", where: outside, repeats: true, help: "file, or pattern of files, whose lines count as if they were here; repeatable",
		binding: by("FILE|PATTERN", setInclude),
	},
	{
		name: "ipvstimeouts", where: outside, help: "seconds that the kernel remembers idle connections: TCP, TCP after a FIN, UDP",
		binding: ofConfig(kindOf("TCP TCPFIN UDP|none", readIPVSTimeouts), func(c *Config) *IPVSTimeouts { return &c.IPVSTimeouts }),
	},
	{
		name: "load", where: inBlock, form: quoted, help: "accepted, without effect",
		binding: by("TEXT", setLoad),
	},
	{
		name: "logfile", where: outside, form: quoted, help: "log file, or syslog facility",
		binding: ofConfig(kindOf("/PATH|FACILITY", readLogFile).is("/var/log/ldirectord.log"), func(c *Config) *string { return &c.LogFile }),
	},
	{
		name: "logformat", where: outside, help: "lines of the log as the original has them, or JSON",
		binding: ofConfig(logFormat, func(c *Config) *LogFormat { return &c.LogFormat }),
	},
	{
		name: "login", where: inBlock, form: quoted, help: "user of the check",
		binding: ofService(text[string]("invalid login string"), func(v *VirtualService) *string { return &v.Login }).unset("anonymous for ftp, ldirectord@HOST for sip"),
	},
}
