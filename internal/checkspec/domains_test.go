package checkspec

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/ldirectord/ldirectord/checker"
)

func TestDomains(t *testing.T) {
	for _, tt := range []struct {
		name, text, want string
	}{
		{"nothing", "nameserver 192.0.2.1\n", ""},
		{"a domain", "domain example.com\nnameserver 192.0.2.1\n", "example.com"},
		{"a list", "search a.example b.example.\n", "a.example b.example"},
		{"the list counts before the domain", "search a.example\ndomain b.example\n", "a.example"},
		{"comments", "search a.example # b.example\n;search c.example\n", "a.example"},
		{"the root", "search .\n", ""},
	} {
		if got := domainsIn(tt.text); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestDNSDomains is about what a DNS check gets of resolv.conf.
func TestDNSDomains(t *testing.T) {
	defer func(old string) { resolverFile = old }(resolverFile)
	resolverFile = filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(resolverFile, []byte("search a.example\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	kits := kitsOf(t, "virtual=10.0.0.1:53\n\treal=10.1.0.1:53 gate\n\tprotocol=udp\n\tservice=dns\n\trequest=\"www\"\n\treceive=\"10.\"\n")
	ask, _ := Maker{}.Checkers(kits[0], netip.MustParseAddrPort("10.1.0.1:53"), nil)
	if d, ok := ask.(checker.DNS); !ok || d.Domains != "a.example" {
		t.Errorf("the check is %#v, want the domain a.example", ask)
	}
}
