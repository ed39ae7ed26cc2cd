package daemon

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func TestOrders(t *testing.T) {
	tests := []struct {
		sig   os.Signal
		order order
		name  string
	}{
		{unix.SIGHUP, reloadOrder, "HUP"},
		{unix.SIGUSR1, reopenOrder, "USR1"},
		{unix.SIGPIPE, ignore, "PIPE"},
		{unix.SIGTERM, stopOrder, "TERM"},
		{LeaveSignal, leaveOrder, "RTMIN+5"},
		{unix.SIGINT, stopOrder, "INT"},
		{unix.SIGQUIT, stopOrder, "QUIT"},
		{unix.SIGABRT, stopOrder, "ABRT"},
	}
	for _, test := range tests {
		if got := orderOf(test.sig); got != test.order {
			t.Errorf("%v asks for %d, want %d", test.sig, got, test.order)
		}
		if got := signalName(test.sig); got != test.name {
			t.Errorf("%v is called %q, want %q", test.sig, got, test.name)
		}
	}
}

func TestReports(t *testing.T) {
	tests := map[string]struct {
		text   string
		status int
		stderr string
	}{
		"ready":        {startReport(nil), ExitOK, ""},
		"a mistake":    {startReport(&Exit{Status: 2, Text: "Error [1]: a\nb"}), 2, "Error [1]: a\nb"},
		"no exit":      {startReport(os.ErrPermission), 1, "permission denied"},
		"died":         {"", 1, "the daemon ended while it was starting: see the log"},
		"died halfway": {"x", 1, "the daemon ended while it was starting: see the log"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := understandReport(test.text)
			if test.status == ExitOK {
				if err != nil {
					t.Errorf("error is %v", err)
				}
				return
			}
			if why, ok := err.(*Exit); ok && why.Status != test.status || !ok && test.status != ExitFailed {
				t.Errorf("error is %#v, want status %d", err, test.status)
			}
			if err.Error() != test.stderr {
				t.Errorf("error is %q, want %q", err, test.stderr)
			}
		})
	}
	if got := processName("/x/build/ldirectord"); got != "/x/build/ldirectord" {
		t.Errorf("the process is called %q", got)
	}
	if got := processName("/x/ld"); got != "ldirectord" {
		t.Errorf("the process of another program name is called %q", got)
	}
}
