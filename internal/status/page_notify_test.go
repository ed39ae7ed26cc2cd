package status

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/status/words"
)

// TestPageSaysWhoMails has the page tell for which addresses this director mails, as no fault.
func TestPageSaysWhoMails(t *testing.T) {
	s := &report.Snapshot{Time: time.Now(), Ready: true}
	if page := summaryPart(s, words.Judge(s)).html; strings.Contains(page, "Mails and hooks") {
		t.Errorf("with notify = always: %s", page)
	}
	s.Notify = []report.NotifyState{{Address: netip.MustParseAddr("10.0.0.1"), Since: s.Time}}
	health := words.Judge(s)
	if page := summaryPart(s, health).html; !strings.Contains(page, "<dt>Mails and hooks</dt><dd>standby: mails and hooks for 10.0.0.1 are left to the director") {
		t.Errorf("on a standby: %s", page)
	}
	if health.Level != words.Fine {
		t.Errorf("a standby is %s, want fine", health.Level)
	}
}
