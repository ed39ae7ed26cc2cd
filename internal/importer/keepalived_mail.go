package importer

import (
	"regexp"
	"slices"
	"strings"
)

// mailSettings are those of global_defs about mails. keepalived sends them for each real server
// whose smtp_alert is on, which it is unless global_defs says otherwise.
type mailSettings struct {
	to       []string
	from     string
	server   string
	off      bool // smtp_alert_checker, else smtp_alert, is off
	wanted   bool // by a real server
	inBlocks bool // some virtual servers have mails, and others not
	written  bool
}

var mailAddress = regexp.MustCompile(`^[^\s"#,;<>]+$`)

// read reads global_defs.
func (m *mailSettings) read(n *node) {
	for _, c := range n.Block {
		switch c.Name() {
		case "notification_email":
			for _, word := range flatWords(c) {
				if mailAddress.MatchString(word) {
					m.to = append(m.to, word)
				}
			}
		case "notification_email_from":
			m.from = c.Word(0)
		case "smtp_server":
			m.server = c.Word(0)
			if port := c.Word(1); port != "" && port != "25" {
				m.server += " " + port
			}
		}
	}
	for _, name := range []string{"smtp_alert", "smtp_alert_checker"} { // the latter counts more
		if c := n.Child(name); c != nil {
			m.off = !isTrue(c)
		}
	}
}

// flatWords are the words of a block: each line is a word, or several.
func flatWords(n *node) (words []string) {
	for _, c := range n.Block {
		words = append(words, c.Words...)
	}
	return words
}

// wantedBy reports whether a real server of a virtual server sends mails.
func (m *mailSettings) wantedBy(n *node) bool {
	return n.Name() == "virtual_server" && len(m.to) > 0 && m.server != "" && slices.ContainsFunc(n.Block, m.wantedByReal)
}

// wantedByReal reports whether n is a real server that sends mails.
func (m *mailSettings) wantedByReal(n *node) bool {
	own := n.Last("smtp_alert")
	return n.Name() == "real_server" && (own == nil && !m.off || own != nil && isTrue(own))
}

// count notes which virtual servers have mails.
func (m *mailSettings) count(root *node) {
	without := false
	for _, n := range root.Block {
		if m.wantedBy(n) {
			m.wanted = true
		} else if n.Name() == "virtual_server" {
			without = true
		}
	}
	m.inBlocks = m.wanted && without
}

func (m *mailSettings) alert() string { return "emailalert = " + strings.Join(m.to, ", ") }

var mailServer = regexp.MustCompile(`^[0-9A-Za-z._+-]+$`)

func (m *mailSettings) directives(p *part) {
	m.written = true
	if !m.inBlocks {
		p.lines = append(p.lines, m.alert())
	}
	if mailAddress.MatchString(m.from) {
		p.lines = append(p.lines, "emailalertfrom = "+m.from)
	}
	switch {
	case m.server == "127.0.0.1" || m.server == "localhost":
		p.notes = append(p.notes, chosen(p.line, "mails go to the local mailer"))
	case mailServer.MatchString(m.server):
		p.lines = append(p.lines, "smtp = "+m.server)
	default:
		p.notes = append(p.notes, lost(p.line, "smtp_server %s is not carried over: smtp is a host name or IPv4 address, and its port 25", m.server))
	}
}
