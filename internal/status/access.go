package status

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"os"
	"strings"
)

// minToken is how long a token has to be; shorter ones can be guessed.
const minToken = 16

// mayControl tells whether a request may change something; if not, it has been
// answered. At the commands' own socket the permissions of the file decide. An
// order from a browser's page is refused as well: a token is no cookie, but what
// another origin sends is nobody's order.
func (s *Server) mayControl(d *door, w http.ResponseWriter, r *http.Request) bool {
	if d.own {
		return true
	}
	cfg := s.config()
	if cfg == nil || !cfg.StatusControl {
		fail(w, http.StatusForbidden, errors.New("only questions are answered here (statuscontrol)"))
		return false
	}
	token, err := readToken(cfg.StatusToken)
	if err != nil {
		fail(w, http.StatusForbidden, errors.New("no orders are taken: the token cannot be read"))
		s.o.Log("Refused an order from %s: %v", r.RemoteAddr, err)
		return false
	}
	if !sameToken(token, bearer(r)) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="ldirectord"`)
		fail(w, http.StatusUnauthorized, errors.New("the token is missing or wrong"))
		s.o.Log("Refused an order from %s: the token is missing or wrong", r.RemoteAddr)
		return false
	}
	return true
}

// readToken reads the file each time, so that a token can be changed without a
// reload.
func readToken(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if info.Mode().Perm()&0o007 != 0 {
		return "", errors.New(path + " can be read by everybody: chmod 600 it")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(text))
	if len(token) < minToken {
		return "", errors.New(path + " has a token that is too short")
	}
	return token, nil
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

// sameToken compares in a time that tells nothing about the token, not even how
// long it is.
func sameToken(want, got string) bool {
	a, b := sha256.Sum256([]byte(want)), sha256.Sum256([]byte(got))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}
