package maintenance

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/conf"
)

// FuzzFileNames has a maintenance directory and a resolver hold any names: each file
// takes a real server out of service or is reported, and each real server out of service
// is out by one of its own names.
func FuzzFileNames(f *testing.F) {
	f.Add("10.1.0.1\n10.1.0.2:80", "web2.example.com")
	f.Add("web2\n.swp\n\nREADME:80", "web2")
	f.Add("[fd00:1::1]:80\nfd00:1::1", "a.b.c.")
	f.Add(":80\n.\n..\n/", "")
	reals := []*conf.RealServer{
		{Addr: netip.MustParseAddr("10.1.0.1"), Port: 80},
		{Addr: netip.MustParseAddr("10.1.0.2"), Port: 80},
		{Addr: netip.MustParseAddr("fd00:1::1"), Port: 80},
	}
	cfg := &conf.Config{Virtuals: []*conf.VirtualService{{Reals: reals}}}
	f.Fuzz(func(t *testing.T, list, host string) {
		files := slices.Compact(slices.Sorted(slices.Values(strings.Split(list, "\n"))))
		hosts := map[netip.Addr][]string{reals[1].Addr: {host}}
		taken, unmatched := outBy(files, meanings(files, nil, time.Time{}), cfg, hosts)
		out := taken.Out
		for _, r := range reals {
			file, isOut := out[r.AddrPort()]
			own := Names(r, hosts[r.Addr])
			named := slices.ContainsFunc(own, func(name string) bool { return slices.Contains(files, name) })
			if isOut != named || isOut && !slices.Contains(own, file) {
				t.Errorf("%s is out by %q (%v) with files %q and host %q", r, file, isOut, files, host)
			}
		}
		for _, file := range files {
			uses := slices.ContainsFunc(reals, func(r *conf.RealServer) bool { return slices.Contains(Names(r, hosts[r.Addr]), file) })
			if want := !uses && !strings.HasPrefix(file, "."); slices.Contains(unmatched, file) != want {
				t.Errorf("file %q is unmatched: %v, want %v (host %q)", file, !want, want, host)
			}
		}
		_ = names(files, host)
	})
}
