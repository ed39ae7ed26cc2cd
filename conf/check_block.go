package conf

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/ldirectord/ldirectord/internal/secret"
	"github.com/ldirectord/ldirectord/internal/similar"
)

// MoreChecks are the checks of the real servers besides the virtual service's own.
type MoreChecks struct {
	AlsoCheck    []NamedCheck // each real server has these, too
	InPlace      []NamedCheck // those of real servers with a RealServer.Check
	ChecksNeeded int          // checks of a real server that make it up; 0, and more than it has, is all
	AgentBeside
}

// A CheckUse names a check block, and the arguments that one use of it adds for its
// command. The zero CheckUse is the virtual service's own check.
type CheckUse struct {
	Name string
	Args secret.Text // see ShellWords
}

// A NamedCheck is the check of a check block, as a virtual service uses it.
type NamedCheck struct {
	CheckUse
	As *VirtualService // the virtual service with the settings of this check, and without real servers
}

// Named returns the settings of v with the check of a use: v itself for its own check, nil if
// no real server of v has it.
func (v *VirtualService) Named(use CheckUse) *VirtualService {
	if use.Name == "" {
		return v
	}
	i := slices.IndexFunc(v.InPlace, func(n NamedCheck) bool { return n.CheckUse == use })
	if i < 0 {
		return nil
	}
	return v.InPlace[i].As
}

// EachCheck returns v for its own check, and v with the settings of each other check of its
// real servers. All that is not of the check is the same in each.
func (v *VirtualService) EachCheck() []*VirtualService {
	list := []*VirtualService{v}
	for _, n := range slices.Concat(v.AlsoCheck, v.InPlace) {
		list = append(list, n.As)
	}
	return list
}

// EachCheck returns VirtualService.EachCheck of all virtual services.
func (c *Config) EachCheck() (list []*VirtualService) {
	for _, v := range c.Virtuals {
		list = append(list, v.EachCheck()...)
	}
	return list
}

// Several reports whether r has more than one check, or another than v's own.
func (v *VirtualService) Several(r *RealServer) bool {
	return len(v.AlsoCheck) > 0 && v.CheckType != CheckOff || r.Check.Name != "" || v.Agent() != nil
}

// ManyChecks reports whether real servers of v have more than one check, or an agent beside it.
func (v *VirtualService) ManyChecks() bool { return len(v.AlsoCheck) > 0 || v.Agent() != nil }

// checkDirectives are those that a check block takes.
const checkDirectives = " checkaddress checkarguments checkargumentsonly checkcommand checkcount checkdevice checkinterval checkmark checkport checksource" +
	" checktimeout checktype chkloop connecttimeout database downinterval externalweight failurecount fastinterval halfopen httpdrain httpfollow httpheader httpmethod" +
	" httpstatus httpversion login negotiatetimeout passwd passwdfile receive receivebytes receivedrain receivenot request risecount secret secretfile" +
	" service slowlimit sslcafile sslcert sslkey sslname sslverify starttls virtualhost "

// isCheckBlock reports whether the name of a line begins a check block.
func isCheckBlock(name string) bool { return name == "check" }

// beginsBlock reports whether the name of a line begins a block.
func beginsBlock(name string) bool { return isVirtual(name) || isCheckBlock(name) }

// takes reports whether a directive may be in b.
func (b *block) takes(name string) bool {
	return b == nil || b.check == "" || strings.Contains(checkDirectives, " "+name+" ")
}

