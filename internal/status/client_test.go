package status

import (
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/lab"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/status/client"
)

// The commands and the daemon understand each other over a real socket.
func TestClient(t *testing.T) {
	h := newHouse(t, plainConfig)
	c := client.New(h.path("s"))
	defer c.Close()
	ctx := t.Context()

	h.breaks("10.1.0.2:80", "no geheim for you")
	if n, err := c.Recheck(ctx, "10.1.0.2", ""); n.Checks != 1 || err != nil {
		t.Errorf("recheck: %v, %v, want 1", n, err)
	}
	h.await(t, func(s *report.Snapshot) bool { return s.Virtuals[0].In == 1 })

	reasons, err := c.Why(ctx, "10.1.0.2:80", "")
	if err != nil || len(reasons) != 1 || len(reasons[0].Answers) < 2 {
		t.Fatalf("why: %+v, %v", reasons, err)
	}
	last := reasons[0].Answers[0]
	if last.Up || last.Text != "no *** for you" || last.Sent != "GET / ***" || last.Received != "no\r\n" {
		t.Errorf("the last answer: %+v", last)
	}
	notes, err := c.History(ctx, report.HistoryQuery{Real: "10.1.0.2:80", Verdicts: true})
	if err != nil || len(notes) != 3 || notes[0].Kind != "daemon started" || notes[1].Kind != "started" || notes[2].Kind != "gone" || notes[2].After <= 0 {
		t.Fatalf("history: %+v, %v, want daemon started, started and gone", notes, err)
	}
	since, err := c.History(ctx, report.HistoryQuery{Real: "10.1.0.2:80", Verdicts: true, After: notes[0].Seq, Limit: 1})
	if err != nil || !slices.Equal(since, notes[1:2]) {
		t.Errorf("history since the first note: %+v, %v, want %+v", since, err, notes[1:2])
	}
	if since, err = c.History(ctx, report.HistoryQuery{After: notes[2].Seq, Verdicts: true}); err != nil || len(since) != 0 {
		t.Errorf("history since the last note: %+v, %v", since, err)
	}
	answer, err := c.Order(ctx, report.Order{Verb: report.Weight, Real: "10.1.0.1:80", Weight: 7, For: time.Hour, Comment: "try"})
	if err != nil || len(answer.Obeyed) != 1 || answer.Obeyed[0].Weight != 7 || answer.Warning != "" {
		t.Errorf("order: %+v, %v", answer, err)
	}
	snap, err := c.Snapshot(ctx, "10.0.0.1:80", "10.1.0.1")
	if err != nil || len(snap.Virtuals) != 1 || len(snap.Virtuals[0].Reals) != 1 || snap.Virtuals[0].Reals[0].Weight != 7 {
		t.Errorf("snapshot right after the order: %+v, %v", snap, err)
	}
	plan, err := c.Plan(ctx)
	if diff := cmp.Diff(planned, plan); diff != "" || err != nil {
		t.Errorf("plan: %v (-want +got):\n%s", err, diff)
	}
	testRefusals(t, c)
}

func testRefusals(t *testing.T, c *client.Client) {
	ctx := t.Context()
	_, unknownReal := c.Why(ctx, "10.1.0.9", "")
	_, unknownVirtual := c.Snapshot(ctx, "10.0.0.9:80", "")
	_, noVerb := c.Order(ctx, report.Order{Verb: "stop", Real: "10.1.0.1"})
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"unknown real server": {unknownReal, "real server 10.1.0.9: not in the configuration"},
		"unknown virtual":     {unknownVirtual, "virtual service 10.0.0.9:80: not in the configuration"},
		"unknown order":       {noVerb, `there is no order "stop": drain, disable, enable, weight, withdraw and announce are`},
	} {
		if tt.err == nil || tt.err.Error() != tt.want {
			t.Errorf("%s: error %v, want %s", name, tt.err, tt.want)
		}
	}
}

