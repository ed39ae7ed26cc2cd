package status

import (
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
	for _, group := range []string{"no such group", strconv.Itoa(unix.Getgid()), "nor this one", "4294967295", ""} {
		h.Use(&conf.Config{StatusServer: conf.StatusServer{StatusGroup: group}})
		c := client.New(h.path("s"))
		if _, err := c.Snapshot(t.Context(), "", ""); err != nil {
			t.Errorf("with statusgroup %q: %v", group, err)
		}
		c.Close()
		if inode() != first {
			t.Errorf("with statusgroup %q the socket is another one", group)
		}
	}
	fresh := newHouse(t, plainConfig)
	fresh.Use(&conf.Config{StatusServer: conf.StatusServer{StatusGroup: "no such group"}})
	if _, err := client.New(fresh.path("s")).Snapshot(t.Context(), "", ""); err != nil {
		t.Errorf("started with an unknown statusgroup: %v", err)
	}
}
