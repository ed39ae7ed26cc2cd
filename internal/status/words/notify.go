package words

import (
	"fmt"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
)

// mostAddresses is how many addresses one line names.
const mostAddresses = 5

// Notify is whether this director mails, with notify = active: one line for all addresses that came
// or went at once.
func Notify(s *report.Snapshot) (lines []string) {
	rest := s.Notify
	for len(rest) > 0 {
		first := rest[0]
		var names []string
		var others []report.NotifyState
		for _, n := range rest {
			if n.Active == first.Active && n.Error == first.Error && n.Since.Equal(first.Since) {
				names = append(names, n.Address.String())
			} else {
				others = append(others, n)
			}
		}
		lines, rest = append(lines, notifyLine(first, names)), others
	}
	return lines
}

// notifyLine is the line for addresses with equal states.
func notifyLine(n report.NotifyState, names []string) string {
	if more := len(names) - mostAddresses; more > 0 {
		names = append(names[:mostAddresses:mostAddresses], fmt.Sprintf("%d more", more))
	}
	list, since := strings.Join(names, ", "), "since "+n.Since.Local().Format(time.DateTime)
	switch {
	case n.Error != "":
		return "active: mails and hooks for " + list + " are sent from here, as it is not known whether the address is on this host: " + n.Error
	case n.Active:
		return "active: mails and hooks for " + list + " are sent from here, where the address is " + since
	}
	return "standby: mails and hooks for " + list + " are left to the director that has the address; it is not on this host " + since
}