func TestConnections(t *testing.T) {
	h := newHouse(t, plainConfig)
	c := client.New(h.path("s"))
	defer c.Close()
	tests := map[string]struct {
		virtual, real string
		persistence   bool
		limit         int
		want          string
	}{
		"all":                    {"", "", false, 0, "the kernel is tired"},
		"real server":            {"", "10.1.0.2", false, 0, "the kernel is tired"},
		"virtual":                {"tcp:10.0.0.1:80", "10.1.0.1:80", false, 0, "the kernel is tired"},
		"other":                  {"udp:10.0.0.1:80", "", false, 0, "the kernel is tired"},
		"persistence":            {"", "", true, 0, "the kernel is tired"},
		"limit":                  {"", "", false, 2, "0 1"},
		"all there are":          {"", "", false, 5, "0 1 2 3 4"},
		"those of a real server": {"", "10.1.0.2", false, 2, "1 3"},
		"those of a virtual":     {"tcp:10.0.0.1:80", "10.1.0.1:80", false, 3, "0 2 4"},
		"those of a name":        {"Shop & <b>Co</b>", "", false, 3, "0 1 2"},
		"those of an address":    {"10.0.0.1", "10.1.0.2", false, 2, "1 3"},
		"those of a mark":        {"8", "", false, 0, "the kernel's list of connections has no firewall marks: ask for the real servers of fwm:8"},
		"those remembered":       {"", "", true, 1, "4"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for conn, err := range c.Connections(t.Context(), tt.virtual, tt.real, tt.persistence, tt.limit) {
				if err != nil {
					got = append(got, err.Error())
					continue
				}
				got = append(got, strings.TrimSuffix(strings.TrimPrefix(conn.Client, "10.9.0."), ":5000"))
			}
			if text := strings.Join(got, " "); text != tt.want {
				t.Errorf("got %q, want %q", text, tt.want)
			}
		})
	}
}

// A socket is for root alone until a group is named; one that is served by
// somebody else is left alone; one that is not is taken over.
func TestSocket(t *testing.T) {
	h := newHouse(t, plainConfig)
	mode := func() os.FileMode {
		t.Helper()
		info, err := os.Stat(h.path("s"))
		if err != nil {
			t.Fatal(err)
		}
		return info.Mode().Perm()
	}
	if mode() != 0o600 {
		t.Errorf("mode %v, want 0600", mode())
	}
	h.Use(&conf.Config{StatusServer: conf.StatusServer{StatusGroup: strconv.Itoa(os.Getgid())}}) // this user may give a file to that one
	if mode() != 0o660 {
		t.Errorf("with a group: mode %v, want 0660", mode())
	}
	if _, err := listen(place{at: h.path("s")}); err == nil || !strings.Contains(err.Error(), "another process listens there") {
		t.Errorf("a second daemon got %v", err)
	}
	h.Close()
	if _, err := os.Stat(h.path("s")); !os.IsNotExist(err) {
		t.Errorf("after the end the socket is there: %v", err)
	}
	if err := os.WriteFile(h.path("s"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := listen(place{at: h.path("s")})
	if err != nil {
		t.Fatalf("where something dead lies: %v", err)
	}
	l.Close()
}

// TestMend has what cannot be opened be opened as soon as it can, and what was removed
// come back.
func TestMend(t *testing.T) {
	h := newHouse(t, plainConfig)
	at := lab.HoldPort(t).String()
	l, err := net.Listen("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	mend := func(when string, want ...string) {
		t.Helper()
		var got []string
		for _, f := range h.Mend() {
			got = append(got, strings.ReplaceAll(f.String(), h.dir, "DIR"))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: what cannot be opened (-want +got):\n%s", when, diff)
		}
	}
	dial := func(network, at string) {
		t.Helper()
		conn, err := net.Dial(network, at)
		if err != nil {
			t.Error(err)
			return
		}
		conn.Close()
	}
	h.Use(&conf.Config{StatusServer: conf.StatusServer{StatusListen: at, StatusGroup: "no such group"}})
	mend("at first",
		"status cannot be asked at "+at+": listen tcp "+at+": bind: address already in use",
		"only the owner can use the socket DIR/s: statusgroup: no such group: there is no such group")
	dial("unix", h.path("s"))
	h.Use(&conf.Config{StatusServer: conf.StatusServer{StatusListen: at}})
	dial("unix", h.path("s"))
	l.Close()
	mend("once the address is free")
	dial("tcp", at)

	if err := os.Remove(h.path("s")); err != nil {
		t.Fatal(err)
	}
	mend("after the socket was removed")
	dial("unix", h.path("s"))

	if err := os.Remove(h.path("s")); err != nil {
		t.Fatal(err)
	}
	other, err := net.Listen("unix", h.path("s"))
	if err != nil {
		t.Fatal(err)
	}
	mend("while another process has it", "status cannot be asked at DIR/s: another process listens there")
	dial("unix", h.path("s"))
	other.Close()
	mend("once it has not")
	dial("unix", h.path("s"))
}
