package conf

import (
	"time"

	"github.com/ldirectord/ldirectord/internal/secret"
)

// directivesFromM are the second half of directives.
var directivesFromM = []directive{
	{
		name: "maintenancedir", where: outside, help: "directory in which a file takes the real server of its name out of service",
		binding: ofConfig(kindOf("/PATH", readMaintenanceDir).orNone(), func(c *Config) *string { return &c.MaintenanceDir }),
	},
	{
		name: "maintenanceorders", where: outside, help: "first line of a file in maintenancedir is an order: drain, weight N[%] or until TIME",
		binding: ofConfig(yesNo.is(false), func(c *Config) *bool { return &c.MaintenanceOrders }),
	},
	{
		name: "mark", where: inBlock, repeats: true, help: "packets that get the firewall mark; repeatable",
		binding: by("tcp|udp ADDRESS[:PORT[,PORT]]", setMark),
	},
	{
		name: "minalive", where: anywhere, help: "number or share of real servers that checks alone leave in service",
		binding: ofService(portion("minalive").is(Portion{}), func(v *VirtualService) *Portion { return &v.MinAlive }),
	},
	{
		name: "monitorfile", where: inBlock, help: "file with one line for each result",
		binding: ofService(kindOf("/PATH", readMonitorFile).orNone(), func(v *VirtualService) *string { return &v.MonitorFile }),
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
		name: "notify", where: outside, help: "mails and hooks for all events, or only where the virtual address is on this host",
		binding: ofConfig(choice("always|active", false, true).is(false), func(c *Config) *bool { return &c.NotifyActive }),
	},
	{
		name: "notifycommand", where: outside, mask: maskCommand, help: "command that gets each event as JSON on its standard input",
		binding: ofConfig(kindOf("COMMAND", readNotifyCommand).orNone(), func(c *Config) *secret.Command { return &c.NotifyCommand }),
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
		name: "quiescenttime", where: anywhere, help: "time with weight 0 of a dead real server, which then leaves the table; implies quiescent",
		binding: ofService(duration.is(0), func(v *VirtualService) *time.Duration { return &v.QuiescentTime }),
	},
	{
		name: "quorum", where: anywhere, help: "number or share of real servers that must be up, else the fallback takes over",
		binding: ofService(portion("quorum").is(Portion{}), func(v *VirtualService) *Portion { return &v.Quorum }),
	},
	{
		name: "quorumcommand", where: anywhere, mask: maskCommand, help: "command to run with up or down when the quorum is met or lost",
		binding: ofService(kindOf("COMMAND", readQuorumCommand).orNone(), func(v *VirtualService) *secret.Command { return &v.QuorumCommand }),
	},
	{
		name: "quorumrest", where: anywhere, help: "without the quorum the living real servers leave, or stay beside the fallback",
		binding: ofService(choice("leave|keep", false, true).is(false), func(v *VirtualService) *bool { return &v.KeepRest }),
	},
	{
		name: "readdquiescent", where: outside, help: "add a real server that is down and missing in the table, with weight 0",
		binding: ofConfig(yesNo.is(false), func(c *Config) *bool { return &c.ReaddQuiescent }),
	},
	{
		name: "real", where: inBlock, repeats: true, help: "real server, or range of them; repeatable",
		binding: by(`ADDRESS[->ADDRESS][:PORT] gate|masq|ipip [WEIGHT] ["REQUEST", "RECEIVE"] [l:N] [u:N] [check=NAME]`, setReal).hinted(hintReal),
	},
	{
		name: "real6", where: inBlock, repeats: true, help: "real, for virtual6; repeatable",
		binding: by(`[ADDRESS][:PORT] gate|masq|ipip [WEIGHT] ["REQUEST", "RECEIVE"] [l:N] [u:N] [check=NAME]`, setReal6).hinted(hintReal),
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
		name: "receivedrain", where: anywhere, form: quoted, help: "Perl regular expression of an answer that wants no new connections",
		binding: ofService(pattern("invalid receivedrain string"), func(v *VirtualService) *string { return &v.ReceiveDrain }),
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
		name: "resolve", where: outside, help: "time between two lookups of the names of real servers, 0 is never",
		binding: ofConfig(duration.is(0), func(c *Config) *time.Duration { return &c.Resolve }),
	},
	{
		name: "resolveall", where: anywhere, help: "each address of a name, or each record of SRV, is a real server",
		binding: ofService(yesNo.is(false), func(v *VirtualService) *bool { return &v.ResolveAll }),
	},
	{
		name: "resolvemax", where: anywhere, help: "real servers of one line with resolveall at most",
		binding: ofService(numberFrom(1).is(64), func(v *VirtualService) *int { return &v.ResolveMax }),
	},
	{
		name: "return", where: anywhere, help: "a real server that left by its checks comes back by itself, or by an operator's enable",
		binding: ofService(choice("auto|byhand", false, true).is(false), func(v *VirtualService) *bool { return &v.ByHand }),
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
		name: "slowlimit", where: anywhere, help: "time of one attempt above which a good answer is a failure; none is any time",
		binding: ofService(duration.is(0), func(v *VirtualService) *time.Duration { return &v.SlowLimit }),
	},
	{
		name: "slowstart", where: anywhere, help: "time in which the weight of a real server that is back climbs; none is at once",
		binding: ofService(duration.is(0), func(v *VirtualService) *time.Duration { return &v.SlowStart }),
	},
	{
		name: "smtp", where: anywhere, help: "mail server, instead of the local mailer",
		binding: ofService(kindOf("HOST", readSMTP).orNone(), func(v *VirtualService) *string { return &v.SMTP }).unset("the local mailer"),
	},
	{
		name: "sslcafile", where: anywhere, help: "certificates of the authorities, instead of the system's",
		binding: ofService(bare("/PATH", "the path of a file of certificates").orNone(), func(v *VirtualService) *string { return &v.SSLCAFile }).unset("the system's authorities"),
	},
	{
		name: "sslcert", where: anywhere, help: "certificate of the check as a client",
		binding: ofService(bare("/PATH", "the path of a certificate").orNone(), func(v *VirtualService) *string { return &v.SSLCert }),
	},
	{
		name: "sslexpirywarn", where: anywhere, help: "days before a certificate ends that a warning is logged, 0 is never",
		binding: ofService(numberFrom(0), func(v *VirtualService) *int { return &v.SSLExpiryWarn }),
	},
	{
		name: "sslkey", where: anywhere, help: "key of sslcert, if it is in another file",
		binding: ofService(bare("/PATH", "the path of a key").orNone(), func(v *VirtualService) *string { return &v.SSLKey }).unset("the file of sslcert"),
	},
	{
		name: "sslname", where: anywhere, help: "host name in the TLS handshake and in the certificate",
		binding: ofService(bare("NAME", "a host name").orNone(), func(v *VirtualService) *string { return &v.SSLName }).unset("virtualhost, else the real server's address"),
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
		name: "statusca", where: outside, help: "certificates of the authorities that have signed those of directors",
		binding: ofConfig(absolutePath, func(c *Config) *string { return &c.StatusCA }).unset("those of the machine"),
	},
	{
		name: "statuscert", where: outside, help: "certificate with which statuslisten speaks TLS",
		binding: ofConfig(absolutePath, func(c *Config) *string { return &c.StatusCert }),
	},
	{
		name: "statuscontrol", where: outside, help: "take orders at statuslisten, from clients with statustoken",
		binding: ofConfig(yesNo.is(false), func(c *Config) *bool { return &c.StatusControl }),
	},
	{
		name: "statusgroup", where: outside, help: "group whose members may read and give orders at the daemon's socket",
		binding: ofConfig(kindOf("GROUP", readStatusGroup), func(c *Config) *string { return &c.StatusGroup }),
	},
	{
		name: "statuskey", where: outside, help: "key of statuscert, if it is in another file",
		binding: ofConfig(absolutePath, func(c *Config) *string { return &c.StatusKey }).unset("the file of statuscert"),
	},
	{
		name: "statuslisten", where: outside, help: "address or socket of the status page and the metrics",
		binding: ofConfig(kindOf("ADDRESS:PORT|/PATH|none", readStatusListen), func(c *Config) *string { return &c.StatusListen }),
	},
	{
		name: "statusreadgroup", where: outside, help: "group whose members may read what the commands show, and give no orders",
		binding: ofConfig(kindOf("GROUP", readStatusGroup), func(c *Config) *string { return &c.StatusReadGroup }),
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
		name: "stopcommands", where: anywhere, help: "undo fallbackcommand (stop) and quorumcommand (down) when the daemon stops",
		binding: ofService(yesNo.is(false), func(v *VirtualService) *bool { return &v.StopCommands }),
	},
	{
		name: "supervised", where: outside, form: nameAlone, help: "stay in the foreground, log to standard output",
		binding: ofConfig(supervised.is(false), func(c *Config) *bool { return &c.Supervised }),
	},
	{
		name: "syncdaemon", where: outside, help: "carry connections to and from other directors, by the kernel's sync daemon",
		binding: ofConfig(kindOf(syncDaemonForm+"|none", readSyncDaemon), func(c *Config) *SyncDaemon { return &c.SyncDaemon }),
	},
	{
		name: "timeout", where: outside, help: "gone: see checktimeout and negotiatetimeout",
		binding: gone("timeout directive deprecated in favour of checktimeout and negotiatetimeout"),
	},
	{
		name: "vipcommand", where: outside, mask: maskCommand, help: "command that gets up or down and the virtual addresses in that state",
		binding: ofConfig(kindOf("COMMAND", readVIPCommand).orNone(), func(c *Config) *secret.Command { return &c.VIPCommand }),
	},
	{
		name: "vipdevice", where: outside, help: "dummy device that has the virtual addresses while they are served",
		binding: ofConfig(kindOf("DEVICE", readVIPDevice), func(c *Config) *string { return &c.VIPDevice }),
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
	{
		name: "withdrawdelay", where: outside, help: "time at a stop between the withdrawal of the virtual addresses and the end of the table",
		binding: ofConfig(withdrawDelay, func(c *Config) *time.Duration { return &c.WithdrawDelay }).unset("2 with vipcommand or vipdevice, else 0"),
	},
}
