package conf

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHost(t *testing.T) {
	tests := []struct {
		name string
		ipv6 bool
		want string // "" for an error
	}{
		{"10.0.0.1", false, "10.0.0.1"},
		{"web1", false, "10.1.0.1"},
		{"WEB1", false, "10.1.0.1"},
		{"web6-1", true, "fd00:1::1"},
		{"[web6-1]", true, "fd00:1::1"},
		{"web6-1", false, ""},
		{"[FD00:0::1]", true, "fd00::1"},
		{"::1", true, "::1"},
		{"::1", false, ""},
		{"10.0.0.1", true, ""},
		{"::ffff:10.0.0.1", true, "::ffff:10.0.0.1"},
		{"fe80::1%lo", true, ""},
		{"", false, "127.0.0.1"},
		{"", true, "::1"},
		{"10.1", false, "10.0.0.1"},
		{"10.1.2", false, "10.1.0.2"},
		{"80", false, "0.0.0.80"},
		{"4294967295", false, "255.255.255.255"},
		{"4294967296", false, ""},
		{"010.0.0.010", false, "8.0.0.8"},
		{"10.0.0.09", false, ""},
		{"10.0.0.300", false, ""},
		{"10.0.65536", false, ""},
		{"1.2.3.4.5", false, ""},
		{"10..1", false, ""},
		{".", false, ""},
		{"a:b", false, ""},
	}
	for _, test := range tests {
		p := newParser("t.cf", testOptions())
		addr, err := p.host(test.name, test.ipv6)
		got := ""
		if err == nil {
			got = addr.String()
		}
		if got != test.want {
			t.Errorf("host(%q, %v) = %q, %v, want %q", test.name, test.ipv6, got, err, test.want)
		}
	}
}

// An answer of a resolver in the wrong family is refused: the kernel would get
// an invalid address.
func TestHostOfWrongFamily(t *testing.T) {
	o := testOptions()
	o.LookupHost = func(string, bool) (netip.Addr, error) { return netip.MustParseAddr("10.0.0.1"), nil }
	if addr, err := newParser("t.cf", o).host("web6-1", true); err == nil {
		t.Errorf("host = %v, want an error", addr)
	}
}

func TestNamesAreLookedUpOnce(t *testing.T) {
	calls := map[string]int{}
	o := testOptions()
	o.LookupReal = nil
	o.LookupHost = func(name string, ipv6 bool) (netip.Addr, error) {
		calls[fmt.Sprint(name, " ", ipv6)]++
		if ipv6 {
			return netip.IPv6Loopback(), nil
		}
		if name == "web2" {
			return netip.Addr{}, errors.New("no such host")
		}
		return netip.MustParseAddr("10.1.0.1"), nil
	}
	text := "fallback=web1\nvirtual=web1:80\n    real=web1:80 masq\n    real=web1->web1:81 masq\n    real=web2:1 masq\n    real=web2:2 masq\n" +
		"virtual6=web1:80\n    real6=web1:80 masq\n"
	CheckFile("t.cf", []byte(text), o)
	want := map[string]int{"web1 false": 1, "web2 false": 1, "web1 true": 1}
	if diff := cmp.Diff(want, calls); diff != "" {
		t.Errorf("look-ups (-want +got):\n%s", diff)
	}
}

func TestParseServices(t *testing.T) {
	got := parseServices("# comment\nhttp\t\t80/tcp\t\twww www-http # web\nhttp 8080/tcp\ndomain 53/udp\nbad\nbad x/tcp\nbad 65536/tcp\nlast 1/tcp\nrtmp 1/ddp")
	want := portsByName{
		"tcp/http": 80, "tcp/www": 80, "tcp/www-http": 80, "udp/domain": 53, "tcp/last": 1, "ddp/rtmp": 1,
		"/http": 80, "/www": 80, "/www-http": 80, "/domain": 53, "/last": 1, "/rtmp": 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ports (-want +got):\n%s", diff)
	}
}

func TestReason(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"missing", &fs.PathError{Op: "open", Path: "/x", Err: syscall.ENOENT}, "No such file or directory"},
		{"a directory", &fs.PathError{Op: "open", Path: "/x", Err: syscall.EISDIR}, "Is a directory"},
		{"forbidden", &fs.PathError{Op: "open", Path: "/x", Err: syscall.EACCES}, "Permission denied"},
		{"closed", &fs.PathError{Op: "open", Path: "/x", Err: os.ErrClosed}, "file already closed"},
		{"other", errors.New("other"), "other"},
	}
	for _, test := range tests {
		if got := reason(test.err); got != test.want {
			t.Errorf("%s: reason = %q, want %q", test.name, got, test.want)
		}
	}
}

// TestNamesAdvice has what check says of resolve, resolveall and resolvemax that do not do what
// they seem to do.
func TestNamesAdvice(t *testing.T) {
	const numbers, name = "virtual=10.0.0.1:80\n    real=10.1.0.1:80 masq\n", "virtual=10.0.0.1:80\n    real=pool:80 masq\n"
	const still, follow = "without resolve the addresses of pool are those of the start, until a reload", "resolve = 60 looks them up again each minute"
	for text, want := range map[string]string{
		"resolve=60\n" + name + "    resolveall=yes\n":     "",
		"resolve=60\n" + name:                              "",
		name:                                               "",
		numbers:                                            "",
		name + "    resolveall=no\n":                       "",
		name + "    resolveall=yes\n":                      "t.cf:3: " + still,
		"resolveall=yes\n" + name:                          "t.cf:1: " + still,
		"resolveall=yes\nresolve=none\n\n" + name:          "t.cf:1: " + still,
		"resolve=60\n" + numbers:                           "t.cf:1: resolve is not used: no real server is given by its name",
		numbers + "    resolveall=yes\n":                   "t.cf:3: resolveall is not used: no real server is given by its name",
		numbers + "    resolveall=no\n":                    "",
		name + "    resolvemax=3\n":                        "t.cf:3: resolvemax is not used: no real server has resolveall and a name",
		"resolve=5\nresolveall=yes\nresolvemax=3\n" + name: "",
	} {
		_, problems := CheckFile("t.cf", []byte(text), testOptions())
		var got strings.Builder
		for _, p := range problems {
			if p.Warning && p.Code == CodeUnusedDirective {
				fmt.Fprintf(&got, "%s:%d: %s", p.Path, p.Line, p.Text)
			} else {
				t.Errorf("of the file\n%scheck says %s", text, p.Text)
			}
			if p.Text == still && p.Hint != follow {
				t.Errorf("the hint is %q", p.Hint)
			}
		}
		if got.String() != want {
			t.Errorf("of the file\n%scheck says %q, want %q", text, got.String(), want)
		}
	}
}
