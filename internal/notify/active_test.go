package notify

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// TestNotifyActive mails and passes events to hooks only while the address is here: also a reminder of
// what happened while it was not. An Alertmanager gets everything.
func TestNotifyActive(t *testing.T) {
	tests := []struct {
		name   string
		active bool
		format conf.WebhookFormat
		mails  []string
		hooks  int // items collected for the webhook on the standby
		log    string
	}{
		{"always", false, conf.WebhookJSON, []string{"0s " + deletedMail, "20s ops@example.com: Inaccessible real server: 10.1.0.1:80 (10.0.0.1:80)"}, 1, ""},
		{
			"active", true, conf.WebhookJSON,
			[]string{"20s ops@example.com: Inaccessible real server: 10.1.0.1:80 (10.0.0.1:80)"},
			0,
			"Mails and hooks of tcp:10.0.0.1:80 are left to the director that has its address (notify = active); " +
				"Mails and hooks of tcp:10.0.0.1:80 are sent from here: its address is on this host (notify = active)",
		},
		{
			"an Alertmanager", true, conf.WebhookAlertmanager,
			[]string{"20s ops@example.com: Inaccessible real server: 10.1.0.1:80 (10.0.0.1:80)"},
			1,
			"Mails and hooks of tcp:10.0.0.1:80 are left to the director that has its address (notify = active); " +
				"Mails and hooks of tcp:10.0.0.1:80 are sent from here: its address is on this host (notify = active)",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := &conf.Config{Notify: conf.Notify{NotifyActive: tt.active, Webhook: secret.URL("http://127.0.0.1:1/"), WebhookFormat: tt.format, EmailAlertGroup: 0}}
				s := set(t, cfg, func(v *conf.VirtualService) { v.EmailAlertFreq = 20 * time.Second })
				var here atomic.Bool
				s.standby.here = func(*conf.VirtualService) bool { return here.Load() }
				s.event(event.RealDeleted)
				s.event(event.Gone)
				s.hooks.web.mu.Lock()
				if got := s.hooks.web.next.len(); got != tt.hooks {
					t.Errorf("%d items for the webhook, want %d", got, tt.hooks)
				}
				s.hooks.web.timer, s.hooks.web.next = nil, delivery{} // nothing is sent
				s.hooks.web.mu.Unlock()
				here.Store(true)
				time.Sleep(25 * time.Second)
				s.wantMails(t, tt.mails...)
				s.mu.Lock()
				var log []string
				for _, line := range s.log {
					if strings.HasPrefix(line, "Mails and hooks") {
						log = append(log, line)
					}
				}
				s.mu.Unlock()
				if diff := cmp.Diff(tt.log, strings.Join(log, "; ")); diff != "" {
					t.Errorf("log (-want +got):\n%s", diff)
				}
				s.Close(time.Time{})
			})
		})
	}
}
