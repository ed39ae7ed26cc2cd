package conf

import (
	"errors"
	"math"
	"strings"

	"github.com/ldirectord/ldirectord/internal/secret"
)

// checkType is checktype = WORD or N. A value with a digit is a number, even
// connect2.
var checkType = kindOf("negotiate|connect|ping|agent|external|external-perl|on|off|N", func(at *location, value string) (CheckType, error) {
	if _, run, _ := digits(value); run != "" {
		if !isNumber(bareNumber(value)) {
			at.advise(at.line, CodeReadAs, "checktype "+bareNumber(value)+" is read as the number "+run, "one negotiate, then "+run+" connects")
		}
		adviseLargest(at, value, math.MaxInt32)
		at.v.Combined = int(number(run, math.MaxInt32))
		return CheckCombined, nil
	}
	t, ok := checkTypeNamed(word(value, "-"))
	if !ok {
		return 0, errors.New(`checktype must be "connect", "negotiate", "on", "off", "ping", "external", "external-perl" or a positive number`)
	}
	at.v.Combined = 0
	return t, nil
})

// hintCheckType suggests a kind of check for an unknown word.
func hintCheckType(value string) string {
	name := word(strings.ToLower(value), "-")
	if _, ok := checkTypeNamed(name); ok {
		return "in lower case: " + name
	}
	if _, ok := LookupService(name); ok {
		return name + " is a service: service = " + name + ", and checktype = negotiate, which is the default"
	}
	return "connect is the one for any TCP service"
}

// readCheckCommand is checkcommand = PROGRAM: for external and external-perl. The
// rest of the line belongs to the program's name.
func readCheckCommand(at *location, value string) (secret.Command, error) {
	command := unquoted(value)
	if command == "" {
		return "", errors.New("invalid check command")
	}
	if strings.ContainsAny(command, blanks) {
		at.advise(at.line, CodeCommandWithBlanks, "checkcommand is the path of a program, with its blanks: "+secret.Command(command).String(),
			"its own arguments belong in checkarguments, behind the four that it gets without checkargumentsonly = yes")
	}
	return secret.Command(command), nil
}

// readCheckPort is checkport = PORT: the port of the checks, instead of the real
// server's port.
func readCheckPort(at *location, value string) (uint16, error) {
	_, run, _ := digits(value)
	n := number(run, math.MaxUint32)
	switch {
	case run == "":
		return 0, errors.New("invalid port")
	case n < 1 || n > math.MaxUint16:
		return 0, errors.New("checkport must be in range 1..65536")
	}
	adviseNumber(at, value, run, "one port")
	return uint16(n), nil
}

// readRequest is request = "TEXT". It gets a leading slash.
func readRequest(_ *location, value string) (secret.Request, error) {
	if value == "" {
		return "", errors.New("no request string specified")
	}
	return withSlash(value), nil
}

func withSlash(request string) secret.Request {
	if strings.HasPrefix(request, "/") {
		return secret.Request(request)
	}
	return secret.Request("/" + request)
}

// readReceiveBytes is receivebytes = N: the number of bytes of an answer to read.
func readReceiveBytes(at *location, value string) (int64, error) {
	n, err := exactNumber(at, value, 1)
	return int64(n), err
}

// validPattern warns of an invalid pattern. The original loads such a file, so it
// is no mistake; the checks with the pattern fail.
func (p *parser) validPattern(line int, name, pattern string) {
	if err := p.opts.ValidPattern(pattern); err != nil {
		p.warn(line, CodeInvalidPattern, name+" can never match: "+err.Error())
	}
}

// readSecret reads the file in a directive's value: an absolute path, or a name
// without a slash, which is a credential of systemd.
func (at *location) readSecret(directive, name string) (secret.Text, error) {
	if name == "" || strings.Contains(name, "/") && !strings.HasPrefix(name, "/") {
		return "", errors.New(directive + " must be the whole path of a file, or the name of a credential of systemd")
	}
	text, warning, err := at.opts.ReadSecret(name)
	if err != nil {
		return "", because(CodeFileUnreadable, err, directive+" cannot be read: "+name)
	}
	if warning != "" {
		at.warn(at.line, CodeReadableByOthers, directive+": "+warning)
	}
	return secret.Text(text), nil
}

// setLoad is load = "TEXT", which has never had an effect.
func setLoad(_ *location, value string) error {
	if word(value, "") == "" {
		return errors.New("invalid string for load testing")
	}
	return nil
}
