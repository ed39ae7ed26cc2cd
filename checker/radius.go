package checker

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"github.com/ldirectord/ldirectord/internal/safetext"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// radiusResend is the time after which an unanswered Access-Request is sent again.
// The server recognizes a repetition by its id and authenticator.
const radiusResend = time.Second

// A Radius check is up when the server accepts Login with Passwd. The answer
// must be signed with Secret.
type Radius struct {
	Addr   netip.AddrPort
	Login  string
	Passwd secret.Text
	Secret secret.Text
}

// String implements Checker.
func (r Radius) String() string { return "radius " + r.Addr.String() + asLogin(r.Login) }

// Target implements Talker.
func (r Radius) Target() Target {
	return Target{Network: "udp", Addr: r.Addr, Resend: radiusResend}
}

// Dialogue implements Talker.
func (r Radius) Dialogue() Dialogue {
	d := &radiusDialogue{Radius: r}
	// crypto/rand never fails (since Go 1.24 it ends the program instead).
	rand.Read(d.authenticator[:])
	var id [1]byte
	rand.Read(id[:])
	d.id = id[0]
	return d
}

// The packets and attributes of RFC 2865, 2869 and 3579 that a check needs.
const (
	radiusAccessRequest   = 1
	radiusAccessAccept    = 2
	radiusAccessReject    = 3
	radiusAccessChallenge = 11

	radiusUserName             = 1
	radiusUserPassword         = 2
	radiusReplyMessage         = 18
	radiusNASIdentifier        = 32
	radiusMessageAuthenticator = 80

	radiusHeader = 20 // code, id, length, authenticator
)

type radiusDialogue struct {
	Radius
	id            byte
	authenticator [16]byte
	sent          bool
}

// Next implements Dialogue.
func (d *radiusDialogue) Next(in []byte, _ bool) Step {
	if d.sent {
		return d.answer(in)
	}
	d.sent = true
	request, err := d.request()
	if err != nil {
		return Step{Done: true, Err: err}
	}
	return Step{Send: request}
}

// request is the Access-Request. Its Message-Authenticator comes first: servers
// with the fix for CVE-2024-3596 expect it there.
func (d *radiusDialogue) request() ([]byte, error) {
	if len(d.Login) > 253 {
		return nil, fmt.Errorf("login of %d bytes, more than 253", len(d.Login))
	}
	if len(d.Passwd) > 128 {
		return nil, fmt.Errorf("passwd of %d bytes, more than 128", len(d.Passwd))
	}
	p := append([]byte{radiusAccessRequest, d.id, 0, 0}, d.authenticator[:]...)
	p = appendRadius(p, radiusMessageAuthenticator, make([]byte, md5.Size))
	p = appendRadius(p, radiusUserName, []byte(d.Login))
	p = appendRadius(p, radiusUserPassword, d.hiddenPasswd())
	p = appendRadius(p, radiusNASIdentifier, []byte("ldirectord"))
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	copy(p[radiusHeader+2:], d.sum(p))
	return p, nil
}

func appendRadius(p []byte, attribute byte, value []byte) []byte {
	if len(value) == 0 {
		return p // an attribute has at least one byte
	}
	return append(append(p, attribute, byte(2+len(value))), value...)
}

// hiddenPasswd is Passwd as a User-Password (RFC 2865, section 5.2).
func (d *radiusDialogue) hiddenPasswd() []byte {
	blocks := max(1, (len(d.Passwd)+15)/16)
	hidden := make([]byte, 16*blocks)
	copy(hidden, d.Passwd.Reveal())
	last := d.authenticator[:]
	for i := 0; i < len(hidden); i += 16 {
		pad := md5.Sum(append([]byte(d.Secret.Reveal()), last...))
		for j := range pad {
			hidden[i+j] ^= pad[j]
		}
		last = hidden[i : i+16]
	}
	return hidden
}

// sum is the Message-Authenticator of packet, in which its field is zero.
func (d *radiusDialogue) sum(packet []byte) []byte {
	mac := hmac.New(md5.New, []byte(d.Secret.Reveal()))
	mac.Write(packet)
	return mac.Sum(nil)
}

// answer processes one datagram.
func (d *radiusDialogue) answer(in []byte) Step {
	if len(in) < radiusHeader {
		return down("not a RADIUS answer: %s", safetext.Excerpt(in))
	}
	length := int(binary.BigEndian.Uint16(in[2:]))
	if length < radiusHeader || length > len(in) {
		return down("not a RADIUS answer: its length is %d in a datagram of %d bytes", length, len(in))
	}
	in = in[:length] // the rest is padding
	if in[1] != d.id {
		return Step{} // a late answer to an earlier check
	}
	if err := d.verify(in); err != nil {
		return Step{Done: true, Err: err}
	}
	return radiusVerdict(in)
}

// verify checks that the sender of in knows the secret.
func (d *radiusDialogue) verify(in []byte) error {
	signed := bytes.Clone(in)
	copy(signed[4:], d.authenticator[:])
	sum := md5.Sum(append(bytes.Clone(signed), d.Secret.Reveal()...))
	if !hmac.Equal(sum[:], in[4:radiusHeader]) {
		return fmt.Errorf("answer %s is not signed with our secret", radiusCode(in[0]))
	}
	at, err := radiusAttribute(in, radiusMessageAuthenticator)
	if err != nil || at == 0 {
		return err // an old server sends no Message-Authenticator
	}
	given := bytes.Clone(in[at+2 : at+int(in[at+1])])
	clear(signed[at+2 : at+2+len(given)])
	if !hmac.Equal(d.sum(signed), given) {
		return fmt.Errorf("answer %s has a wrong Message-Authenticator", radiusCode(in[0]))
	}
	return nil
}

// radiusAttribute returns the offset of the first such attribute, 0 if there is
// none. The error means that the attributes exceed the packet.
func radiusAttribute(in []byte, attribute byte) (at int, err error) {
	for at := radiusHeader; at < len(in); {
		if at+2 > len(in) || in[at+1] < 2 || at+int(in[at+1]) > len(in) {
			return 0, fmt.Errorf("answer %s has broken attributes", radiusCode(in[0]))
		}
		if in[at] == attribute {
			return at, nil
		}
		at += int(in[at+1])
	}
	return 0, nil
}

// radiusVerdict is the verdict on a verified answer.
func radiusVerdict(in []byte) Step {
	text := radiusCode(in[0])
	if at, err := radiusAttribute(in, radiusReplyMessage); err == nil && at > 0 {
		text += ": " + safetext.Excerpt(in[at+2:at+int(in[at+1])])
	}
	if in[0] == radiusAccessAccept {
		return up(text, "")
	}
	return down("answered %s", text)
}

func radiusCode(code byte) string {
	switch code {
	case radiusAccessAccept:
		return "Access-Accept"
	case radiusAccessReject:
		return "Access-Reject"
	case radiusAccessChallenge:
		return "Access-Challenge"
	}
	return fmt.Sprintf("code %d", code)
}