var checkName = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._-]*$`)

// readCheckBlock reads check = NAME and its lines: a check that virtual services and real
// servers use by its name.
func readCheckBlock(p *parser, s section) {
	b := p.newBlock(s)
	text := s.head.text()
	name, _, equals := splitDirective(text)
	_, value, _ := splitDirective(trimLeft(text))
	b.check = trimRight(value)
	b.v.Name = "check " + b.check
	err := checkBlockName(p, b)
	if !equals || !isCheckBlock(name) { // the line has its mistake
		err = nil
		p.report(p.unknown(s.head, nil, ""))
	}
	p.fail(s.head.number, err, "check", value)
	at := &location{parser: p, block: b, v: b.v, given: &b.given}
	before := p.mistakes
	for _, l := range s.body {
		if p.stopped() {
			return
		}
		p.blockLine(at, l)
	}
	b.mistaken = p.mistakes > before
	if !p.stopped() {
		closeCheckBlock(p, b)
	}
}

// checkBlockName notes the name of a check block.
func checkBlockName(p *parser, b *block) error {
	if b.check == "" {
		b.check = "?"
		return errors.New("the name of the check block is missing: check = NAME")
	}
	if !checkName.MatchString(b.check) {
		name, _, more := strings.Cut(b.check, " ")
		b.check = "?" // its lines are read
		if name = quotable(name); more {
			name += " …" // which may be a secret
		}
		return errors.New("check must be a name of letters, digits, dots, hyphens and underscores, not " + name)
	}
	if first := p.checks[b.check]; first != nil {
		return fmt.Errorf("check %s is in %s already", b.check, LineIn(p.path, first.v.File, first.v.Line))
	}
	if p.checks == nil {
		p.checks = map[string]*block{}
	}
	p.checks[b.check] = b
	return nil
}

// closeCheckBlock looks at a check block as a whole.
func closeCheckBlock(p *parser, b *block) {
	switch b.v.CheckType {
	case CheckOn, CheckOff, CheckAgent:
		err := fmt.Errorf("a check block cannot have checktype = %s, which is for a virtual service", b.v.CheckType)
		p.fail(max(b.lines["checktype"], b.v.Line), err, "check", b.v.Name)
	case CheckNegotiate, CheckConnect, CheckCombined, CheckPing, CheckExternal, CheckExternalPerl:
	}
}

// A checkLine is alsocheck = NAME [ARGUMENT...].
type checkLine struct {
	line int
	use  CheckUse
}

// setAlsoCheck is alsocheck = NAME [ARGUMENT...], repeatable: one more check of each real
// server.
func setAlsoCheck(at *location, value string) error {
	use, err := readCheckUse(value)
	if err == nil {
		at.block.alsoCheck = append(at.block.alsoCheck, checkLine{at.line, use})
	}
	return err
}

// readCheckUse reads NAME [ARGUMENT...].
func readCheckUse(value string) (use CheckUse, err error) {
	name, args, _ := strings.Cut(strings.TrimSpace(value), " ")
	if !checkName.MatchString(name) {
		return use, errors.New("the name of a check block is missing: check = NAME begins one")
	}
	use.Name = name
	use.Args, err = readArgs(args)
	return use, err
}

// readArgs reads the arguments of a command.
func readArgs(text string) (secret.Text, error) {
	text = strings.TrimSpace(text)
	if _, ok := ShellWords(text); !ok {
		return "", errors.New("no shell reads the arguments of a check: special characters belong in single quotes")
	}
	return secret.Text(text), nil
}

// readCheckArguments is checkarguments = ARGUMENT...: words for checkcommand, behind those
// that it always gets.
func readCheckArguments(_ *location, value string) (secret.Text, error) { return readArgs(value) }

// readChecksNeeded is checksneeded = all or N.
func readChecksNeeded(at *location, value string) (int, error) {
	if bareText(value) == "all" {
		return 0, nil
	}
	n, err := exactNumber(at, value, 1)
	if err != nil {
		return 0, errors.New("checksneeded must be all or a number of checks, at least 1")
	}
	return n, nil
}

// cutCheckUse takes check=NAME, or check="NAME ARGUMENT...", out of the text behind the
// forwarding method of a real line. It is not looked for within quotes.
func cutCheckUse(text string) (use CheckUse, rest string, err error) {
	quotes := 0
	for i := range len(text) {
		if text[i] == '"' {
			quotes++
		}
		after, ok := strings.CutPrefix(text[i:], "check=")
		if !ok || quotes%2 != 0 || i > 0 && !isBlank(text[i-1]) {
			continue
		}
		value, rest := after, ""
		if inner, ok := strings.CutPrefix(after, `"`); ok {
			if value, rest, ok = strings.Cut(inner, `"`); !ok {
				return use, text, errors.New(`a quote is missing behind check="NAME`)
			}
		} else if end := strings.IndexAny(after, blanks); end >= 0 {
			value, rest = after[:end], after[end:]
		}
		use, err = readCheckUse(value)
		return use, trimRight(text[:i]) + rest, err
	}
	return use, text, nil
}

// inheritChecks completes the check blocks, when all that is outside of blocks is known.
func inheritChecks(p *parser) {
	for _, b := range p.checks {
		p.path = b.v.File
		p.inherit(b.v, b.given)
	}
}

// useChecks gives the real servers of b the checks that they name.
func useChecks(p *parser, b *block) {
	v := b.v
	p.copying = true // also has the same line for several virtual services
	defer func() { p.copying = false }()
	before := p.mistakes
	for _, l := range b.alsoCheck {
		if n, ok := usedCheck(p, b, l.line, l.use); ok {
			v.AlsoCheck = append(v.AlsoCheck, n)
		}
	}
	for _, r := range v.Reals {
		if r.Check.Name == "" {
			continue
		}
		as := v.Named(r.Check)
		if as == nil {
			n, ok := usedCheck(p, b, r.Line, r.Check)
			if !ok {
				return
			}
			v.InPlace = append(v.InPlace, n)
			as = n.As
		}
		if !r.OwnRequest {
			r.Request, r.Receive = as.Request, as.Receive
		}
	}
	b.mistaken = b.mistaken || p.mistakes > before
	adviseChecks(p, b)
}

// usedCheck is the check block of a use, with the settings of b's virtual service besides.
func usedCheck(p *parser, b *block, line int, use CheckUse) (n NamedCheck, ok bool) {
	named := p.checks[use.Name]
	if named == nil {
		p.fail(line, because(CodeMissingDirective, errors.New(hintCheckName(p, use.Name)), "there is no check block "+use.Name), "alsocheck", use.Name)
		return n, false
	}
	named.used = true
	c := named.v
	as := *b.v
	as.File, as.Line = c.File, c.Line
	as.Reals, as.MoreChecks = nil, MoreChecks{}
	as.CheckTarget, as.Check, as.SecretFiles = c.CheckTarget, c.Check, c.SecretFiles
	as.FailureCount, as.RiseCount = c.FailureCount, c.RiseCount
	as.CheckArgs = secret.Text(strings.TrimSpace(c.CheckArgs.Reveal() + " " + use.Args.Reveal()))
	if as.Service == "" {
		as.Service = serviceOfPort(b.v.Port)
		if c.CheckPort != 0 {
			as.Service = serviceOfPort(c.CheckPort)
		}
	}
	return NamedCheck{CheckUse: use, As: &as}, true
}

// hintCheckName suggests the name of a check block.
func hintCheckName(p *parser, name string) string {
	var names []string
	for known := range p.checks {
		names = append(names, known)
	}
	slices.Sort(names)
	if known := similar.Nearest(name, names); known != "" {
		return "did you mean " + known + "?"
	}
	begins := "check = " + name + " in the first column begins it, with checktype, service and so on in the lines below"
	if len(names) > 0 && len(names) <= 9 {
		begins += "; there are " + strings.Join(names, ", ")
	}
	return begins
}
