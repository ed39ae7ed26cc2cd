package conf

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"

	"github.com/ldirectord/ldirectord/internal/secret"
)

// setStatusListen is statuslisten = ADDRESS:PORT, a path, or none: where the
// status page and the metrics are served.
func setStatusListen(at *place, value string) error {
	listen := bareText(value)
	switch {
	case listen == "none":
		listen = ""
	case strings.HasPrefix(listen, "/"):
	default:
		addr, err := netip.ParseAddrPort(listen)
		if err != nil || addr.Port() == 0 {
			return errors.New("statuslisten must be ADDRESS:PORT, the path of a socket, or none")
		}
	}
	at.config.StatusListen = listen
	return nil
}

// setStatusControl is statuscontrol = yes|no: orders are taken at statuslisten,
// too, from who has the token.
func setStatusControl(at *place, value string) (err error) {
	at.config.StatusControl, err = yesNo("statuscontrol", value)
	if at.config.StatusControl {
		at.controlLine = at.line
	}
	return err
}

// setStatusToken is statustoken = /path: the file with the token.
func setStatusToken(at *place, value string) error {
	path := bareText(value)
	if !strings.HasPrefix(path, "/") {
		return errors.New("statustoken must be the path of a file")
	}
	at.config.StatusToken = path
	return nil
}

// setStatusReadToken is statusreadtoken = /path: the file with the token without
// which nothing can be read at statuslisten.
func setStatusReadToken(at *place, value string) error {
	path := bareText(value)
	if !strings.HasPrefix(path, "/") {
		return errors.New("statusreadtoken must be the path of a file")
	}
	at.config.StatusReadToken = path
	return nil
}

// setStatusGroup is statusgroup = GROUP: whose members may use the daemon's
// socket.
func setStatusGroup(at *place, value string) error {
	group := bareText(value)
	if group == "" || strings.ContainsAny(group, " \t:/") {
		return errors.New("statusgroup must be the name or number of a group")
	}
	at.config.StatusGroup = group
	return nil
}

// setNotifyCommand is notifycommand = COMMAND: run by the shell with each event
// as JSON on its standard input.
func setNotifyCommand(at *place, value string) error {
	line := unquoted(trimRight(value))
	if line == "" {
		return errors.New("notifycommand must be a command for the shell")
	}
	at.config.NotifyCommand = secret.Command(line)
	return nil
}

// setWebhook is webhook = URL: where events are posted to as JSON.
func setWebhook(at *place, value string) error {
	u, err := url.Parse(unquoted(trimRight(value)))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return errors.New("webhook must be a URL that begins with http:// or https://")
	}
	at.config.Webhook = secret.URL(u.String())
	return nil
}

// checkStatus finds what only shows when the whole file is read.
func (p *parser) checkStatus() {
	if p.config.StatusControl && p.config.StatusToken == "" {
		p.fail(p.controlLine, errors.New("statuscontrol needs a statustoken"), "statuscontrol", "")
	}
}
