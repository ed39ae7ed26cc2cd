package conf

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/internal/secret"
)

// readVIPCommand is vipcommand = COMMAND: the shell runs it with up or down and addresses.
func readVIPCommand(_ *location, value string) (secret.Command, error) {
	line := unquoted(trimRight(value))
	if line == "" {
		return "", errors.New("vipcommand must be a command for the shell")
	}
	return secret.Command(line), nil
}

// readVIPDevice is vipdevice = DEVICE.
func readVIPDevice(_ *location, value string) (string, error) {
	name := bareText(value)
	switch {
	case name == "none":
		return "", nil
	case !isDevice(name) || strings.Contains(name, "%"): // the kernel makes lvs0, lvs1 and so on of lvs%d, one at each try
		return "", errors.New("vipdevice must be the name of a dummy device such as lvs0, which is made if it is missing, or none")
	case name == "lo":
		return "", errors.New("vipdevice must not be lo, whose addresses are announced by no routing daemon: use a dummy device such as lvs0")
	}
	return name, nil
}

// longestWithdraw is the longest withdrawdelay: a stop has to end within 12 s.
const longestWithdraw = 4 * time.Second

// withdrawDelay is a duration that a stop has room for.
var withdrawDelay = kind[time.Duration]{
	value: duration.value, show: duration.show,
	read: func(at *location, value string) (time.Duration, error) {
		d, err := exactDuration(at.name, value)
		if err == nil && d > longestWithdraw {
			err = errors.New("withdrawdelay must be at most 4s: a stop has to end within 12 s, or a cluster manager fences the host")
		}
		return d, err
	},
}

// usualWithdraw is withdrawdelay where vipcommand or vipdevice withdraws the addresses. Without
// them the end of the table waits for none, as with the original, if the file does not say so.
const usualWithdraw = 2 * time.Second

// delayWithdrawal sets withdrawdelay if the file does not have it.
func (p *parser) delayWithdrawal() {
	c := p.config
	if _, given := p.lines["withdrawdelay"]; !given && (c.VIPCommand != "" || c.VIPDevice != "") {
		c.WithdrawDelay = usualWithdraw
	}
}

// adviseNotify warns of notify = active where it has no effect, or leaves events to none.
func adviseNotify(p *parser) {
	c := p.config
	if !c.NotifyActive {
		return
	}
	mails := slices.ContainsFunc(c.Virtuals, func(v *VirtualService) bool { return v.EmailAlert != "" })
	switch {
	case c.VIPDevice != "":
		p.adviseAt("notify", CodeUnusedDirective, "notify = active is silent with vipdevice while no director serves the address: none has it then",
			"notify = always: all directors of a fleet are active, and an Alertmanager makes one message of theirs")
	case !mails && c.NotifyCommand == "" && (c.Webhook == "" || c.WebhookFormat == WebhookAlertmanager):
		p.adviseAt("notify", CodeUnusedDirective, "notify is not used: there is no emailalert, notifycommand or webhook that it is for", "")
	}
}
