package status

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/internal/report"
)

// TestDryRun sees that every answer of a dry run says that it is one, and that
// it takes no order even where orders may be given.
func TestDryRun(t *testing.T) {
	h := newHouse(t, plainConfig)
	const title, mark, gauge = "<title>DRY RUN: ", `<p id="dry"`, "\nldirectord_dry_run 1\n"
	told := func() string {
		var list []string
		for _, path := range []string{"/", "/metrics", "/healthz", "/api/v1/history"} {
			w := h.get(outside, path)
			if w.Header().Get("Ldirectord-Dry-Run") == "true" {
				list = append(list, path)
			}
			for _, what := range []string{title, mark, gauge, "DRY RUN: alive"} {
				if strings.Contains(w.Body.String(), what) {
					list = append(list, path)
				}
			}
		}
		return strings.Join(list, " ")
	}
	if got := told(); got != "" {
		t.Errorf("of a daemon, these say that it is a dry run: %s", got)
	}
	h.o.Served = func() ([]report.AddressState, error) {
		return []report.AddressState{{Address: netip.MustParseAddr("10.0.0.1"), Served: true}}, nil
	}
	if w := h.get(outside, "/served"); w.Code != http.StatusOK || w.Body.String() != "10.0.0.1 is served\n" {
		t.Errorf("/served of a daemon: %d %s", w.Code, w.Body)
	}
	h.o.DryRun = true
	if w := h.get(outside, "/served/10.0.0.9"); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "virtual address 10.0.0.9: not in the configuration, or all of its virtual services have announce = no") {
		t.Errorf("/served of another address: %d %s", w.Code, w.Body)
	}
	if w := h.get(outside, "/served"); w.Code != http.StatusServiceUnavailable || w.Body.String() != "DRY RUN: 10.0.0.1 is served\n" {
		t.Errorf("/served of a dry run, whose table no client meets: %d %s", w.Code, w.Body)
	}
	if got, want := told(), "/ / / /metrics /metrics /healthz /healthz /api/v1/history"; got != want {
		t.Errorf("of a dry run, these say so: %s; want %s", got, want)
	}
	w := h.requestWith(&door{place: place{own: true}}, http.MethodPost, "/api/v1/orders", `{"verb":"drain","real":"10.1.0.1"}`, nil)
	if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "a dry run takes no orders") {
		t.Errorf("an order is answered with %d %s", w.Code, w.Body)
	}
}
