package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/safetext"
	"github.com/ldirectord/ldirectord/internal/status/wire"
)

// A Remote is a daemon that is asked at its statuslisten.
type Remote struct {
	Address string      // HOST:PORT
	TLS     *tls.Config // nil is plain text
	Token   string      // "" is none; in plain text it never leaves this host
	Limit   int64       // the greatest length of an answer in bytes
}

// The errors of a Remote that programs tell apart.
var (
	// ErrNoContact is the error of a daemon that cannot be reached, or does not answer in time.
	ErrNoContact = errors.New("no contact")
	// ErrNoAnswer is the error of what is no answer of this program's API.
	ErrNoAnswer = errors.New("no answer of ldirectord")
	// errPlainToken is the error of a token that would leave this host in plain text.
	errPlainToken = errors.New("no token is sent to another host in plain text: statuscert, statuskey and statusca make the directors speak TLS")
)

// NewRemote returns a Client of the daemon at r. It follows no redirect and uses no proxy.
func NewRemote(r Remote) *Client {
	t := &http.Transport{DisableCompression: true, TLSClientConfig: r.TLS, MaxResponseHeaderBytes: answerSize, DialContext: r.dial}
	return &Client{remote: &r, http: &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// base is the URL that requests begin with.
func (c *Client) base() string {
	switch {
	case c.remote == nil:
		return "http://ldirectord"
	case c.remote.TLS == nil:
		return "http://" + c.remote.Address
	}
	return "https://" + c.remote.Address
}

// dial connects, and closes the connection at once over which a token would leave this host in
// plain text.
func (r *Remote) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil || r.TLS != nil || r.Token == "" || staysHere(conn) {
		return conn, err
	}
	conn.Close()
	return nil, errPlainToken
}

// staysHere reports whether both ends of a connection are this host.
func staysHere(conn net.Conn) bool {
	here, ok1 := conn.LocalAddr().(*net.TCPAddr)
	there, ok2 := conn.RemoteAddr().(*net.TCPAddr)
	return ok1 && ok2 && (there.IP.IsLoopback() || there.IP.Equal(here.IP))
}

// authorize adds the token to a request.
func (r *Remote) authorize(req *http.Request) {
	if r.Token != "" {
		req.Header.Set("Authorization", "Bearer "+r.Token)
	}
}

// answer is the body of an answer, or the reason in one line why there is none.
func (r *Remote) answer(resp *http.Response, err error) (io.ReadCloser, error) {
	if err != nil {
		return nil, r.explain(err)
	}
	isJSON := strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json")
	if resp.StatusCode == http.StatusOK && isJSON {
		return bounded{resp.Body, &io.LimitedReader{R: resp.Body, N: r.Limit + 1}}, nil
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, answerSize)) // as far as it comes
	var f wire.Failure
	if isJSON && json.Unmarshal(text, &f) == nil && f.Error != "" {
		return nil, refused(resp.StatusCode, clean(f.Error))
	}
	return nil, noAnswer(resp, string(text))
}

// refused is the error of an answer in the form of the API.
func refused(status int, text string) error {
	switch {
	case status == http.StatusNotFound && strings.HasPrefix(text, "there is nothing at this path"), status == http.StatusMethodNotAllowed:
		return &refusal{"it is another version of ldirectord, which does not have this request", ErrNoAnswer}
	case status == http.StatusNotFound:
		return &refusal{text, report.ErrNotConfigured}
	case status == http.StatusUnauthorized:
		return &refusal{text + ": each director has to have the same statustoken and statusreadtoken", fs.ErrPermission}
	case status == http.StatusForbidden, status == http.StatusTooManyRequests:
		return &refusal{text, fs.ErrPermission}
	}
	return errors.New(text)
}

// noAnswer is the error of an answer in another form.
func noAnswer(resp *http.Response, text string) error {
	what := "it answers " + clean(resp.Status) + ", which is no answer of ldirectord"
	switch to := resp.Header.Get("Location"); {
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		what = fmt.Sprintf("it answers with a redirect to %s, which is not followed", clean(to))
	case resp.StatusCode == http.StatusBadRequest && strings.Contains(text, "HTTP request to an HTTPS server"):
		what = "it speaks TLS, and is asked in plain text: statuscert or statusca is missing here"
	case resp.StatusCode == http.StatusOK:
		kind, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
		what = fmt.Sprintf("it answers with %q and not with JSON: no ldirectord listens there", clean(kind))
	}
	return &refusal{what, ErrNoAnswer}
}

// explain words the error of a request that was not answered.
func (r *Remote) explain(err error) error {
	var unknown *net.DNSError
	var certificate *tls.CertificateVerificationError
	var plain tls.RecordHeaderError
	var what string
	switch {
	case errors.Is(err, errPlainToken):
		return &refusal{errPlainToken.Error(), fs.ErrPermission}
	case errors.Is(err, context.DeadlineExceeded):
		what = "no contact: it does not answer in time"
	case errors.Is(err, syscall.ECONNREFUSED):
		what = "no contact: connection refused"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		what = "no contact: no route to it"
	case errors.As(err, &unknown):
		what = "no contact: the name " + clean(unknown.Name) + " cannot be looked up: " + clean(unknown.Err)
	case errors.As(err, &certificate):
		return &refusal{"its certificate is not accepted: " + clean(certificate.Err.Error()) + cureOf(certificate.Err), fs.ErrPermission}
	case errors.As(err, &plain), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return &refusal{"it does not speak TLS: statuscert is missing there, or another program listens", ErrNoAnswer}
	default:
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err
		}
		what = "no contact: " + clean(err.Error())
	}
	return &refusal{what, ErrNoContact}
}

// cureOf is what helps against a certificate that is not accepted.
func cureOf(err error) string {
	var unknown x509.UnknownAuthorityError
	if errors.As(err, &unknown) {
		return ": statusca has to name its authority"
	}
	return ""
}

// unreadable is the error of an answer that began well.
func (r *Remote) unreadable(err error) error {
	switch {
	case errors.Is(err, errTooLong):
		return &refusal{fmt.Sprintf("its answer is longer than %d MiB and was not read to its end", r.Limit>>20), ErrNoAnswer}
	case errors.Is(err, context.DeadlineExceeded):
		return &refusal{"no contact: its answer did not end in time", ErrNoContact}
	}
	return &refusal{"its answer cannot be understood, perhaps it is another version of ldirectord: " + clean(err.Error()), ErrNoAnswer}
}

// longestWords bounds what a director's answer adds to a line.
const longestWords = 300

// clean makes text from another director safe and short.
func clean(text string) string {
	if len(text) > longestWords {
		text = strings.ToValidUTF8(text[:longestWords], "") + "…"
	}
	return safetext.Line(text)
}

var errTooLong = errors.New("too long")

// bounded is a body that must end within a limit.
type bounded struct {
	io.Closer
	r *io.LimitedReader
}

// Read implements io.Reader.
func (b bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.r.N <= 0 {
		return 0, errTooLong
	}
	return n, err
}
