package conf

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/ldirectord/ldirectord/internal/secret"
)

// setAutoReload is autoreload = yes|no: read the file again when it changes.
func setAutoReload(at *place, value string) (err error) {
	at.config.AutoReload, err = yesNo("autoreload", value)
	return err
}

// setCallback is callback = "/path": run when the file has changed.
func setCallback(at *place, value string) error {
	at.config.Callback = secret.Command(value)
	return nil
}

// setCheckRate is checkrate = N: checks started per second, 0 is derived.
func setCheckRate(at *place, value string) (err error) {
	at.config.CheckRate, err = exactNumber("checkrate", value, 0)
	return err
}

// setCheckSource is checksource = ADDRESS: where checks come from.
func setCheckSource(at *place, value string) error {
	addr, err := netip.ParseAddr(strings.Trim(bareText(value), "[]"))
	if err != nil || addr.Zone() != "" {
		return errors.New("checksource must be an IP address")
	}
	at.config.CheckSource = addr
	return nil
}

// setDriftCheck is driftcheck = SECONDS: how often the kernel's table is
// compared, 0 is never.
func setDriftCheck(at *place, value string) (err error) {
	at.config.DriftCheck, err = exactDuration("driftcheck", value)
	return err
}

// setEmailAlertFrom is emailalertfrom = ADDRESS: the sender of mails, as it
// stands in their header.
func setEmailAlertFrom(at *place, value string) error {
	if value == "" {
		return errors.New("no email from address specified")
	}
	at.mailFrom = bareAddresses(value)
	return nil
}

// setEmailAlertGroup is emailalertgroup = SECONDS: how long events are collected
// for one mail.
func setEmailAlertGroup(at *place, value string) (err error) {
	at.config.EmailAlertGroup, err = exactDuration("emailalertgroup", value)
	return err
}

// setFork is fork = yes|no, of no consequence: checks run side by side anyway.
func setFork(at *place, value string) (err error) {
	at.config.Fork, err = yesNo("fork", value)
	return err
}

// setHoldLocal is holdlocal = yes|no: change nothing while most checks fail for
// want of something on this machine.
func setHoldLocal(at *place, value string) (err error) {
	at.config.HoldLocal, err = yesNo("holdlocal", value)
	return err
}

// setHostSetup is hostsetup = yes|no: set up addresses, kernel parameters and
// packet marks when the daemon starts, and take them back when it stops.
func setHostSetup(at *place, value string) (err error) {
	at.config.HostSetup, err = yesNo("hostsetup", value)
	return err
}

// setLogFile is logfile = "/path" or logfile = "facility". A path is opened as
// it is read, but, as in the original, not after supervised = yes: the log is the
// standard output then.
func setLogFile(at *place, value string) error {
	if !at.config.Supervised && strings.HasPrefix(value, "/") {
		if err := at.opts.TryOpen(value); err != nil {
			return because(err, "unable to open logfile: "+value)
		}
	}
	if !strings.HasPrefix(value, "/") && !at.opts.KnownFacility(value) {
		at.advise(at.line, fmt.Sprintf("%q does not begin with /: it is taken as a syslog facility, and there is none of that name", value),
			"an absolute path, or a facility such as local0; what goes to no facility goes to daemon")
	}
	at.config.LogFile = value
	return nil
}

// setMaintenanceDir is maintenancedir = /path: a file in it takes the real
// server of its name out.
func setMaintenanceDir(at *place, value string) error {
	if value == "" {
		return errors.New("maintenance directory not specified")
	}
	if !at.opts.IsDir(value) {
		at.warn(at.line, "maintenance directory does not exist")
	}
	at.config.MaintenanceDir = value
	return nil
}

// setMonitorLog is monitorlog = /path or none: the "is gone" / "is back" log.
func setMonitorLog(at *place, value string) error {
	path := bareText(value)
	switch {
	case path == "":
		return errors.New("monitorlog must be a path or none")
	case path == "none":
		path = ""
	}
	at.config.MonitorLog = path
	return nil
}

// setReaddQuiescent is readdquiescent = yes|no: a dead real server that is
// missing in the kernel's table is added with weight 0.
func setReaddQuiescent(at *place, value string) (err error) {
	at.config.ReaddQuiescent, err = yesNo("readdquiescent", value)
	return err
}

// setSupervised is supervised = yes|no: stay in the foreground, log to stdout.
// The word alone is yes, but is warned of.
func setSupervised(at *place, value string) (err error) {
	if value == "" && !at.equals {
		at.warn(at.line, "please update your config not to use a bare supervised directive")
		value = "yes"
	}
	at.config.Supervised, err = yesNo("supervised", value)
	return err
}

// setTimeout is timeout, which went away before the original's first release
// with a manual.
func setTimeout(*place, string) error {
	return errors.New("timeout directive deprecated in favour of checktimeout and negotiatetimeout")
}

// setConnectTimeout is connecttimeout, which went away likewise.
func setConnectTimeout(*place, string) error {
	return errors.New("connecttimeout directive deprecated in favour of negotiatetimeout")
}
