package checker

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"net/url"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/ldirectord/ldirectord/internal/safetext"
)

// A GRPC check is up when the standard health service (grpc.health.v1) of the real
// server reports SERVING.
type GRPC struct {
	Addr    netip.AddrPort
	Service string      // the service in the request, "" is the server as a whole
	Host    string      // the :authority, "" is Addr
	TLS     *tls.Config // nil is HTTP/2 without TLS
}

// String implements Checker.
func (g GRPC) String() string {
	return fmt.Sprintf("grpc health of %q at %s", g.Service, g.Addr)
}

// Target implements Talker.
func (g GRPC) Target() Target {
	target := Target{Network: "tcp", Addr: g.Addr}
	if g.TLS != nil {
		target.TLS = g.TLS.Clone()
		target.TLS.NextProtos = []string{"h2"}
	}
	return target
}

// Dialogue implements Talker.
func (g GRPC) Dialogue() Dialogue { return &grpcDialogue{grpc: g} }

// request is the call of the method Check.
func (g GRPC) request() []byte {
	scheme, host := "http", g.Host
	if g.TLS != nil {
		scheme = "https"
	}
	if host == "" {
		host = g.Addr.String()
	}
	return http2Request([][2]string{
		{":method", "POST"},
		{":scheme", scheme},
		{":path", "/grpc.health.v1.Health/Check"},
		{":authority", host},
		{"content-type", "application/grpc"},
		{"te", "trailers"},
		{"user-agent", userAgent},
	}, grpcMessage(healthRequest(g.Service)))
}

// The fields of grpc.health.v1: HealthCheckRequest has a service, and
// HealthCheckResponse a status.
const (
	serviceField protowire.Number = 1
	statusField  protowire.Number = 1
)

// healthRequest encodes a HealthCheckRequest.
func healthRequest(service string) []byte {
	if service == "" {
		return nil
	}
	return protowire.AppendString(protowire.AppendTag(nil, serviceField, protowire.BytesType), service)
}

// grpcPrefix is the length of the prefix of each message: a flag for compression
// and the message's length.
const grpcPrefix = 5

// grpcMessage puts the prefix in front of message.
func grpcMessage(message []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message))), message...)
}

// maxHealth is more than an answer of the health service can be.
const maxHealth = 4 << 10

type grpcDialogue struct {
	grpc   GRPC
	answer *http2Answer // nil before the request
}

// Next implements Dialogue.
func (d *grpcDialogue) Next(in []byte, eof bool) Step {
	if d.answer == nil {
		d.answer = newHTTP2Answer(maxHealth)
		return Step{Send: d.grpc.request()}
	}
	step, err := d.answer.read(in, eof)
	if err != nil {
		return Step{Done: true, Err: err}
	}
	if !d.answer.over {
		return step
	}
	health, err := readHealth(d.answer)
	return Step{Done: true, Detail: health, Err: err}
}

// readHealth returns the health in a complete answer.
func readHealth(a *http2Answer) (health string, err error) {
	if head := a.head(); head.status != 200 {
		return "", errors.New(head.line)
	}
	switch code, ok := a.fields["grpc-status"]; {
	case !ok:
		return "", fmt.Errorf("no grpc status in the answer: %s", safetext.Excerpt(a.body))
	case code != "0":
		message := a.fields["grpc-message"]
		if plain, err := url.PathUnescape(message); err == nil {
			message = plain
		}
		return "", fmt.Errorf("grpc status %s: %s", grpcCode(code), safetext.Excerpt(message))
	}
	if len(a.body) < grpcPrefix || a.body[0] != 0 || int(binary.BigEndian.Uint32(a.body[1:])) != len(a.body)-grpcPrefix {
		return "", fmt.Errorf("no grpc message: %s", safetext.Excerpt(a.body))
	}
	status, ok := readServing(a.body[grpcPrefix:])
	if !ok {
		return "", fmt.Errorf("no answer of the health service: %s", safetext.Excerpt(a.body[grpcPrefix:]))
	}
	switch status {
	case 1:
		return "SERVING", nil
	case 2:
		return "NOT_SERVING", errors.New("NOT_SERVING")
	case 3:
		return "SERVICE_UNKNOWN", errors.New("SERVICE_UNKNOWN")
	}
	return "UNKNOWN", errors.New("UNKNOWN")
}

// readServing decodes a HealthCheckResponse. A missing status is 0, unknown fields
// are skipped.
func readServing(message []byte) (status uint64, ok bool) {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return 0, false
		}
		message = message[n:]
		if number == statusField && kind == protowire.VarintType {
			status, n = protowire.ConsumeVarint(message)
		} else {
			n = protowire.ConsumeFieldValue(number, kind, message)
		}
		if n < 0 {
			return 0, false
		}
		message = message[n:]
	}
	return status, true
}

// grpcCodes are the statuses of a server in trouble or without the health service.
var grpcCodes = map[string]string{
	"2": "UNKNOWN", "5": "NOT_FOUND", "7": "PERMISSION_DENIED", "8": "RESOURCE_EXHAUSTED",
	"12": "UNIMPLEMENTED", "13": "INTERNAL", "14": "UNAVAILABLE", "16": "UNAUTHENTICATED",
}

// grpcCode is a status with its name.
func grpcCode(code string) string {
	if name := grpcCodes[code]; name != "" {
		return name
	}
	return safetext.Excerpt(code)
}
