package conf

import (
	"slices"
	"strings"
)

// A directive is one row of the table: what a name means outside blocks and
// inside. Adding a directive is adding a row and its function.
type directive struct {
	name   string
	global setter // nil: not allowed there
	block  setter // nil: not allowed there
	form   form
}

// A setter does what a directive with this value says. Its error is the text
// for the user, without file and line.
type setter func(at *place, value string) error

// form is how a directive has to be written. In another form it is unknown.
type form uint8

const (
	free   form = iota // name = value
	quoted             // name = "value"
	bare               // name alone will do
)

// argument returns the value that a directive is given. Of a quoted one it is
// the text between the first and the last quote of the line.
func (d directive) argument(value string, equals bool) (argument string, ok bool) {
	if d.form != quoted {
		return value, equals || d.form == bare
	}
	inner, ok := strings.CutPrefix(value, `"`)
	end := strings.LastIndexByte(inner, '"')
	if !ok || !equals || end < 0 {
		return "", false
	}
	return inner[:end], true
}

// lookup returns the directive of that name.
func lookup(name string) (directive, bool) {
	i, ok := slices.BinarySearchFunc(directives, name, func(d directive, name string) int {
		return strings.Compare(d.name, name)
	})
	if !ok {
		return directive{}, false
	}
	return directives[i], true
}

// known reports whether a line is a directive in the right form, whatever its
// value.
func known(text string, inBlock bool) bool {
	name, value, equals := splitDirective(text)
	if isVirtual(name) {
		return equals && !inBlock
	}
	d, _ := lookup(name)
	_, fits := d.argument(value, equals)
	return fits && (inBlock && d.block != nil || !inBlock && d.global != nil)
}

// directives is the table, sorted by name.
var directives = []directive{
	{name: "autoreload", global: setAutoReload},
	{name: "callback", global: setCallback, form: quoted},
	{name: "checkcommand", block: setCheckCommand},
	{name: "checkcount", global: setCheckCount, block: setCheckCount},
	{name: "checkinterval", global: setCheckInterval, block: setCheckInterval},
	{name: "checkport", block: setCheckPort},
	{name: "checkrate", global: setCheckRate},
	{name: "checksource", global: setCheckSource},
	{name: "checktimeout", global: setCheckTimeout, block: setCheckTimeout},
	{name: "checktype", block: setCheckType},
	{name: "chkloop", global: setChkLoop, block: setChkLoop},
	{name: "cleanstop", global: setCleanStop, block: setCleanStop},
	{name: "comment", block: setComment},
	{name: "connecttimeout", global: setConnectTimeout, block: setConnectTimeout},
	{name: "database", block: setDatabase, form: quoted},
	{name: "downinterval", global: setDownInterval, block: setDownInterval},
	{name: "driftcheck", global: setDriftCheck},
	{name: "emailalert", global: setEmailAlert, block: setEmailAlert},
	{name: "emailalertfreq", global: setEmailAlertFreq, block: setEmailAlertFreq},
	{name: "emailalertfrom", global: setEmailAlertFrom},
	{name: "emailalertgroup", global: setEmailAlertGroup},
	{name: "emailalertstatus", global: setEmailAlertStatus, block: setEmailAlertStatus},
	{name: "execute", global: setExecute},
	{name: "failurecount", global: setFailureCount, block: setFailureCount},
	{name: "fallback", global: setFallback, block: setFallback},
	{name: "fallback6", global: setFallback6, block: setFallback6},
	{name: "fallbackcommand", global: setFallbackCommand, block: setFallbackCommand},
	{name: "fastinterval", global: setFastInterval, block: setFastInterval},
	{name: "fork", global: setFork},
	{name: "halfopen", global: setHalfOpen, block: setHalfOpen},
	{name: "holdlocal", global: setHoldLocal},
	{name: "hostsetup", global: setHostSetup},
	{name: "httpfollow", global: setHTTPFollow, block: setHTTPFollow},
	{name: "httpheader", global: setHTTPHeader, block: setHTTPHeader},
	{name: "httpmethod", block: setHTTPMethod},
	{name: "httpstatus", global: setHTTPStatus, block: setHTTPStatus},
	{name: "httpversion", global: setHTTPVersion, block: setHTTPVersion},
	{name: "load", block: setLoad, form: quoted},
	{name: "logfile", global: setLogFile, form: quoted},
	{name: "login", block: setLogin, form: quoted},
	{name: "maintenancedir", global: setMaintenanceDir},
	{name: "mark", block: setMark},
	{name: "minalive", global: setMinAlive, block: setMinAlive},
	{name: "monitorfile", block: setMonitorFile},
	{name: "monitorlog", global: setMonitorLog},
	{name: "negotiatetimeout", global: setNegotiateTimeout, block: setNegotiateTimeout},
	{name: "netmask", block: setNetmask},
	{name: "notifycommand", global: setNotifyCommand},
	{name: "ops", block: setOPS},
	{name: "passwd", block: setPasswd, form: quoted},
	{name: "passwdfile", block: setPasswdFile},
	{name: "persistent", block: setPersistent},
	{name: "protocol", block: setProtocol},
	{name: "quiescent", global: setQuiescent, block: setQuiescent},
	{name: "readdquiescent", global: setReaddQuiescent},
	{name: "real", block: setReal},
	{name: "real6", block: setReal6},
	{name: "receive", block: setReceive, form: quoted},
	{name: "receivebytes", global: setReceiveBytes, block: setReceiveBytes},
	{name: "receivenot", global: setReceiveNot, block: setReceiveNot, form: quoted},
	{name: "request", block: setRequest, form: quoted},
	{name: "risecount", global: setRiseCount, block: setRiseCount},
	{name: "schedflags", block: setSchedFlags},
	{name: "scheduler", block: setScheduler},
	{name: "secret", block: setSecret, form: quoted},
	{name: "secretfile", block: setSecretFile},
	{name: "service", block: setService},
	{name: "servicename", block: setServiceName},
	{name: "slowstart", global: setSlowStart, block: setSlowStart},
	{name: "smtp", global: setSMTP, block: setSMTP},
	{name: "sslcafile", global: setSSLCAFile, block: setSSLCAFile},
	{name: "sslcert", global: setSSLCert, block: setSSLCert},
	{name: "sslexpirywarn", global: setSSLExpiryWarn, block: setSSLExpiryWarn},
	{name: "sslkey", global: setSSLKey, block: setSSLKey},
	{name: "sslname", global: setSSLName, block: setSSLName},
	{name: "sslverify", global: setSSLVerify, block: setSSLVerify},
	{name: "starttls", global: setStartTLS, block: setStartTLS},
	{name: "statuscontrol", global: setStatusControl},
	{name: "statusgroup", global: setStatusGroup},
	{name: "statuslisten", global: setStatusListen},
	{name: "statusreadtoken", global: setStatusReadToken},
	{name: "statustoken", global: setStatusToken},
	{name: "supervised", global: setSupervised, form: bare},
	{name: "timeout", global: setTimeout},
	{name: "virtualhost", block: setVirtualHost},
	{name: "webhook", global: setWebhook},
}
