package conf

import (
	"errors"
	"net/netip"
	"path/filepath"
	"strings"

	"github.com/ldirectord/ldirectord/internal/secret"
)

// StatusServer is the addresses of the status server and the rights of its clients.
type StatusServer struct {
	StatusControl   bool   // StatusListen accepts orders from clients with the token
	StatusGroup     string // its members may use the daemon's socket; "" is root alone
	StatusReadGroup string // its members may read at a socket of their own; "" is none
	StatusListen    string // ADDRESS:PORT or a path that begins with "/", "" is none
	StatusReadToken string // path of the file with the token for reading, "" allows all clients
	StatusToken     string // path of the file with the token for orders
	StatusCert      string // path of the certificates of StatusListen in PEM, "" is plain text
	StatusKey       string // path of their key, "" is in StatusCert
	StatusCA        string // path of the authorities of other directors' certificates, "" is the machine's

	Directors []string // HOST:PORT where each director of the fleet listens, this one too; nil is none
}

// SpeaksTLS reports whether the directors of the fleet are asked by TLS: all of them are, or
// none.
func (s StatusServer) SpeaksTLS() bool { return s.StatusCert != "" || s.StatusCA != "" }

// readStatusListen is statuslisten = ADDRESS:PORT, a path, or none: the address of
// the status page and the metrics.
func readStatusListen(_ *location, value string) (string, error) {
	listen := bareText(value)
	switch {
	case listen == "none":
		listen = ""
	case strings.HasPrefix(listen, "/"):
	default:
		addr, err := netip.ParseAddrPort(listen)
		if err != nil || addr.Port() == 0 {
			return "", errors.New("statuslisten must be ADDRESS:PORT, the path of a socket, or none")
		}
	}
	return listen, nil
}

// readStatusGroup is statusgroup = GROUP, whose members may use the daemon's socket, or
// statusreadgroup.
func readStatusGroup(at *location, value string) (string, error) {
	group := bareText(value)
	if group == "" || strings.ContainsAny(group, " \t:/") {
		return "", errors.New(at.name + " must be the name or number of a group")
	}
	return group, nil
}

// readNotifyCommand is notifycommand = COMMAND: the shell runs it with each event
// as JSON on its standard input.
func readNotifyCommand(_ *location, value string) (secret.Command, error) {
	line := unquoted(trimRight(value))
	if line == "" {
		return "", errors.New("notifycommand must be a command for the shell")
	}
	return secret.Command(line), nil
}

// adviseStatus warns of directives of the status server that are not used.
func adviseStatus(p *parser) {
	if g := p.config.StatusReadGroup; g != "" && g == p.config.StatusGroup {
		p.adviseAt("statusreadgroup", CodeUnusedDirective, "statusreadgroup is not needed: the members of statusgroup read, too", "")
	}
	adviseFleet(p)
	if p.config.StatusListen == "" {
		for _, name := range []string{"statuscontrol", "statusreadtoken", "statustoken"} {
			if len(p.config.Directors) > 0 && name != "statuscontrol" {
				continue // the commands send it to the directors
			}
			if name != "statuscontrol" || p.config.StatusControl && p.config.StatusToken != "" { // without a token it is a mistake
				p.adviseAt(name, CodeUnusedDirective, name+" is not used: there is no statuslisten", "statuslisten = ADDRESS:PORT")
			}
		}
		return
	}
	if !p.config.StatusControl && len(p.config.Directors) == 0 {
		p.adviseAt("statustoken", CodeUnusedDirective, "statustoken is not used without statuscontrol", "statuscontrol = yes")
	}
}

// checkStatus finds mistakes that need the whole file.
func (p *parser) checkStatus() {
	if p.config.StatusControl && p.config.StatusToken == "" && !isGiven(p, "statustoken") {
		at := p.lines["statuscontrol"]
		p.report(&Problem{Path: at.path, Line: at.line, Code: CodeMissingDirective, Text: "statuscontrol needs a statustoken", Hint: "statustoken = /PATH of a file with the token"})
	}
	if p.config.StatusKey != "" && p.config.StatusCert == "" && !isGiven(p, "statuscert") {
		at := p.lines["statuskey"]
		p.report(&Problem{Path: at.path, Line: at.line, Code: CodeMissingDirective, Text: "statuskey needs a statuscert", Hint: "statuscert = /PATH of a certificate in PEM"})
	}
	if sameToken(p.config, p.opts.ReadSecret) {
		at := p.lines["statusreadtoken"]
		p.report(&Problem{
			Path: at.path, Line: at.line, Code: CodeSameToken, Text: "statusreadtoken is the same token as statustoken: readers could give orders",
			Hint: "openssl rand -hex 16 makes another one, for a file of its own",
		})
	}
}

// isGiven reports whether the files have a directive outside of blocks, with a mistake too.
func isGiven(p *parser, name string) bool {
	_, given := p.lines[name]
	return given
}

// sameToken reports whether readers and operators have the same token, as far as this user may
// read both.
func sameToken(c *Config, read func(name string) (text, warning string, err error)) bool {
	if c.StatusToken == "" || c.StatusReadToken == "" {
		return false
	}
	if filepath.Clean(c.StatusToken) == filepath.Clean(c.StatusReadToken) {
		return true
	}
	operators, _, err1 := read(c.StatusToken)
	readers, _, err2 := read(c.StatusReadToken)
	operators = strings.TrimSpace(operators)
	return err1 == nil && err2 == nil && operators != "" && operators == strings.TrimSpace(readers)
}
