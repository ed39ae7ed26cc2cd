package status

import (
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/lab"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/status/client"
	"github.com/ldirectord/ldirectord/internal/status/wire"
)

const tokenOfReaders = "fedcba9876543210"

func secretFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestRightsOfTokens has every request with each token, and each set of tokens in the file: a
// reader's token gives no right to change anything, and an operator's both.
func TestRightsOfTokens(t *testing.T) {
	h := newHouse(t, plainConfig)
	secretFile(t, h.path("readers"), tokenOfReaders+"\n")
	both := conf.StatusServer{StatusControl: true, StatusToken: h.path("token"), StatusReadToken: h.path("readers")}
	operators := conf.StatusServer{StatusControl: true, StatusToken: h.path("token")}
	readers := conf.StatusServer{StatusReadToken: h.path("readers")}
	for _, tt := range []struct {
		name              string
		cfg               conf.StatusServer
		token             string
		read, plan, order int
	}{
		{"both, without a token", both, "", 401, 401, 401},
		{"both, a wrong token", both, "0000000000000000", 401, 401, 401},
		{"both, a reader", both, tokenOfReaders, 200, 200, 403},
		{"both, an operator", both, token, 200, 200, 200},
		{"statustoken alone, without a token", operators, "", 200, 401, 401},
		{"statustoken alone, a reader's token", operators, tokenOfReaders, 200, 401, 401},
		{"statustoken alone, an operator", operators, token, 200, 200, 200},
		{"statusreadtoken alone, without a token", readers, "", 401, 401, 403},
		{"statusreadtoken alone, a reader", readers, tokenOfReaders, 200, 200, 403},
		{"no tokens", conf.StatusServer{}, "", 200, 403, 403},
	} {
		h.Use(&conf.Config{StatusServer: tt.cfg})
		header := []string{"Authorization", "Bearer " + tt.token}
		if tt.token == "" {
			header = nil
		}
		for _, r := range routes {
			method, path, _ := strings.Cut(r.pattern, " ")
			want, body := tt.read, ""
			switch {
			case path == "/healthz" || path == "/readyz":
				want = http.StatusOK
			case strings.HasPrefix(path, "/api/v1/plan") || path == "/api/v1/doctor":
				want = tt.plan
			case method == http.MethodPost:
				want, body = tt.order, drainOne
			}
			if want == http.StatusOK && (strings.Contains(path, "stream") || strings.Contains(path, "events") || body != "" && path != "/api/v1/orders") {
				continue // without an end, or with another body
			}
			got := h.requestWith(outside, method, strings.TrimSuffix(path, "{$}"), body, header).Code
			refused := got == http.StatusUnauthorized || got == http.StatusForbidden
			if got != want && (want != http.StatusOK || refused) {
				t.Errorf("%s: %s is answered %d, want %d", tt.name, r.pattern, got, want)
			}
			h.tries.right(clientOf("192.0.2.1:1234")) // from which httptest's requests are: none waits
		}
	}
}

// TestEqualTokens takes no orders while readers have the operators' token, also if that comes
// after the start, and logs no token.
func TestEqualTokens(t *testing.T) {
	h := newHouse(t, plainConfig)
	secretFile(t, h.path("readers"), tokenOfReaders)
	h.Use(&conf.Config{StatusServer: conf.StatusServer{StatusControl: true, StatusToken: h.path("token"), StatusReadToken: h.path("readers")}})
	authorised := []string{"Authorization", "Bearer " + token}
	if w := h.requestWith(outside, "POST", "/api/v1/orders", drainOne, authorised); w.Code != http.StatusOK {
		t.Fatalf("with two tokens: %d %s", w.Code, w.Body)
	}
	secretFile(t, h.path("readers"), token)
	w := h.requestWith(outside, "POST", "/api/v1/orders", drainOne, authorised)
	if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "readers have the same token") {
		t.Errorf("with equal tokens: %d %s", w.Code, w.Body)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	logged := strings.Join(h.logged, "\n")
	if !strings.Contains(logged, "have the same token: readers could give orders") || strings.Contains(logged, token) {
		t.Errorf("the log is\n%s", logged)
	}
}

