package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/conf"
)

// filePage is ldirectord.cf(5), with the lines of an example file.
func filePage(day time.Time, example string) (string, error) {
	sections, err := readExample(example)
	if err != nil {
		return "", err
	}
	rows := map[string]conf.Directive{
		"virtual": {
			Name: "virtual", Value: "ADDRESS:PORT|MARK", Outside: true,
			Help: "begins a block: the address and port of a virtual service, or its firewall mark; port 0 is all ports",
		},
		"virtual6": {Name: "virtual6", Value: "[ADDRESS]:PORT|MARK", Outside: true, Help: "the same for IPv6"},
		"check":    {Name: "check", Value: "NAME", Outside: true, Help: "begins a block with a check that virtual services and real servers have by its name (alsocheck, check= in a real line)"},
	}
	gone := section{title: "No longer accepted"}
	for _, d := range conf.Directives() {
		rows[d.Name] = d
		if d.Gone {
			gone.lines = append(gone.lines, exampleLine{directive: d.Name})
		}
	}
	p := newPage(day, "LDIRECTORD.CF", "5", "ldirectord.cf", "configuration of ldirectord")
	p.WriteString(fileBegin)
	for _, s := range append(sections, gone) {
		p.macro("Ss", verbatim(s.title))
		p.WriteString(".Bl -tag -width Ds\n")
		for _, line := range s.lines {
			p.directive(rows[line.directive], line.text)
		}
		p.WriteString(".El\n")
	}
	p.checkTypes()
	p.services()
	p.WriteString(fileEnd)
	return p.String(), nil
}

// directive adds the item of a directive: its form, its help, where it may be written, its
// default, and an example.
func (p *page) directive(d conf.Directive, example string) {
	head := `\fB` + d.Name + `\fR`
	if d.Value != "" {
		head += " = " + emphasized(d.Value)
	}
	p.macro("It", head)
	p.text(strings.ToUpper(d.Help[:1]) + d.Help[1:] + ".")
	p.WriteString(".br\n")
	p.text(place(d) + defaultText(d) + ".")
	if example != "" {
		p.macro("Dl", verbatim(example))
	}
}

// place is where a directive may be written.
func place(d conf.Directive) string {
	switch {
	case !d.InBlock:
		return "Outside blocks"
	case !d.Outside:
		return "In a block"
	}
	return "Outside blocks or in one"
}

// defaultText is what counts without the directive, "" for nothing.
func defaultText(d conf.Directive) string {
	text := ""
	if d.Default != "" {
		text = "; default: " + d.Default
	}
	if d.Or != "" {
		text += ", or " + d.Or + " where only that one is written"
	}
	return text
}

// checkTypes adds the words of checktype.
func (p *page) checkTypes() {
	p.WriteString(".Sh CHECK TYPES\nA real server is up when, by the word of\n.Ic checktype :\n.Bl -tag -width external-perl\n")
	for _, t := range conf.CheckTypes() {
		p.macro("It", emphasized(t.Word))
		p.text(strings.ToUpper(t.Help[:1]) + t.Help[1:] + ".")
	}
	p.WriteString(".El\n")
}

// services adds the words of service, with the port and the directives of each.
func (p *page) services() {
	p.WriteString(`.Sh SERVICES
The services of a check as
.Ic negotiate ,
with the port that is checked where neither
.Ic checkport
nor the real server has one, and the directives that only some checks read.
.Bl -tag -width http_proxy
`)
	for _, name := range conf.Services() {
		s, _ := conf.LookupService(name)
		p.macro("It", `\fB`+verbatim(name)+`\fR`)
		p.text(serviceText(s))
	}
	p.WriteString(".El\n")
}

func serviceText(s conf.Service) string {
	text := "The port of the virtual service."
	if s.Port != 0 {
		text = fmt.Sprintf("Port %d.", s.Port)
	}
	if s.Name == "none" {
		text = "No check: always up."
	}
	var reads []string
	for _, d := range conf.Directives() {
		if !conf.Reads("none", d.Name) && conf.Reads(s.Name, d.Name) && !strings.HasPrefix(d.Name, "ssl") {
			reads = append(reads, d.Name)
		}
	}
	if s.TLS != conf.NoTLS {
		reads = append(reads, "the directives of TLS")
	}
	if len(reads) > 0 {
		text += " Reads " + strings.Join(reads, ", ") + "."
	}
	if s.Added {
		text += " The original does not have it."
	}
	return text
}

// fileBegin is what comes before the directives.
const fileBegin = `.Sh DESCRIPTION
The configuration of
.Xr ldirectord 8
says which virtual services there are, which real servers each of them has, and
how these are checked.
.Dq ldirectord check
reads a file and reports all of its mistakes;
.Dq ldirectord check --explain
says what it means.
.Ss Lines
A line is a directive, a
.Dq =
and a value.
A line whose first character other than a blank is
.Dq #
is a comment.
.Pp
A line with
.Ic virtual
or
.Ic virtual6
in the first column begins the block of a virtual service.
The lines of the block are indented by four blanks or a tab; an empty line or a
line in the first column ends it.
Lines outside blocks begin in the first column.
Their values are those of all blocks; a block's own value comes first.
.Pp
.Ar yes
and
.Ar no
stand alone: no blank and no comment may follow them.
A value in quotes extends to the last quote of the line.
.Pp
A
.Ar DURATION
is a number of seconds, or has a unit:
.Li 500ms , 1.5s , 2m , 1h .
A
.Ar PATTERN
is a Perl regular expression, matched anywhere, case sensitive.
A
.Ar CREDENTIAL
is a name without a slash: a file that systemd hands over
.Pq Li LoadCredential= .
.Ss Real servers
A
.Ic real
line has the address, the port and the forwarding method of a real server:
.Ic gate
is direct routing,
.Ic masq
is NAT,
.Ic ipip
is a tunnel.
The weight is 1 where none is given.
A range
.Pq Li 192.0.2.21->192.0.2.24:80
is one line for many.
REQUEST and RECEIVE take the place of
.Ic request
and
.Ic receive
for this real server.
Above
.Li u:N
connections the kernel sends no new ones, until there are fewer than
.Li l:N .
.Sh DIRECTIVES
Each has its form, its meaning, where it may be written with its default, and an
example.
`

// fileEnd is what comes behind the directives.
const fileEnd = `.Sh FILES
.Bl -tag -width Ds
.It Pa /etc/ha.d/ldirectord.cf
The file that is read where no other one is named.
.It Pa /usr/share/doc/ldirectord/examples/ldirectord.cf
A file that explains every directive.
.It Pa /usr/share/doc/ldirectord/checks.md
What each check sends, and the answer that is good.
.It Pa /usr/share/doc/ldirectord/compatibility.md
Which directives the original has, and what differs.
.El
.Sh EXAMPLES
Two web servers behind one address, with a fallback:
.Bd -literal -offset indent
checkinterval = 2
checktimeout = 3

virtual = 192.168.1.99:80
        real = 192.168.1.13:80 gate 2
        real = 192.168.1.14:80 gate 1
        fallback = 127.0.0.1:80
        service = http
        request = "/health"
        receive = "ok"
        scheduler = wrr
.Ed
.Sh SEE ALSO
.Xr ipvsadm 8 ,
.Xr ldirectord 8
`
