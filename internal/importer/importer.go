// Package importer makes an ldirectord.cf out of what describes a cluster
// elsewhere: a dump of the kernel's table ("ipvsadm -S -n") or the virtual_server
// blocks of a keepalived.conf. It is text to text, and reads no files but those that a
// keepalived.conf includes. What cannot be expressed is a comment in its place, never a
// guess.
package importer

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/ldirectord/ldirectord/internal/keepalived"
	"github.com/ldirectord/ldirectord/internal/safetext"
)

// A Result is the ldirectord.cf that Import has made.
type Result struct {
	Config string
	Notes  []string // each loss and each choice once, with its line; they are comments in Config, too
	Lost   bool     // something of the input is not in Config
}

// A Source is where the text comes from.
type Source struct {
	Path string // of the file; "" is none, so that nothing can be included
	ID   string // what keepalived's -i is there: lines of @ID count
}

// Import turns text into an ldirectord.cf that can be loaded. The error is that
// nothing was found: neither of the two formats, or no virtual service.
func Import(text string, from Source) (Result, error) {
	var parts []*part
	var head string
	switch {
	case dumpLines.MatchString(text):
		parts, head = fromDump(text), dumpHead
	case keepalivedLines.MatchString(text):
		parts, head = fromKeepalived(text, from), keepalivedHead
	default:
		return Result{}, unrecognised(text)
	}
	withoutDuplicates(parts)
	parts = merged(parts)
	blocks := newCheckBlocks()
	r := Result{}
	services, seen := 0, map[note]bool{}
	var b strings.Builder
	b.WriteString(head)
	for _, p := range parts {
		says := p.service != nil || len(p.lines) > 0
		for _, n := range p.allNotes() {
			r.Lost = r.Lost || n.lost
			if !seen[n] {
				seen[n], says = true, true
				r.Notes = append(r.Notes, n.String())
			}
		}
		if !says {
			continue
		}
		b.WriteByte('\n')
		p.write(&b, blocks)
		if p.service != nil {
			services++
		}
	}
	if services == 0 {
		return r, errors.New("there is no virtual service in it that can be carried over")
	}
	r.Config = b.String()
	return r, nil
}

const dumpHead = `# Made by ldirectord import of a dump of the kernel's table. A dump does not have
# how real servers are checked: look at checktype of each service, and at quiescent.

checktimeout = 5
checkinterval = 10
quiescent = no
`

const keepalivedHead = `# Made by ldirectord import of a keepalived.conf. Comments name each thing that is
# lost or not the same. The times are those of keepalived.

checktimeout = 5
quiescent = no
`

var (
	dumpLines       = regexp.MustCompile(`(?m)^[ \t]*(-A|--add-service)[ \t]+-`)
	keepalivedLines = regexp.MustCompile(`(?m)^[ \t]*(@\S+[ \t]+)?(virtual_server|include[rmwba]?)[ \t]+[^=\s]`)
	listing         = regexp.MustCompile(`(?m)^(TCP|UDP|SCTP|FWM)[ \t]+\S+`)
	ldirectordCf    = regexp.MustCompile(`(?m)^virtual6?[ \t]*=`)
)

// unrecognised is the error for text of neither format. It has the cure for other
// known formats.
func unrecognised(text string) error {
	what := ""
	switch {
	case ldirectordCf.MatchString(text):
		what = "; this is an ldirectord.cf already"
	case listing.MatchString(text):
		what = "; this is a listing of the table: make it with ipvsadm -S -n"
	}
	return errors.New("there is neither a line of ipvsadm -S -n nor a virtual_server block" + what)
}

// A position is a line of the input, also of a dump. A node is a keyword of a keepalived.conf.
type (
	position = keepalived.Position
	node     = keepalived.Node
)

// A note is a part of an input line that gets lost or changes its meaning.
type note struct {
	line position
	text string
	lost bool
}

func (n note) String() string {
	return safetext.Line(strings.ToValidUTF8(fmt.Sprintf("%v: %s", n.line, n.text), "?"))
}

// lost is the note of a loss.
func lost(line position, format string, args ...any) note {
	return note{line, fmt.Sprintf(format, args...), true}
}

// chosen is the note of a setting in another form.
func chosen(line position, format string, args ...any) note {
	return note{line, fmt.Sprintf(format, args...), false}
}

// noteOf is a note of the reader of a keepalived.conf.
func noteOf(n keepalived.Note) note { return note{n.Line, n.Text, n.Lost} }

// A part is one section of the output: a service, or nothing but comments.
type part struct {
	line    position
	notes   []note
	lines   []string // directives outside blocks
	service *service // nil: it could not be carried over
}

func (p *part) allNotes() []note {
	notes := slices.Clone(p.notes)
	if p.service != nil {
		for _, r := range p.service.reals {
			notes = append(notes, r.notes...)
		}
	}
	return notes
}

func (p *part) write(b *strings.Builder, blocks *checkBlocks) {
	if p.service == nil {
		comments(b, "", p.notes)
		for _, l := range p.lines {
			b.WriteString(l + "\n")
		}
		return
	}
	p.service.write(b, p.notes, blocks)
}

// merged makes one block of the services of one virtual_server that differ in their addresses
// alone.
func merged(parts []*part) (list []*part) {
	first := map[string]*service{}
	blocks := newCheckBlocks()
	for _, p := range parts {
		s := p.service
		if s == nil || s.protocol == "fwm" {
			list = append(list, p)
			continue
		}
		var body strings.Builder
		fmt.Fprintln(&body, p.line, s.ipv6)
		s.writeBody(&body, p.notes, blocks)
		if f := first[body.String()]; f != nil {
			f.others = append(f.others, s.address)
			continue
		}
		first[body.String()] = s
		list = append(list, p)
	}
	return list
}

func comments(b *strings.Builder, indent string, notes []note) {
	for _, n := range notes {
		fmt.Fprintf(b, "%s# %s\n", indent, n)
	}
}

// withoutDuplicates keeps one of the services that the kernel cannot tell apart,
// and one real server of an address: a configuration with two is refused.
func withoutDuplicates(parts []*part) {
	first := map[string]position{}
	for _, p := range parts {
		if p.service == nil {
			continue
		}
		if line, ok := first[p.service.key()]; ok {
			p.notes = []note{lost(p.line, "%s is left out: %v is the same virtual service", p.service.address, line)}
			p.service = nil
			continue
		}
		first[p.service.key()] = p.line
		p.service.dropDuplicates()
	}
}
