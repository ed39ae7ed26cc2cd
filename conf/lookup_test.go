package conf

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/dns/dnsmessage"
)

// A zone is the content of a DNS server: what it has of a type and a name.
type zone map[string][]dnsmessage.ResourceBody

// serve answers on loopback until the end of the test, and returns a resolver that asks
// there alone. Of "silent." it answers nothing, of "broken." an error.
func (z zone) serve(t *testing.T) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		for {
			buffer := make([]byte, 1500)
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			if reply := z.reply(buffer[:n]); reply != nil {
				_, _ = conn.WriteTo(reply, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, StrictErrors: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func (z zone) reply(query []byte) []byte {
	var m dnsmessage.Message
	if m.Unpack(query) != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	name := strings.ToLower(q.Name.String())
	if name == "silent." {
		return nil
	}
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
	bodies := z[strings.TrimPrefix(q.Type.String(), "Type")+" "+name]
	known := len(bodies) > 0
	for key := range z {
		_, of, _ := strings.Cut(key, " ")
		known = known || of == name
	}
	switch {
	case name == "broken.":
		m.RCode = dnsmessage.RCodeServerFailure
	case !known:
		m.RCode = dnsmessage.RCodeNameError
	}
	for _, body := range bodies {
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 1}, Body: body})
	}
	reply, err := m.Pack()
	if err != nil {
		return nil
	}
	return reply
}

func a(addr string) dnsmessage.ResourceBody {
	return &dnsmessage.AResource{A: netip.MustParseAddr(addr).As4()}
}

func aaaa(addr string) dnsmessage.ResourceBody {
	return &dnsmessage.AAAAResource{AAAA: netip.MustParseAddr(addr).As16()}
}

func srv(priority, weight, port uint16, target string) dnsmessage.ResourceBody {
	return &dnsmessage.SRVResource{Priority: priority, Weight: weight, Port: port, Target: dnsmessage.MustNewName(target)}
}

func TestLookup(t *testing.T) {
	r := zone{
		"A web.test.":              {a("10.1.0.2"), a("10.1.0.1")},
		"AAAA web.test.":           {aaaa("fd00::2")},
		"A one.test.":              {a("10.1.0.7")},
		"AAAA six.test.":           {aaaa("fd00::6")},
		"SRV _http._tcp.test.":     {srv(10, 5, 8080, "web.test."), srv(10, 0, 8081, "one.test."), srv(20, 9, 8082, "six.test.")},
		"SRV _gone._tcp.test.":     {srv(0, 1, 80, "nosuch.test."), srv(0, 2, 81, "one.test.")},
		"SRV _nowhere._tcp.test.":  {srv(0, 1, 80, "nosuch.test.")},
		"SRV _none._tcp.test.":     {srv(0, 0, 0, ".")},
		"SRV _failing._tcp.test.":  {srv(0, 1, 80, "one.test."), srv(0, 1, 80, "broken.")},
		"SRV _repeated._tcp.test.": {srv(0, 1, 80, "one.test."), srv(0, 1, 80, "one.test.")},
	}.serve(t)
	four := func(addr string) Found { return Found{Addr: netip.MustParseAddr(addr)} }
	record := func(addr string, port uint16, weight int) Found {
		return Found{netip.MustParseAddr(addr), port, weight}
	}
	tests := []struct {
		name string
		ipv6 bool
		want []Found
		err  string // "" is none
	}{
		{"web.test.", false, []Found{four("10.1.0.1"), four("10.1.0.2")}, ""},
		{"web.test.", true, []Found{four("fd00::2")}, ""},
		{"one.test.", true, nil, "no such host"},
		{"nosuch.test.", false, nil, "no such host"},
		{"broken.", false, nil, "server misbehaving"},
		{"silent.", false, nil, "i/o timeout"},
		{"localhost", false, []Found{four("127.0.0.1")}, ""},
		{"_http._tcp.test.", false, []Found{record("10.1.0.1", 8080, 5), record("10.1.0.2", 8080, 5), record("10.1.0.7", 8081, 1)}, ""},
		{"_http._tcp.test.", true, []Found{record("fd00::2", 8080, 5)}, ""},
		{"_gone._tcp.test.", false, []Found{record("10.1.0.7", 81, 2)}, ""},
		{"_nowhere._tcp.test.", false, nil, "no target of _nowhere._tcp.test. has an address"},
		{"_none._tcp.test.", false, nil, "no target of _none._tcp.test. has an address"},
		{"_failing._tcp.test.", false, nil, "server misbehaving"},
		{"_repeated._tcp.test.", false, []Found{record("10.1.0.7", 80, 1)}, ""},
		{"_nosuch._tcp.test.", false, nil, "no such host"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if tt.name != "silent." { // which alone has to end by its time
				ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
			}
			defer cancel()
			got, err := Lookup(ctx, r, tt.name, tt.ipv6)
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Fatalf("error %v, want %q", err, tt.err)
			}
			if diff := cmp.Diff(tt.want, Sorted(got), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" && err == nil {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound != (tt.err == "no such host") {
				t.Errorf("%v is that there is no such name: %t", err, dns.IsNotFound)
			}
		})
	}
}

// TestReaddressed takes over the real servers of another reading, and nothing else.
func TestReaddressed(t *testing.T) {
	read := func(text string) *Config {
		c, err := Parse("t.cf", []byte(text), Options{Hostname: "director"})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	const text = "checkinterval=5\nvirtual=10.0.0.1:80\n    real=10.1.0.1:80 masq\n    service=http\nvirtual=10.0.0.2:80\n    real=10.1.0.2:80 masq\n    service=http\n"
	c := read(text)
	if same, err := c.Readdressed(read(text)); err != nil || same != c {
		t.Errorf("the same addresses: another configuration, %v", err)
	}
	next, err := c.Readdressed(read(strings.NewReplacer("checkinterval=5", "checkinterval=7", "10.1.0.2", "10.1.0.9").Replace(text)))
	if err != nil {
		t.Fatal(err)
	}
	if next == c || next.Virtuals[0] != c.Virtuals[0] || next.Virtuals[1] == c.Virtuals[1] || c.Virtuals[1].Reals[0].Addr.String() != "10.1.0.2" {
		t.Error("not the second virtual service alone is another one")
	}
	if got := next.Virtuals[1]; got.Reals[0].Addr.String() != "10.1.0.9" || got.CheckInterval != 5*time.Second {
		t.Errorf("the second virtual service has %v and checkinterval %v", got.Reals[0], got.CheckInterval)
	}
	if elsewhere, err := Parse("/etc/ha.d/t.cf", []byte(text), Options{Hostname: "director"}); err != nil {
		t.Fatal(err)
	} else if same, err := c.Readdressed(elsewhere); err != nil || same != c {
		t.Errorf("the same file by its whole path: another configuration, %v", err)
	}
	for _, other := range []string{"checkinterval=5\n", "\n" + text} {
		if _, err := c.Readdressed(read(other)); err == nil {
			t.Errorf("no error for another file:\n%s", other)
		}
	}
}
