package ping

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// TestDeliver hands messages to a socket that nothing was really sent over.
func TestDeliver(t *testing.T) {
	const id = 77
	server, router := netip.MustParseAddr("10.1.0.1"), netip.MustParseAddr("10.1.0.254")
	tests := []struct {
		name  string
		from  netip.Addr
		reply func(e *echo) icmp.Message
		want  string // "" is no answer
	}{
		{"the answer", server, func(e *echo) icmp.Message { return echoReply(id, e.seq, e.cookie[:]) }, "up"},
		{"longer", server, func(e *echo) icmp.Message { return echoReply(id, e.seq, append(e.cookie[:], 1, 2, 3)) }, "up"},
		{"from another", router, func(e *echo) icmp.Message { return echoReply(id, e.seq, e.cookie[:]) }, ""},
		{"another's id", server, func(e *echo) icmp.Message { return echoReply(id+1, e.seq, e.cookie[:]) }, ""},
		{"another's number", server, func(e *echo) icmp.Message { return echoReply(id, e.seq+1, e.cookie[:]) }, ""},
		{"guessed", server, func(e *echo) icmp.Message { return echoReply(id, e.seq, make([]byte, 64)) }, ""},
		{"without data", server, func(e *echo) icmp.Message { return echoReply(id, e.seq, nil) }, ""},
		{"a request", server, func(e *echo) icmp.Message {
			m := echoReply(id, e.seq, e.cookie[:])
			m.Type = ipv4.ICMPTypeEcho
			return m
		}, ""},
		{"unreachable", router, func(e *echo) icmp.Message { return quote(t, e, id, 20) }, "unreachable, says 10.1.0.254"},
		{"unreachable, with IP options", router, func(e *echo) icmp.Message { return quote(t, e, id, 24) }, "unreachable, says 10.1.0.254"},
		{"unreachable, guessed", router, func(e *echo) icmp.Message {
			return quote(t, &echo{addr: e.addr, seq: e.seq}, id, 20)
		}, ""},
		{"unreachable, another", router, func(e *echo) icmp.Message {
			return quote(t, &echo{addr: router, seq: e.seq, cookie: e.cookie}, id, 20)
		}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &echoSocket{icmpFamily: family4, raw: true, id: id, waiting: map[uint16]*echo{}}
			e, err := s.expect(server)
			if err != nil {
				t.Fatal(err)
			}
			m := tt.reply(e)
			b, err := m.Marshal(nil)
			if err != nil {
				t.Fatal(err)
			}
			s.deliver(tt.from, b)
			s.deliver(tt.from, b) // twice does no harm
			got := ""
			select {
			case err := <-e.answer:
				got = "up"
				if err != nil {
					got = err.Error()
				}
			default:
			}
			if got != tt.want {
				t.Errorf("answer %q, want %q", got, tt.want)
			}
			s.forget(e)
			if len(s.waiting) != 0 {
				t.Error("it is still waited for")
			}
		})
	}
}

func echoReply(id int, seq uint16, data []byte) icmp.Message {
	return icmp.Message{Type: ipv4.ICMPTypeEchoReply, Body: &icmp.Echo{ID: id, Seq: int(seq), Data: data}}
}

// quote returns a "destination unreachable" about e.
func quote(t *testing.T, e *echo, id uint16, headerLen int) icmp.Message {
	t.Helper()
	request, err := family4.marshal(e, id)
	if err != nil {
		t.Fatal(err)
	}
	header := make([]byte, headerLen)
	header[0] = 4<<4 | byte(headerLen/4)
	header[9] = 1
	copy(header[16:], e.addr.AsSlice())
	return icmp.Message{
		Type: ipv4.ICMPTypeDestinationUnreachable, Code: 1,
		Body: &icmp.DstUnreach{Data: slices.Concat(header, request)},
	}
}

func TestParseIPv6(t *testing.T) {
	server := netip.MustParseAddr("fd00:1::1")
	e := &echo{addr: server, seq: 9, cookie: [cookieLen]byte{1, 2, 3}}
	request, err := family6.marshal(e, 5)
	if err != nil {
		t.Fatal(err)
	}
	header := make([]byte, 40)
	header[0], header[6] = 6<<4, 58
	copy(header[24:], server.AsSlice())
	m := icmp.Message{Type: ipv6.ICMPTypeDestinationUnreachable, Code: 3, Body: &icmp.DstUnreach{Data: slices.Concat(header, request)}}
	b, err := m.Marshal(nil)
	if err != nil {
		t.Fatal(err)
	}
	got, ok := family6.parse(netip.MustParseAddr("fd00:1::fe"), b)
	want := reply{about: server, id: 5, seq: 9, payload: request[8:], unreachable: true}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(reply{}), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); !ok || diff != "" {
		t.Errorf("%v (-want +got):\n%s", ok, diff)
	}
}

func FuzzICMP(f *testing.F) {
	m := echoReply(1, 2, make([]byte, 64))
	b, err := m.Marshal(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte{3, 1, 0, 0, 0, 0, 0, 0, 0x45})
	f.Add([]byte{1, 0, 0, 0, 0, 0, 0, 0, 0x60})
	f.Fuzz(func(_ *testing.T, message []byte) {
		from := netip.MustParseAddr("10.1.0.1")
		for _, family := range []icmpFamily{family4, family6} {
			s := &echoSocket{icmpFamily: family, raw: true, waiting: map[uint16]*echo{}}
			e, _ := s.expect(from)
			s.deliver(from, s.withoutHeader(message))
			s.forget(e)
		}
	})
}
