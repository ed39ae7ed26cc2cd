package status

import (
	"os"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/conf"

	"github.com/ldirectord/ldirectord/internal/status/client"
)

// TestTheSocketStays gives the control socket groups that cannot have it: the owner
// can use it all the same, and no change of the group replaces it.
func TestTheSocketStays(t *testing.T) {
	h := newHouse(t, plainConfig)
	inode := func() uint64 {
		t.Helper()
		var stat unix.Stat_t
		if err := unix.Stat(h.path("s"), &stat); err != nil {
			t.Fatal(err)
		}
		return stat.Ino
	}
	first := inode()
	own := strconv.Itoa(unix.Getgid())
	for _, group := range []string{"no such group", own, "nor this one", "4294967295", "4294967296", ""} {
		h.Use(&conf.Config{StatusServer: conf.StatusServer{StatusGroup: group}})
		c := client.New(h.path("s"))
		if _, err := c.Snapshot(t.Context(), "", ""); err != nil {
			t.Errorf("with statusgroup %q: %v", group, err)
		}
		c.Close()
		if inode() != first {
			t.Errorf("with statusgroup %q the socket is another one", group)
		}
		want := os.FileMode(0o600)
		if group == own {
			want = 0o660
		}
		if info, err := os.Stat(h.path("s")); err != nil || info.Mode().Perm() != want {
			t.Errorf("with statusgroup %q the socket has the mode %v, want %v; %v", group, info.Mode(), want, err)
		}
	}
	fresh := newHouse(t, plainConfig)
	fresh.Use(&conf.Config{StatusServer: conf.StatusServer{StatusGroup: "no such group"}})
	if _, err := client.New(fresh.path("s")).Snapshot(t.Context(), "", ""); err != nil {
		t.Errorf("started with an unknown statusgroup: %v", err)
	}
}
