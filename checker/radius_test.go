package checker

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"net"
	"strings"
	"testing"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"

	"github.com/ldirectord/ldirectord/internal/secret"
)

// radiusServer answers one Access-Request by answer. It is a library's server, so
// that independent code decodes the password.
func radiusServer(t *testing.T, secret string, answer func(*radius.Packet) *radius.Packet) func(net.Conn) {
	return func(conn net.Conn) {
		buf := make([]byte, 4096)
		n, err := conn.Read(buf)
		if err != nil {
			return
		}
		request, err := radius.Parse(buf[:n], []byte(secret))
		if err != nil {
			t.Errorf("the request cannot be read: %v", err)
			return
		}
		encoded, err := answer(request).Encode()
		if err != nil {
			t.Errorf("encoding the answer: %v", err)
		}
		conn.Write(encoded)
	}
}

func TestRadius(t *testing.T) {
	accounts := map[string]string{
		"user": "pw", "long": strings.Repeat("password", 16), "exact": "0123456789abcdef", "open": "",
	}
	server := func(request *radius.Packet) *radius.Packet {
		name := rfc2865.UserName_GetString(request)
		if want, known := accounts[name]; known && rfc2865.UserPassword_GetString(request) == want {
			return request.Response(radius.CodeAccessAccept)
		}
		if name == "token" {
			return request.Response(radius.CodeAccessChallenge)
		}
		reject := request.Response(radius.CodeAccessReject)
		rfc2865.ReplyMessage_SetString(reject, "go away")
		return reject
	}
	for _, tt := range []struct{ name, login, passwd, detail, err string }{
		{"accepted", "user", "pw", "Access-Accept", ""},
		{"a password of many blocks", "long", accounts["long"], "Access-Accept", ""},
		{"a password of one block", "exact", accounts["exact"], "Access-Accept", ""},
		{"no password", "open", "", "Access-Accept", ""},
		{"rejected", "user", "bad", "", `answered Access-Reject: "go away"`},
		{"a challenge", "token", "1234", "", "answered Access-Challenge"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			check := Radius{Login: tt.login, Passwd: secret.Text(tt.passwd), Secret: "testing123"}
			detail, err := talk(t, check, radiusServer(t, "testing123", server))
			if detail != tt.detail || errText(err) != tt.err {
				t.Errorf("%q, %q, want %q, %q", detail, errText(err), tt.detail, tt.err)
			}
		})
	}
}

func TestRadiusOtherSecret(t *testing.T) {
	accept := func(request *radius.Packet) *radius.Packet { return request.Response(radius.CodeAccessAccept) }
	_, err := talk(t, Radius{Login: "user", Secret: "testing123"}, radiusServer(t, "other", accept))
	if got, want := errText(err), "answer Access-Accept is not signed with our secret"; got != want {
		t.Errorf("verdict %q, want %q", got, want)
	}
}

// signed is an answer to d as a server with the same secret signs it.
func signed(d *radiusDialogue, code byte, attributes ...byte) []byte {
	p := append([]byte{code, d.id, 0, 0}, d.authenticator[:]...)
	p = append(p, attributes...)
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	return resigned(d, p)
}

// resigned puts the Response Authenticator into p, which holds that of the
// request.
func resigned(d *radiusDialogue, p []byte) []byte {
	sum := md5.Sum(append(bytes.Clone(p), d.Secret...))
	copy(p[4:], sum[:])
	return p
}