// TestSenderOfAnOrder has who gave an order in the answer, the history and the snapshot.
func TestSenderOfAnOrder(t *testing.T) {
	h := newHouse(t, plainConfig)
	h.Use(&conf.Config{StatusServer: conf.StatusServer{StatusControl: true, StatusToken: h.path("token")}})
	if w := h.requestWith(outside, "POST", "/api/v1/orders", drainOne, []string{"Authorization", "Bearer " + token}); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	const want = "operator with statustoken from 192.0.2.1:1234"
	history := h.get(outside, "/api/v1/history?verdicts=1").Body.String()
	if !strings.Contains(history, `"by":"`+want+`"`) || !strings.Contains(history, "drain by "+want) {
		t.Errorf("history: %s", history)
	}
	snap := h.await(t, func(*report.Snapshot) bool { return true })
	if o := snap.Virtuals[0].Reals[0].Override; o == nil || o.By != want {
		t.Errorf("override: %+v", o)
	}
	c := client.New(h.path("s"))
	defer c.Close()
	if _, err := c.Order(t.Context(), report.Order{Verb: report.Enable, Real: "10.1.0.1:80"}); err != nil {
		t.Fatal(err)
	}
	r, _ := http.NewRequest(http.MethodGet, "/", nil)
	r = r.WithContext(withPeer(t.Context(), &guest{peer: &peer{uid: uint32(os.Geteuid())}}))
	if history = h.get(outside, "/api/v1/history?verdicts=1").Body.String(); !strings.Contains(history, "enable by "+caller(r)) {
		t.Errorf("history: %s, want enable by %s", history, caller(r))
	}
}

// TestReadersSocket gives a group a socket for everything that only reads.
func TestReadersSocket(t *testing.T) {
	h := newHouse(t, plainConfig)
	readers := wire.ReadersSocket(h.path("s"))
	if _, err := os.Stat(readers); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("without statusreadgroup: %v", err)
	}
	h.Use(&conf.Config{StatusServer: conf.StatusServer{StatusReadGroup: strconv.Itoa(os.Getegid())}})
	if info, err := os.Stat(readers); err != nil || info.Mode().Perm() != 0o660 {
		t.Fatalf("the socket of readers: %v, %v", info, err)
	}
	if info, err := os.Stat(h.path("s")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the daemon's own: %v, %v", info, err)
	}
	c := client.New(readers)
	defer c.Close()
	if _, err := c.Snapshot(t.Context(), "", ""); err != nil {
		t.Errorf("show: %v", err)
	}
	if _, err := c.Plan(t.Context()); err != nil {
		t.Errorf("plan: %v", err)
	}
	_, order := c.Order(t.Context(), report.Order{Verb: report.Drain, Real: "10.1.0.1"})
	_, recheck := c.Recheck(t.Context(), "", "")
	for _, err := range []error{order, recheck} {
		if err == nil || !strings.Contains(err.Error(), "orders are for root and the members of statusgroup") || !errors.Is(err, fs.ErrPermission) {
			t.Errorf("a reader's order: %v", err)
		}
	}
	h.Use(&conf.Config{})
	if _, err := os.Stat(readers); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after its directive has gone: %v", err)
	}
}

// TestReaderWithoutStatusgroup connects as another user than root: the kernel refuses the
// daemon's own socket, and the client takes that of readers, if the group is right.
func TestReaderWithoutStatusgroup(t *testing.T) {
	lab.Root(t, "another user")
	const user, group, other = 54321, 54322, 54323
	h := newHouse(t, plainConfig)
	for _, dir := range []string{filepath.Dir(h.dir), h.dir} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	h.Use(&conf.Config{StatusServer: conf.StatusServer{StatusReadGroup: strconv.Itoa(group)}})
	for gid, want := range map[int]string{group: wire.ReadersSocket(h.path("s")), other: ""} {
		var conn net.Conn
		var err error
		as(t, user, gid, func() { conn, err = client.Dial(t.Context(), h.path("s")) })
		if want == "" {
			if !errors.Is(err, fs.ErrPermission) {
				t.Errorf("group %d: %v", gid, err)
			}
			continue
		}
		if err != nil || conn.RemoteAddr().String() != want+".new" { // as it was bound
			t.Errorf("group %d: %v, %v, want %s", gid, conn, err, want)
		} else {
			conn.Close()
		}
	}
}

// as runs f on a thread with the rights of a user and a group alone. The thread ends with it.
func as(t *testing.T, uid, gid int, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked
		_, _, err1 := syscall.RawSyscall(unix.SYS_SETGROUPS, 0, 0, 0)
		_, _, err2 := syscall.RawSyscall(unix.SYS_SETRESGID, uintptr(gid), uintptr(gid), uintptr(gid))
		_, _, err3 := syscall.RawSyscall(unix.SYS_SETRESUID, uintptr(uid), uintptr(uid), uintptr(uid))
		if err1 != 0 || err2 != 0 || err3 != 0 {
			t.Errorf("becoming another user: %v, %v, %v", err1, err2, err3)
			return
		}
		f()
	}()
	<-done
}
