package ping

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// payloadLen is the original's length of a request's data.
const payloadLen = 64

// An icmpFamily has the differences between ICMP and ICMPv6.
type icmpFamily struct {
	name      string
	protocol  int
	request   icmp.Type
	reply     icmp.Type
	headerLen int // of an IP header without options
	dstOffset int // of the destination in it
	addrLen   int
}

var (
	family4 = icmpFamily{
		name: "IPv4", protocol: 1,
		request: ipv4.ICMPTypeEcho, reply: ipv4.ICMPTypeEchoReply,
		headerLen: ipv4.HeaderLen, dstOffset: 16, addrLen: 4,
	}
	family6 = icmpFamily{
		name: "IPv6", protocol: 58,
		request: ipv6.ICMPTypeEchoRequest, reply: ipv6.ICMPTypeEchoReply,
		headerLen: ipv6.HeaderLen, dstOffset: 24, addrLen: 16,
	}
)

// marshal encodes the request e with id. The kernel adds the checksum of ICMPv6.
func (f icmpFamily) marshal(e *echo, id uint16) ([]byte, error) {
	data := make([]byte, payloadLen)
	copy(data, e.cookie[:])
	m := icmp.Message{Type: f.request, Body: &icmp.Echo{ID: int(id), Seq: int(e.seq), Data: data}}
	return m.Marshal(nil)
}

// A reply is an ICMP message about one of our requests.
type reply struct {
	about       netip.Addr // destination of the request
	id, seq     uint16
	payload     []byte // of the request, at least a cookie
	unreachable bool   // the destination is unreachable
}

// parse reads an ICMP message of the sender from, without its IP header. It is
// false for a message that cannot answer a request of ours.
func (f icmpFamily) parse(from netip.Addr, message []byte) (reply, bool) {
	m, err := icmp.ParseMessage(f.protocol, message)
	if err != nil {
		return reply{}, false
	}
	switch body := m.Body.(type) {
	case *icmp.Echo:
		r := reply{about: from, id: uint16(body.ID), seq: uint16(body.Seq), payload: body.Data}
		return r, m.Type == f.reply && len(r.payload) >= cookieLen
	case *icmp.DstUnreach:
		return f.parseUnreachable(body.Data)
	}
	return reply{}, false
}

// parseUnreachable reads the datagram quoted in a "destination unreachable": a
// request with its IP header.
func (f icmpFamily) parseUnreachable(quoted []byte) (reply, bool) {
	const echoHeader = 8
	if len(quoted) < f.headerLen {
		return reply{}, false
	}
	headerLen, protocol := f.headerLen, int(quoted[6]) // IPv6: the next header
	if f.addrLen == 4 {
		headerLen, protocol = int(quoted[0]&0x0f)*4, int(quoted[9])
	}
	if protocol != f.protocol || headerLen < f.headerLen || len(quoted) < headerLen+echoHeader+cookieLen {
		return reply{}, false
	}
	about, _ := netip.AddrFromSlice(quoted[f.dstOffset : f.dstOffset+f.addrLen])
	request := quoted[headerLen:]
	return reply{
		about:       about,
		id:          binary.BigEndian.Uint16(request[4:]),
		seq:         binary.BigEndian.Uint16(request[6:]),
		payload:     request[echoHeader:],
		unreachable: true,
	}, true
}