func TestRadiusAnswers(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer func(*radiusDialogue) []byte
		err    string
	}{
		{"signed twice", func(d *radiusDialogue) []byte {
			zeros := append([]byte{radiusMessageAuthenticator, 18}, make([]byte, 16)...)
			p := signed(d, radiusAccessAccept, zeros...)
			unsigned := append([]byte(nil), p...)
			copy(unsigned[4:], d.authenticator[:])
			copy(unsigned[radiusHeader+2:], d.sum(unsigned))
			return resigned(d, unsigned)
		}, ""},
		{"signed twice, once wrong", func(d *radiusDialogue) []byte {
			zeros := append([]byte{radiusMessageAuthenticator, 18}, make([]byte, 16)...)
			return signed(d, radiusAccessAccept, zeros...)
		}, "answer Access-Accept has a wrong Message-Authenticator"},
		{"signed, but the signature is short", func(d *radiusDialogue) []byte {
			return signed(d, radiusAccessAccept, radiusMessageAuthenticator, 3, 0)
		}, "answer Access-Accept has a wrong Message-Authenticator"},
		{"attributes that do not fit", func(d *radiusDialogue) []byte {
			return signed(d, radiusAccessAccept, radiusReplyMessage, 9, 'n', 'o')
		}, "answer Access-Accept has broken attributes"},
		{"an attribute without length", func(d *radiusDialogue) []byte {
			return signed(d, radiusAccessAccept, radiusReplyMessage)
		}, "answer Access-Accept has broken attributes"},
		{"padding behind", func(d *radiusDialogue) []byte {
			return append(signed(d, radiusAccessAccept), 0, 0, 0)
		}, ""},
		{"an unusual code", func(d *radiusDialogue) []byte { return signed(d, 42) }, "answered code 42"},
		{"not signed", func(d *radiusDialogue) []byte {
			return append([]byte{radiusAccessAccept, d.id, 0, 20}, make([]byte, 16)...)
		}, "answer Access-Accept is not signed with our secret"},
		{"too short", func(*radiusDialogue) []byte { return []byte("hello") }, `not a RADIUS answer: "hello"`},
		{"the end is missing", func(d *radiusDialogue) []byte {
			return append([]byte{radiusAccessAccept, d.id, 0, 99}, make([]byte, 16)...)
		}, "not a RADIUS answer: its length is 99 in a datagram of 20 bytes"},
		{"shorter than can be", func(d *radiusDialogue) []byte {
			return append([]byte{radiusAccessAccept, d.id, 0, 3}, make([]byte, 16)...)
		}, "not a RADIUS answer: its length is 3 in a datagram of 20 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := Radius{Login: "u", Passwd: "pw", Secret: "s"}.Dialogue().(*radiusDialogue)
			d.Next(nil, false)
			// The answer to an earlier check comes first.
			late := signed(d, radiusAccessReject)
			late[1]++
			if step := d.Next(late, false); step.Done {
				t.Errorf("the answer to another request ends the check: %+v", step)
			}
			step := d.Next(tt.answer(d), false)
			if got := errText(step.Err); !step.Done || got != tt.err {
				t.Errorf("done %t, verdict %q, want %q", step.Done, got, tt.err)
			}
		})
	}
}

func TestRadiusRequest(t *testing.T) {
	d := Radius{Login: "u", Passwd: "pw", Secret: "s"}.Dialogue().(*radiusDialogue)
	request := d.Next(nil, false).Send
	at, err := radiusAttribute(request, radiusMessageAuthenticator)
	if err != nil || at != radiusHeader {
		t.Fatalf("Message-Authenticator at %d, %v, want first, at %d", at, err, radiusHeader)
	}
	given := string(request[at+2 : at+18])
	clear(request[at+2 : at+18])
	if got := string(d.sum(request)); got != given {
		t.Errorf("Message-Authenticator %x, want %x", given, got)
	}
	for name, check := range map[string]Radius{
		"login of 254 bytes, more than 253":  {Login: strings.Repeat("u", 254)},
		"passwd of 129 bytes, more than 128": {Passwd: secret.Text(strings.Repeat("p", 129))},
	} {
		step := check.Dialogue().Next(nil, false)
		if got := errText(step.Err); got != name || step.Send != nil {
			t.Errorf("verdict %q, want %q", got, name)
		}
	}
}

func TestRadiusTarget(t *testing.T) {
	check := Radius{Login: "u", Passwd: "pw", Secret: "s"}
	if got, want := check.String(), "radius invalid AddrPort as u"; got != want {
		t.Errorf("String = %q, want %q", got, want)
	}
	if got := check.Target(); got.Network != "udp" || got.Resend != radiusResend {
		t.Errorf("Target = %+v, want udp with resends", got)
	}
}

func FuzzRadius(f *testing.F) {
	f.Add([]byte{radiusReplyMessage, 4, 'n', 'o'})
	f.Add([]byte{radiusMessageAuthenticator, 3, 0})
	f.Add([]byte{1, 0})
	f.Add([]byte{1})
	f.Fuzz(func(_ *testing.T, data []byte) {
		d := Radius{Secret: "s"}.Dialogue().(*radiusDialogue)
		d.Next(nil, false)
		d.Next(data, false)
		// Signed, so that the check reads the attributes behind the signature too.
		d.Next(signed(d, radiusAccessAccept, data[:min(len(data), 4000)]...), false)
	})
}
