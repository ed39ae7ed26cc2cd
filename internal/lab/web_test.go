package lab

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestFaults sees what a client meets when a real server fails in one of the
// ways that the lab offers, and that it is well again afterwards.
func TestFaults(t *testing.T) {
	if !Inside(t) {
		return
	}
	n := New(t, DR, 1)
	web := n.Web("rs1")
	tests := []struct {
		name string
		on   func()
		off  func()
		want func(page string, err error) bool
	}{
		{
			name: "stopped",
			on:   web.Stop,
			off:  func() { n.check("starting", web.Start()) },
			want: func(_ string, err error) bool { return errors.Is(err, syscall.ECONNREFUSED) },
		},
		{
			name: "status 500",
			on:   func() { web.Answer(http.StatusInternalServerError, "rs1") },
			off:  func() { web.Answer(http.StatusOK, "rs1") },
			want: func(_ string, err error) bool { return err != nil && strings.HasPrefix(err.Error(), "500 ") },
		},
		{
			name: "wrong text",
			on:   func() { web.Answer(http.StatusOK, "welcome") },
			off:  func() { web.Answer(http.StatusOK, "rs1") },
			want: func(page string, err error) bool { return page == "welcome" && err == nil },
		},
		{
			name: "silent",
			on:   web.Silence,
			off:  func() { web.Answer(http.StatusOK, "rs1") },
			want: func(_ string, err error) bool { return errors.Is(err, context.DeadlineExceeded) },
		},
		{
			name: "unplugged",
			on:   func() { n.Unplug("rs1") },
			off:  func() { n.Plug("rs1") },
			want: func(_ string, err error) bool { return errors.Is(err, context.DeadlineExceeded) },
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.on()
			if page, err := quick(t, n); !tt.want(page, err) {
				t.Errorf("with the fault: page %q, error %v", page, err)
			}
			tt.off()
			if page, err := n.Get("http://" + RealServer(1) + "/"); page != "rs1" || err != nil {
				t.Errorf("without it: page %q, error %v", page, err)
			}
		})
	}
}

// quick gets the page of rs1 or gives up after 300 ms.
func quick(t *testing.T, n *Net) (string, error) {
	t.Helper()
	client := n.HTTP("client")
	client.Timeout = 300 * time.Millisecond
	return fetch(client, "http://"+RealServer(1)+"/")
}

func TestIn(t *testing.T) {
	if !Inside(t) {
		return
	}
	n := New(t, NAT, 1)
	if err := n.In("nowhere", func() error { return nil }); err == nil || !strings.Contains(err.Error(), "[client director rs1 switch]") {
		t.Errorf("unknown namespace: %v", err)
	}
	if got := n.Output("rs1", "ip", "route", "get", Client); !strings.Contains(got, "via "+Back) {
		t.Errorf("rs1's route to the client: %s", got)
	}
	n.Ipvsadm("-A -f 1 -s wrr")
	if got, want := n.Table(), "-A -f 1 -s wrr\n"; got != want {
		t.Errorf("the director's table is %q, want %q", got, want)
	}
	if got := n.Output("rs1", "ipvsadm", "-Sn"); got != "" {
		t.Errorf("the real server's table is %q, want none", got)
	}
}
