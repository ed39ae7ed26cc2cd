package status

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/rights"
)

// mayControl tells whether a request may change something; if not, it has been
// answered. At the commands' own socket the permissions of the file decide. An
// order from a browser's page is refused as well: a token is no cookie, but a
// request of another origin is no order.
func (s *Server) mayControl(d *door, w http.ResponseWriter, r *http.Request) bool {
	if s.o.DryRun && r.Method != http.MethodGet {
		fail(w, http.StatusForbidden, errors.New("a dry run takes no orders"))
		return false
	}
	if d.own {
		return true
	}
	if d.reads {
		fail(w, http.StatusForbidden, errors.New("this socket is for readers (statusreadgroup): orders are for root and the members of statusgroup"))
		return false
	}
	cfg := s.config()
	if cfg == nil || !cfg.StatusControl {
		fail(w, http.StatusForbidden, errors.New("only questions are answered here (statuscontrol)"))
		return false
	}
	if s.mustWait(w, r) {
		return false
	}
	token, err := rights.Token(cfg.StatusToken)
	if err != nil {
		fail(w, http.StatusForbidden, errors.New("no orders are taken: the token cannot be read"))
		s.tokens.broken(err)
		return false
	}
	sent, reader := bearer(r), readersToken(cfg)
	if reader != "" && sameToken(reader, token) {
		fail(w, http.StatusForbidden, errors.New("no orders are taken: readers have the same token"))
		s.tokens.broken(fmt.Errorf("%s and %s have the same token: readers could give orders", cfg.StatusReadToken, cfg.StatusToken))
		return false
	}
	s.tokens.works(cfg.StatusToken)
	if reader != "" && sameToken(reader, sent) {
		fail(w, http.StatusForbidden, errors.New("this token is for readers (statusreadtoken): orders need that of statustoken"))
		return false
	}
	if !sameToken(token, sent) {
		s.refuse(w, r, `Bearer realm="ldirectord"`)
		return false
	}
	s.tries.right(clientOfRequest(r))
	return true
}

// mayRead reports whether a request may read; if not, it has answered the request. Without
// statusreadtoken every client may read. Health is open to all clients: it is no secret,
// and monitoring has no tokens.
func (s *Server) mayRead(d *door, w http.ResponseWriter, r *http.Request) bool {
	cfg := s.config()
	if d.own || d.reads || cfg == nil || cfg.StatusReadToken == "" || r.URL.Path == "/healthz" || r.URL.Path == "/readyz" {
		return true
	}
	if s.mustWait(w, r) {
		return false
	}
	token, err := rights.Token(cfg.StatusReadToken)
	if err != nil {
		fail(w, http.StatusForbidden, errors.New("nothing is shown: the token for reading cannot be read"))
		s.tokens.broken(err)
		return false
	}
	s.tokens.works(cfg.StatusReadToken)
	const challenge = `Basic realm="ldirectord", charset="UTF-8"`
	sent := credentials(r)
	if sent == "" && r.Header.Get("Authorization") == "" { // the first request of a browser
		w.Header().Set("WWW-Authenticate", challenge)
		fail(w, http.StatusUnauthorized, errors.New("a token is needed (statusreadtoken)"))
		return false
	}
	if !sameToken(token, sent) && !s.isControlToken(cfg, sent) {
		s.refuse(w, r, challenge)
		return false
	}
	s.tries.right(clientOfRequest(r))
	return true
}

// readersToken is the token of readers, "" if there is none or it cannot be read.
func readersToken(cfg *conf.Config) string {
	if cfg.StatusReadToken == "" {
		return ""
	}
	token, err := rights.Token(cfg.StatusReadToken)
	if err != nil {
		return ""
	}
	return token
}

// readersAreKnown reports whether all who can read at a door are known: then they may read
// what costs more than a snapshot, too.
func (s *Server) readersAreKnown(d *door) bool {
	cfg := s.config()
	return d.reads || cfg != nil && cfg.StatusReadToken != ""
}

// isControlToken reports whether a token is the one for orders, which also permits
// reading.
func (s *Server) isControlToken(cfg *conf.Config, sent string) bool {
	if !cfg.StatusControl {
		return false
	}
	token, err := rights.Token(cfg.StatusToken)
	return err == nil && sameToken(token, sent)
}

// mustWait answers a client that has sent too many wrong tokens. Its connection
// is closed.
func (s *Server) mustWait(w http.ResponseWriter, r *http.Request) bool {
	pause := s.tries.pause(clientOfRequest(r))
	if pause > 0 {
		failLater(w, pause)
	}
	return pause > 0
}

// refuse answers a request with a wrong token.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, challenge string) {
	if pause := s.tries.wrong(clientOfRequest(r)); pause > 0 {
		failLater(w, pause)
		return
	}
	w.Header().Set("WWW-Authenticate", challenge)
	fail(w, http.StatusUnauthorized, errors.New("the token is missing or wrong"))
}

func failLater(w http.ResponseWriter, pause time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(pause.Seconds()))))
	w.Header().Set("Connection", "close")
	fail(w, http.StatusTooManyRequests, errors.New("too many wrong tokens: the next one is looked at later"))
}

// clientOfRequest is the client in whose name wrong tokens are counted.
func clientOfRequest(r *http.Request) string {
	if p, ok := r.Context().Value(peerKey{}).(peer); ok {
		return "user " + strconv.FormatUint(uint64(p.uid), 10)
	}
	return clientOf(r.RemoteAddr)
}

// tokenFiles logs once that the file of a token cannot be used.
type tokenFiles struct {
	log func(format string, args ...any)

	mu   sync.Mutex
	said string
}

func (t *tokenFiles) broken(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if text := err.Error(); text != t.said {
		t.said = text
		t.log("Requests are refused: %s", text)
	}
}

// works records that the file at path can be used.
func (t *tokenFiles) works(path string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if strings.Contains(t.said, path) {
		t.said = ""
	}
}

// isForeign reports whether a request names another machine. The page of another site can
// point its own name to 127.0.0.1 (DNS rebinding), and read what a listener on loopback
// serves to local users only.
func isForeign(r *http.Request) bool {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if !ok || !local.IP.IsLoopback() || r.Host == "" {
		return false
	}
	name := r.Host
	if host, _, err := net.SplitHostPort(name); err == nil {
		name = host
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return false
	}
	own, err := os.Hostname()
	return name != "localhost" && !strings.HasSuffix(name, ".localhost") && (err != nil || !strings.EqualFold(name, own))
}

// CheckToken returns why no client can be let in with the token in the file at path, nil
// if one can.
func CheckToken(path string) error {
	_, err := rights.Token(path)
	return err
}

// bearer is the token of a request, "" if there is none.
func bearer(r *http.Request) string {
	if len(r.Header.Values("Authorization")) != 1 {
		return ""
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// credentials are the token of a request that reads: that of bearer, or the password that
// a user typed in a browser.
func credentials(r *http.Request) string {
	if len(r.Header.Values("Authorization")) != 1 {
		return ""
	}
	if _, password, ok := r.BasicAuth(); ok {
		return password
	}
	return bearer(r)
}

// sameToken compares in a time that does not depend on the token or its length.
func sameToken(want, got string) bool {
	a, b := sha256.Sum256([]byte(want)), sha256.Sum256([]byte(got))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}
