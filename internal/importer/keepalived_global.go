package importer

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// global is global_defs or SSL as directives outside blocks, nil if there is nothing to say.
func (f *keepalivedFile) global(n *node) *part {
	p := &part{line: n.Line}
	if n.Name() == "SSL" {
		f.ssl(n, p)
	} else {
		f.globalDefs(n, p)
	}
	if len(p.notes)+len(p.lines) == 0 {
		return nil
	}
	return p
}

// ssl makes the certificate of SSL_GET of the block SSL.
func (f *keepalivedFile) ssl(n *node, p *part) {
	withoutRefused(n, func(u note) { p.notes = append(p.notes, u) })
	if f.said["SSL"] {
		p.add("", lost(n.Line, "SSL is left out: there is one before"))
		return
	}
	f.said["SSL"] = true
	if !f.root.Has("SSL_GET") {
		p.add("", chosen(n.Line, "SSL is for SSL_GET, and there is none"))
		return
	}
	certificate, key := n.Last("certificate"), n.Last("key")
	switch {
	case certificate != nil && key != nil && isFile(certificate.Word(0)) && isFile(key.Word(0)):
		p.lines = append(p.lines, "sslcert = "+certificate.Word(0), "sslkey = "+key.Word(0))
	case certificate != nil || key != nil:
		p.add("", lost(n.Line, "SSL: sslcert and sslkey need both files, by their whole paths"))
	}
	if ca := n.Last("ca"); ca != nil {
		p.add("", chosen(ca.Line, "%s: keepalived verifies no certificate by it; sslcafile with sslverify = yes does", ca))
	}
	if password := n.Last("password"); password != nil {
		p.add("", lost(password.Line, "password is not carried over: sslkey needs a key without one (openssl pkey -in KEY -out NEW)"))
	}
}

// isFile reports whether s can be the path of a file in a directive.
func isFile(s string) bool {
	return strings.HasPrefix(s, "/") && expressible(s) && !strings.ContainsAny(s, "\"'") && strings.TrimSpace(s) == s
}

func (f *keepalivedFile) globalDefs(n *node, p *part) {
	m := &f.mail
	if m.wanted && !m.written {
		m.directives(p)
	}
	var others []string
	for _, c := range n.Block {
		switch c.Name() {
		case "notification_email", "notification_email_from", "smtp_server":
			switch {
			case m.server == "":
				p.notes = append(p.notes, chosen(c.Line, "%s: keepalived sends no mails without a smtp_server", c.Name()))
			case !m.wanted:
				p.notes = append(p.notes, chosen(c.Line, "%s: no real server sends mails", c.Name()))
			}
		case "lvs_timeouts", "lvs_sync_daemon":
			switch {
			case f.said[c.Name()]:
				p.add("", lost(c.Line, "%s is left out: there is one before", c))
			case c.Name() == "lvs_timeouts":
				p.add(timeouts(c))
			default:
				p.add(f.syncDaemon(c))
			}
			f.said[c.Name()] = true
		case "smtp_alert", "smtp_alert_checker", "router_id", "smtp_connect_timeout", "checker_log_all_failures", "no_checker_emails":
		default:
			if instead[c.Name()] != "" {
				p.notes = append(p.notes, notCarried(c))
			} else {
				others = append(others, c.Name())
			}
		}
	}
	if len(others) > 0 {
		p.notes = append(p.notes, lost(n.Line, "%s of global_defs is not carried over", strings.Join(others, ", ")))
	}
}

// add adds a directive, "" is none, and a note, the zero one is none.
func (p *part) add(line string, n note) {
	if line != "" {
		p.lines = append(p.lines, line)
	}
	if n != (note{}) {
		p.notes = append(p.notes, n)
	}
}

// longestTimeout is the longest of ipvstimeouts in seconds.
const longestTimeout = 86400 * 31

// timeouts is ipvstimeouts of lvs_timeouts, which names those that it sets.
func timeouts(n *node) (directive string, what note) {
	of := map[string]int{"tcp": 0, "tcpfin": 0, "udp": 0}
	for i := 1; i < len(n.Words); i += 2 {
		seconds, err := strconv.Atoi(n.Word(i))
		if _, ok := of[n.Words[i]]; !ok || err != nil || seconds < 0 || seconds > longestTimeout {
			return "", notCarried(n)
		}
		of[n.Words[i]] = seconds
	}
	return fmt.Sprintf("ipvstimeouts = %d %d %d", of["tcp"], of["tcpfin"], of["udp"]), note{}
}

// highestSyncID is the highest id of syncdaemon.
const highestSyncID = 255

// syncHeaders are the bytes of the headers of a message of the sync daemon, which mtu counts and
// maxlen does not.
const (
	syncHeaders  = 28
	syncHeaders6 = 48 // in IPv6
)

// syncDaemon is syncdaemon of lvs_sync_daemon. Its id is that of the VRRP instance if it has none of its own.
func (f *keepalivedFile) syncDaemon(n *node) (directive string, what note) {
	if !isDevice(n.Word(0)) {
		return "", notCarried(n)
	}
	set := map[string]string{"id": "0"}
	options := n.Words[2:]
	if len(options) > 1 && options[0] == "inst" {
		options = options[1:]
	}
	if len(options)%2 == 1 {
		set["id"] = f.routerID(options[0])
		options = options[1:]
	}
	for i := 0; i+1 < len(options); i += 2 {
		value := options[i+1]
		group, err := netip.ParseAddr(value)
		switch number, _ := strconv.Atoi(value); {
		case options[i] == "id" && isNumber(value, 0) && number <= highestSyncID:
			set["id"] = strconv.Itoa(number)
		case options[i] == "port" && isPort(value):
			set["port"] = strconv.Itoa(number)
		case options[i] == "maxlen" && isNumber(value, 1072-syncHeaders) && number <= 65535-syncHeaders:
			set["mtu"] = strconv.Itoa(number + syncHeaders)
		case options[i] == "group" && err == nil && group.IsMulticast() && group.Zone() == "":
			set["group"] = group.String()
		case options[i] == "ttl" && value == "1": // which is the kernel's
		default:
			return "", lost(n.Line, "%s is not carried over: syncdaemon has no %s %s", n, options[i], value)
		}
	}
	words := []string{"syncdaemon = both", n.Word(0)}
	for _, name := range []string{"id", "group", "port", "mtu"} {
		if set[name] != "" {
			words = append(words, name, set[name])
		}
	}
	return strings.Join(words, " "),
		chosen(n.Line, "both sends and receives all the time; take lvs_sync_daemon out of a keepalived.conf that stays, which would steer it, too")
}

// routerID is the virtual_router_id of a VRRP instance, "0" if there is none.
func (f *keepalivedFile) routerID(name string) string {
	for _, n := range f.root.Block {
		if n.Name() == "vrrp_instance" && n.Word(0) == name {
			if id := n.Last("virtual_router_id"); id != nil {
				if number, err := strconv.Atoi(id.Word(0)); err == nil && number >= 0 && number <= highestSyncID {
					return strconv.Itoa(number)
				}
			}
		}
	}
	return "0"
}
