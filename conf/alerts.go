package conf

import (
	"errors"
	"math"
	"regexp"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/internal/secret"
)

// readEmailAlert is emailalert = ADDRESS[, ADDRESS]: the recipients of mails.
func readEmailAlert(_ *location, value string) (string, error) {
	if unquoted(value) == "" {
		return "", errors.New("no email address specified")
	}
	return bareAddresses(value), nil
}

var quotedAddresses = regexp.MustCompile(`^("[^"]*"[\s\v]*(,[\s\v]*|$))+$`)

// bareAddresses strips quotes around whole addresses of a list, and blanks at its
// end. Quotes around a name remain: "Web team" <web@example.com>.
func bareAddresses(list string) string {
	if list = trimRight(list); quotedAddresses.MatchString(list) {
		list = strings.ReplaceAll(list, `"`, "")
	}
	return trimRight(list)
}

// readEmailAlertFreq is emailalertfreq = SECONDS: the time between reminders, 0 is
// none. Unlike in other directives the number has to come first.
func readEmailAlertFreq(at *location, value string) (time.Duration, error) {
	before, run, _ := digits(value)
	if run == "" || before != "" {
		return 0, errors.New("invalid email alert frequency")
	}
	adviseNumber(at, value, run+"s", "a number of seconds")
	every := time.Duration(number(run, math.MaxInt32)) * time.Second
	adviseHuge(at, value, every)
	return every, nil
}

var statusWords = map[string]Status{
	"starting": Starting, "running": Running, "stopping": Stopping, "reloading": Reloading,
	"all": All, "none": 0,
}

var emailAlertStatus = kindOf("STATE[, STATE]|all|none", readEmailAlertStatus).
	hinted("a list of starting, running, stopping, reloading, or all, or none, without a blank at the end")

// readEmailAlertStatus is emailalertstatus = STATE[, STATE]: the daemon's states
// in which mail is sent.
func readEmailAlertStatus(_ *location, value string) (Status, error) {
	var status Status
	none, other := false, ""
	for _, s := range splitComma(value) {
		bits, ok := statusWords[s]
		if !ok {
			return 0, errors.New(`invalid email alert status at: "` + s + `"`)
		}
		if status |= bits; s == "none" {
			none = true
		} else if other == "" {
			other = s
		}
		if none && other != "" {
			return 0, errors.New(`invalid email alert status: "` + other + `" specified with "none"`)
		}
	}
	return status, nil
}

var comma = regexp.MustCompile(`[\s\v]*,[\s\v]*`)

// splitComma cuts a list at its commas. Blanks around a comma and empty elements at
// the end are dropped, other empty elements remain.
func splitComma(list string) []string {
	elements := comma.Split(list, -1)
	for len(elements) > 0 && elements[len(elements)-1] == "" {
		elements = elements[:len(elements)-1]
	}
	return elements
}

var smtpServer = regexp.MustCompile(`^[0-9A-Za-z._+-]+`)

// readSMTP is smtp = HOST: the mail server.
func readSMTP(at *location, value string) (string, error) {
	host := smtpServer.FindString(value)
	if host == "" {
		return "", errors.New("invalid SMTP server address")
	}
	if rest := bareText(value[len(host):]); rest != "" {
		at.advise(at.line, CodeIgnoredText, "smtp: "+rest+" is ignored", "one host name or IPv4 address, without port")
	}
	return host, nil
}

// readMonitorFile is monitorfile = /path: one line for each check's result. Reading
// the directive opens the file.
func readMonitorFile(at *location, value string) (string, error) {
	path := strings.Trim(unquoted(value), blanks)
	if err := at.opts.TryOpen(path); err != nil {
		return "", coded(CodeFileUnreadable, "unable to open monitorfile "+path+": "+reason(err))
	}
	return path, nil
}

// readFallbackCommand is fallbackcommand = COMMAND: the shell runs it when the
// fallback comes in or leaves. Outside blocks quotes belong to the shell.
func readFallbackCommand(at *location, value string) (secret.Command, error) {
	command := value
	if at.block != nil {
		command = unquoted(value)
	}
	if command == "" {
		return "", errors.New("invalid fallback command")
	}
	return secret.Command(command), nil
}

// readQuorumCommand is quorumcommand = COMMAND: the shell runs it when the quorum is met or
// lost.
func readQuorumCommand(at *location, value string) (secret.Command, error) {
	command, err := readFallbackCommand(at, value)
	if err != nil {
		return "", errors.New("quorumcommand must be a command")
	}
	return command, nil
}
