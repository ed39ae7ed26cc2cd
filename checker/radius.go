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

// radiusResend is how long an Access-Request may be without an answer until it
// is sent again. The server tells a repetition by its id and authenticator.
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
	// crypto/rand never fails (since Go 1.24 the program would end).
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
	asked         bool
}

// Next implements Dialogue.
func (d *radiusDialogue) Next(in []byte, _ bool) Step {
	if d.asked {
		return d.answer(in)
	}
	d.asked = true
	request, err := d.request()
	if err != nil {
		return Step{Done: true, Err: err}
	}
	return Step{Send: request}
}

// request is the Access-Request. Its Message-Authenticator stands first, as
// servers that were mended after CVE-2024-3596 want it.
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

// sum is the Message-Authenticator of packet, in which it stands as zeros.
func (d *radiusDialogue) sum(packet []byte) []byte {
	mac := hmac.New(md5.New, []byte(d.Secret.Reveal()))
	mac.Write(packet)
	return mac.Sum(nil)
}

// answer is given one datagram.
func (d *radiusDialogue) answer(in []byte) Step {
	if len(in) < radiusHeader {
		return down("not a RADIUS answer: %s", safetext.Excerpt(in))
	}
	length := int(binary.BigEndian.Uint16(in[2:]))
	if length < radiusHeader || length > len(in) {
		return down("not a RADIUS answer: it says it has %d bytes of %d", length, len(in))
	}
	in = in[:length] // what is behind is padding
	if in[1] != d.id {
		return Step{} // the answer to an earlier check, come late
	}
	if err := d.verify(in); err != nil {
		return Step{Done: true, Err: err}
	}
	return radiusVerdict(in)
}

// verify checks that in was signed by somebody who knows the secret.
func (d *radiusDialogue) verify(in []byte) error {
	signed := bytes.Clone(in)
	copy(signed[4:], d.authenticator[:])
	sum := md5.Sum(append(bytes.Clone(signed), d.Secret.Reveal()...))
	if !hmac.Equal(sum[:], in[4:radiusHeader]) {
		return fmt.Errorf("answer %s is not signed with our secret", radiusCode(in[0]))
	}
	at, err := radiusAttribute(in, radiusMessageAuthenticator)
	if err != nil || at == 0 {
		return err // a server without it is an old one
	}
	given := bytes.Clone(in[at+2 : at+int(in[at+1])])
	clear(signed[at+2 : at+2+len(given)])
	if !hmac.Equal(d.sum(signed), given) {
		return fmt.Errorf("answer %s has a wrong Message-Authenticator", radiusCode(in[0]))
	}
	return nil
}

// radiusAttribute returns where the first such attribute begins, 0 if there is
// none. The error is that the attributes do not fit into the packet.
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
