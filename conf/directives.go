package conf

import (
	"net/netip"
	"time"

	"github.com/ldirectord/ldirectord/internal/account"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// directives is the table, sorted by name.
var directives = []directive{
	{
		name: "also", where: inBlock, repeats: true, help: "another virtual service with the same block; repeatable",
		binding: by("ADDRESS:PORT[,PORT]", setAlso),
	},
	{
		name: "also6", where: inBlock, repeats: true, help: "also, for virtual6; repeatable",
		binding: by("[ADDRESS]:PORT[,PORT]", setAlso6),
	},
	{
		name: "autoreload", where: outside, help: "read this file again when it changes",
		binding: ofConfig(yesNo.is(false), func(c *Config) *bool { return &c.AutoReload }),
	},
	{
		name: "callback", where: outside, form: quoted, mask: maskCommand, help: "command to run when this file has changed",
		binding: ofConfig(kindOf("COMMAND", readCallback), func(c *Config) *secret.Command { return &c.Callback }),
	},
	{
		name: "checkaddress", where: inBlock, help: "address to check instead of the real server's",
		binding: ofService(kindOf("ADDRESS", readCheckAddress), func(v *VirtualService) *netip.Addr { return &v.CheckAddr }).unset("the real server's address"),
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
		name: "checksource", where: anywhere, help: "local address of the checks",
		binding: ofService(kindOf("ADDRESS", readCheckSource), func(v *VirtualService) *netip.Addr { return &v.CheckSource }).unset("the kernel's choice"),
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
		name: "checkuser", where: outside, help: "user of external checks, notifycommand and fallbackcommand; left out, the daemon's",
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
		name: "downinterval", where: anywhere, help: "time between two checks of a real server that is down; none is checkinterval",
		binding: ofService(duration.is(0), func(v *VirtualService) *time.Duration { return &v.DownInterval }),
	},
	{
		name: "driftcheck", where: outside, help: "time between two comparisons with the kernel's table; none is never",
		binding: ofConfig(duration.is(5*time.Second), func(c *Config) *time.Duration { return &c.DriftCheck }),
	},
	{
		name: "emailalert", where: anywhere, help: "recipients of mails",
		binding: ofService(kindOf("ADDRESS[, ADDRESS]", readEmailAlert), func(v *VirtualService) *string { return &v.EmailAlert }),
	},
	{
		name: "emailalertfreq", where: anywhere, help: "seconds between reminders that a real server is down, 0 is none",
		binding: ofService(kindOf("SECONDS", readEmailAlertFreq).is(0), func(v *VirtualService) *time.Duration { return &v.EmailAlertFreq }).unset("0"),
	},
	{
		name: "emailalertfrom", where: outside, help: "sender of mails",
		binding: ofService(kindOf("ADDRESS", readEmailAlertFrom), func(v *VirtualService) *string { return &v.EmailAlertFrom }).unset("the user of the daemon at this host"),
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
		binding: ofService(kindOf("COMMAND", readFallbackCommand), func(v *VirtualService) *secret.Command { return &v.FallbackCommand }),
	},
	{
		name: "fastinterval", where: anywhere, help: "time between two checks after a first failure; none is checkinterval",
		binding: ofService(duration.is(0), func(v *VirtualService) *time.Duration { return &v.FastInterval }),
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
		binding: ofConfig(yesNo.is(false), func(c *Config) *bool { return &c.HostSetup }),
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
		name: "include", where: outside, repeats: true, help: "file, or pattern of files, whose lines count as if they were here; repeatable",
		binding: by("FILE|PATTERN", setInclude),
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
	{
		name: "maintenancedir", where: outside, help: "directory in which a file takes the real server of its name out of service",
		binding: ofConfig(kindOf("/PATH", readMaintenanceDir), func(c *Config) *string { return &c.MaintenanceDir }),
	},
	{
		name: "mark", where: inBlock, repeats: true, help: "packets that get the firewall mark; repeatable",
		binding: by("tcp|udp ADDRESS[:PORT[,PORT]]", setMark),
	},
	{
		name: "minalive", where: anywhere, help: "number or share of real servers that checks alone leave in service",
		binding: ofService(kindOf("N|N%", readMinAlive).is(MinAlive{}), func(v *VirtualService) *MinAlive { return &v.MinAlive }),
	},
	{
		name: "monitorfile", where: inBlock, help: "file with one line for each result",
		binding: ofService(kindOf("/PATH", readMonitorFile), func(v *VirtualService) *string { return &v.MonitorFile }),
	},
	{
		name: "monitorlog", where: outside, help: "log of real servers that are gone or back",
		binding: ofConfig(kindOf("/PATH|none", readMonitorLog).is("/var/log/ipvsmonitor.log"), func(c *Config) *string { return &c.MonitorLog }),
	},
	{
		name: "monitorlogformat", where: outside, help: "lines of the monitor log in words, or JSON",
		binding: ofConfig(logFormat, func(c *Config) *LogFormat { return &c.MonitorLogFormat }),
	},
	{
		name: "negotiatetimeout", where: anywhere, or: "checktimeout", help: "timeout of a negotiate check",
		binding: ofService(originalDuration("invalid negotiate timeout value", "invalid negotiate timeout").is(30*time.Second),
			func(v *VirtualService) *time.Duration { return &v.NegotiateTimeout }),
	},
	{
		name: "netmask", where: inBlock, kernel: true, help: "clients that persistent takes for one",
		binding: ofService(kindOf("MASK", readNetmask).hinted(hintNetmask), func(v *VirtualService) *string { return &v.Netmask }),
	},
	{
		name: "notifycommand", where: outside, mask: maskCommand, help: "command that gets each event as JSON on its standard input",
		binding: ofConfig(kindOf("COMMAND", readNotifyCommand), func(c *Config) *secret.Command { return &c.NotifyCommand }),
	},
	{
		name: "ops", where: inBlock, help: "one-packet scheduling, of udp",
		binding: ofService(yesNo.is(false), func(v *VirtualService) *bool { return &v.OPS }),
	},
	{
		name: "passwd", where: inBlock, form: quoted, mask: maskText, help: "password of the check",
		binding: ofService(secretText("invalid password", func(v *VirtualService) *string { return &v.PasswdFile }), func(v *VirtualService) *secret.Text { return &v.Passwd }).unset("ldirectord@HOST for ftp"),
	},
	{
		name: "passwdfile", where: inBlock, help: "file with the password of the check",
		binding: ofService(secretFile(func(v *VirtualService) *secret.Text { return &v.Passwd }), func(v *VirtualService) *string { return &v.PasswdFile }),
	},
	{
		name: "persistent", where: inBlock, kernel: true, help: "time for which a client stays with its real server",
		binding: ofService(kindOf("SECONDS", readPersistent), func(v *VirtualService) *uint64 { return &v.Persistent }),
	},
	{
		name: "protocol", where: inBlock, help: "protocol of the virtual service",
		binding: ofService(kindOf("tcp|udp|fwm", readProtocol), func(v *VirtualService) *Protocol { return &v.Protocol }).hinted(hintProtocol).unset("tcp; udp where the port is 53; fwm where the address is a number"),
	},
	{
		name: "quiescent", where: anywhere, help: "keep a real server that is down in the table, with weight 0",
		binding: ofService(yesNo.is(false), func(v *VirtualService) *bool { return &v.Quiescent }),
	},
	{
		name: "readdquiescent", where: outside, help: "add a real server that is down and missing in the table, with weight 0",
		binding: ofConfig(yesNo.is(false), func(c *Config) *bool { return &c.ReaddQuiescent }),
	},
	{
		name: "real", where: inBlock, repeats: true, help: "real server, or range of them; repeatable",
		binding: by(`ADDRESS[->ADDRESS][:PORT] gate|masq|ipip [WEIGHT] ["REQUEST", "RECEIVE"] [l:N] [u:N]`, setReal).hinted(hintReal),
	},
	{
		name: "real6", where: inBlock, repeats: true, help: "real, for virtual6; repeatable",
		binding: by(`[ADDRESS][:PORT] gate|masq|ipip [WEIGHT] ["REQUEST", "RECEIVE"] [l:N] [u:N]`, setReal6).hinted(hintReal),
	},
	{
		name: "receive", where: inBlock, form: quoted, help: "Perl regular expression that a good answer matches",
		binding: ofService(pattern("invalid receive string"), func(v *VirtualService) *string { return &v.Receive }),
	},
	{
		name: "receivebytes", where: anywhere, help: "bytes of an answer that are read",
		binding: ofService(kindOf("N", readReceiveBytes), func(v *VirtualService) *int64 { return &v.ReceiveBytes }).unset("1048576"),
	},
	{
		name: "receivenot", where: anywhere, form: quoted, help: "Perl regular expression that a good answer does not match",
		binding: ofService(pattern("invalid receivenot string"), func(v *VirtualService) *string { return &v.ReceiveNot }),
	},
	{
		name: "request", where: inBlock, form: quoted, help: "page, query or text of the check",
		binding: ofService(kindOf("TEXT", readRequest).is("/"), func(v *VirtualService) *secret.Request { return &v.Request }).unset("/"),
	},
	{
		name: "risecount", where: anywhere, help: "good checks in a row until a real server is up again",
		binding: ofService(numberFrom(1).is(1), func(v *VirtualService) *int { return &v.RiseCount }),
	},
	{
		name: "schedflags", where: inBlock, kernel: true, help: "flags of the scheduler, as ipvsadm -b takes them",
		binding: ofService(kindOf("FLAG[,FLAG]", readSchedFlags), func(v *VirtualService) *string { return &v.SchedFlags }),
	},
	{
		name: "scheduler", where: inBlock, kernel: true, help: "scheduler of the kernel",
		binding: ofService(kindOf("NAME", readScheduler).hinted("for example scheduler = wrr").is("wrr"), func(v *VirtualService) *string { return &v.Scheduler }),
	},
	{
		name: "secret", where: inBlock, form: quoted, mask: maskText, help: "secret that a RADIUS client shares with its server",
		binding: ofService(secretText("invalid secret", func(v *VirtualService) *string { return &v.SecretFile }), func(v *VirtualService) *secret.Text { return &v.Secret }),
	},
	{
		name: "secretfile", where: inBlock, help: "file with the secret that a RADIUS client shares with its server",
		binding: ofService(secretFile(func(v *VirtualService) *secret.Text { return &v.Secret }), func(v *VirtualService) *string { return &v.SecretFile }),
	},
	{
		name: "service", where: inBlock, help: "service of a negotiate check",
		binding: ofService(serviceName, func(v *VirtualService) *string { return &v.Service }).hinted(hintService).unset("the service of the port"),
	},
	{
		name: "servicename", where: inBlock, help: "name of the virtual service in mails",
		binding: ofService(restOfLine, func(v *VirtualService) *string { return &v.ServiceName }),
	},
	{
		name: "slowstart", where: anywhere, help: "time in which the weight of a real server that is back climbs; none is at once",
		binding: ofService(duration.is(0), func(v *VirtualService) *time.Duration { return &v.SlowStart }),
	},
	{
		name: "smtp", where: anywhere, help: "mail server, instead of the local mailer",
		binding: ofService(kindOf("HOST", readSMTP), func(v *VirtualService) *string { return &v.SMTP }).unset("the local mailer"),
	},
	{
		name: "sslcafile", where: anywhere, help: "certificates of the authorities, instead of the system's",
		binding: ofService(bare("/PATH", "the path of a file of certificates"), func(v *VirtualService) *string { return &v.SSLCAFile }).unset("the system's authorities"),
	},
	{
		name: "sslcert", where: anywhere, help: "certificate of the check as a client",
		binding: ofService(bare("/PATH", "the path of a certificate"), func(v *VirtualService) *string { return &v.SSLCert }),
	},
	{
		name: "sslexpirywarn", where: anywhere, help: "days before a certificate ends that a warning is logged, 0 is never",
		binding: ofService(numberFrom(0), func(v *VirtualService) *int { return &v.SSLExpiryWarn }),
	},
	{
		name: "sslkey", where: anywhere, help: "key of sslcert, if it is in another file",
		binding: ofService(bare("/PATH", "the path of a key"), func(v *VirtualService) *string { return &v.SSLKey }).unset("the file of sslcert"),
	},
	{
		name: "sslname", where: anywhere, help: "host name in the TLS handshake and in the certificate",
		binding: ofService(bare("NAME", "a host name"), func(v *VirtualService) *string { return &v.SSLName }).unset("virtualhost, else the real server's address"),
	},
	{
		name: "sslverify", where: anywhere, help: "what a certificate must prove: chain and name, or nothing",
		binding: ofService(sslVerify, func(v *VirtualService) *SSLVerify { return &v.SSLVerify }).unset("the chain, not the name"),
	},
	{
		name: "starttls", where: anywhere, help: "begin in plain text and change to TLS",
		binding: ofService(yesNo.is(false), func(v *VirtualService) *bool { return &v.StartTLS }),
	},
	{
		name: "statuscontrol", where: outside, help: "take orders at statuslisten, from clients with statustoken",
		binding: ofConfig(yesNo.is(false), func(c *Config) *bool { return &c.StatusControl }),
	},
	{
		name: "statusgroup", where: outside, help: "group whose members may use the daemon's socket",
		binding: ofConfig(kindOf("GROUP", readStatusGroup), func(c *Config) *string { return &c.StatusGroup }),
	},
	{
		name: "statuslisten", where: outside, help: "address or socket of the status page and the metrics",
		binding: ofConfig(kindOf("ADDRESS:PORT|/PATH|none", readStatusListen), func(c *Config) *string { return &c.StatusListen }),
	},
	{
		name: "statusreadtoken", where: outside, help: "file with the token that readers at statuslisten need",
		binding: ofConfig(absolutePath, func(c *Config) *string { return &c.StatusReadToken }),
	},
	{
		name: "statustoken", where: outside, help: "file with the token that orders at statuslisten need",
		binding: ofConfig(absolutePath, func(c *Config) *string { return &c.StatusToken }),
	},
	{
		name: "stopcommands", where: anywhere, help: "run fallbackcommand with stop when the daemon stops while the fallback is in charge",
		binding: ofService(yesNo.is(false), func(v *VirtualService) *bool { return &v.StopCommands }),
	},
	{
		name: "supervised", where: outside, form: nameAlone, help: "stay in the foreground, log to standard output",
		binding: ofConfig(supervised.is(false), func(c *Config) *bool { return &c.Supervised }),
	},
	{
		name: "timeout", where: outside, help: "gone: see checktimeout and negotiatetimeout",
		binding: gone("timeout directive deprecated in favour of checktimeout and negotiatetimeout"),
	},
	{
		name: "virtualhost", where: inBlock, help: "host name of the request",
		binding: by("NAME", setVirtualHost).unset("the real server's address"),
	},
	{
		name: "webhook", where: outside, mask: maskURL, help: "URL to which events are posted as JSON",
		binding: ofConfig(kindOf("URL", readWebhook), func(c *Config) *secret.URL { return &c.Webhook }),
	},
	{
		name: "webhookformat", where: outside, help: "form of what is posted to webhook",
		binding: ofConfig(webhookFormat, func(c *Config) *WebhookFormat { return &c.WebhookFormat }),
	},
	{
		name: "webhooksecretfile", where: outside, help: "file with the key that signs what is posted to webhook",
		binding: ofConfig(kindOf("/PATH|CREDENTIAL", readWebhookSecret), func(c *Config) *string { return &c.WebhookSecretFile }),
	},
}
