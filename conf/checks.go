package conf

import (
	"errors"
	"math"
	"strings"

	"github.com/ldirectord/ldirectord/internal/secret"
)

var checkTypes = map[string]CheckType{
	"negotiate": CheckNegotiate, "connect": CheckConnect, "ping": CheckPing,
	"external": CheckExternal, "external-perl": CheckExternalPerl,
	"on": CheckOn, "off": CheckOff, "agent": CheckAgent,
}

// setCheckType is checktype = WORD or N. Anything with a digit in it is a
// number, even connect2.
func setCheckType(at *place, value string) error {
	v := at.block.v
	if _, run, _ := digits(value); run != "" {
		if !isNumber(bareNumber(value)) {
			at.advise(at.line, "checktype "+bareNumber(value)+" is read as the number "+run, "one negotiate, then "+run+" connects")
		}
		v.CheckType, v.Combined = CheckCombined, int(number(run, math.MaxInt32))
		return nil
	}
	t, ok := checkTypes[word(value, "-")]
	if !ok {
		return errors.New(`checktype must be "connect", "negotiate", "on", "off", "ping", "external", "external-perl" or a positive number`)
	}
	v.CheckType, v.Combined = t, 0
	return nil
}

// setCheckCommand is checkcommand = PROGRAM: for external and external-perl.
// What follows it in the line belongs to its name.
func setCheckCommand(at *place, value string) error {
	command := unquoted(value)
	if command == "" {
		return errors.New("invalid check command")
	}
	if strings.ContainsAny(command, blanks) {
		at.advise(at.line, "checkcommand is the path of a program, with its blanks: "+secret.Command(command).String(),
			"it gets four arguments of its own; write a script for more")
	}
	at.block.v.CheckCommand = secret.Command(command)
	return nil
}

// setCheckPort is checkport = PORT: where to ask, if not at the real server's
// port.
func setCheckPort(at *place, value string) error {
	_, run, _ := digits(value)
	n := number(run, math.MaxUint32)
	switch {
	case run == "":
		return errors.New("invalid port")
	case n < 1 || n > math.MaxUint16:
		return errors.New("checkport must be in range 1..65536")
	}
	at.block.v.CheckPort = uint16(n)
	return nil
}

// setRequest is request = "TEXT": what is asked for. It gets a leading slash.
func setRequest(at *place, value string) error {
	if value == "" {
		return errors.New("no request string specified")
	}
	at.block.v.Request = withSlash(value)
	return nil
}

func withSlash(request string) secret.Request {
	if strings.HasPrefix(request, "/") {
		return secret.Request(request)
	}
	return secret.Request("/" + request)
}

// setReceive is receive = "PATTERN": what the answer has to match.
func setReceive(at *place, value string) error {
	if value == "" {
		return errors.New("invalid receive string")
	}
	at.validPattern(at.line, "receive", value)
	at.block.v.Receive = value
	return nil
}

// setReceiveNot is receivenot = "PATTERN": what the answer must not match.
func setReceiveNot(at *place, value string) error {
	if value == "" {
		return errors.New("invalid receivenot string")
	}
	at.validPattern(at.line, "receivenot", value)
	at.settings.receiveNot.set(value)
	return nil
}

// setReceiveBytes is receivebytes = N: how much of an answer is read.
func setReceiveBytes(at *place, value string) error {
	n, err := exactNumber("receivebytes", value, 1)
	at.settings.receiveBytes.set(int64(n))
	return err
}

// validPattern warns of a pattern that cannot work. The original loads such a
// file, so it is no mistake; the checks that need the pattern fail.
func (p *parser) validPattern(line int, name, pattern string) {
	if err := p.opts.ValidPattern(pattern); err != nil {
		p.warn(line, name+" can never match: "+err.Error())
	}
}

// setLogin is login = "TEXT".
func setLogin(at *place, value string) error {
	if value == "" {
		return errors.New("invalid login string")
	}
	at.block.v.Login = value
	return nil
}

// setPasswd is passwd = "TEXT".
func setPasswd(at *place, value string) error {
	if value == "" {
		return errors.New("invalid password")
	}
	at.block.v.Passwd, at.block.v.PasswdFile = secret.Text(value), ""
	return nil
}

// setPasswdFile is passwdfile = PATH or CREDENTIAL: the file that holds passwd.
func setPasswdFile(at *place, value string) (err error) {
	at.block.v.PasswdFile = bareText(value)
	at.block.v.Passwd, err = at.readSecret("passwdfile", at.block.v.PasswdFile)
	return err
}

// setSecretFile is secretfile = PATH or CREDENTIAL: the file that holds secret.
func setSecretFile(at *place, value string) (err error) {
	at.block.v.SecretFile = bareText(value)
	at.block.v.Secret, err = at.readSecret("secretfile", at.block.v.SecretFile)
	return err
}

// readSecret reads the file that a directive names: an absolute path, or a name
// without a slash, which is a credential of systemd.
func (at *place) readSecret(directive, name string) (secret.Text, error) {
	if name == "" || strings.Contains(name, "/") && !strings.HasPrefix(name, "/") {
		return "", errors.New(directive + " must be the whole path of a file, or the name of a credential of systemd")
	}
	text, warning, err := at.opts.ReadSecret(name)
	if err != nil {
		return "", because(err, directive+" cannot be read: "+name)
	}
	if warning != "" {
		at.warn(at.line, directive+": "+warning)
	}
	return secret.Text(text), nil
}

// setDatabase is database = "TEXT".
func setDatabase(at *place, value string) error {
	if value == "" {
		return errors.New("invalid database")
	}
	at.block.v.Database = value
	return nil
}

// setSecret is secret = "TEXT": what a RADIUS client shares with the server.
func setSecret(at *place, value string) error {
	if value == "" {
		return errors.New("invalid secret")
	}
	at.block.v.Secret, at.block.v.SecretFile = secret.Text(value), ""
	return nil
}

// setLoad is load = "TEXT", which never did anything.
func setLoad(_ *place, value string) error {
	if word(value, "") == "" {
		return errors.New("invalid string for load testing")
	}
	return nil
}

// setHalfOpen is halfopen = yes|no: a connect check ends before the server's
// process sees it.
func setHalfOpen(at *place, value string) error {
	yes, err := yesNo("halfopen", value)
	at.settings.halfOpen.set(yes)
	return err
}
