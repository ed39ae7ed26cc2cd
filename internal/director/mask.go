package director

import (
	"encoding/base64"
	"errors"
	"net/url"
	"regexp"
	"strings"

	"ldirectord/internal/engine"
)

// masked stands where a secret was.
const masked = "***"

// secrets are texts that must not be shown.
type secrets []string

// secrets are m's, in every form in which a check sends them. The longest forms
// come first, since they hold the others.
func (m *manner) secrets() secrets {
	var list secrets
	for _, secret := range []string{m.passwd, m.secret} {
		if secret == "" {
			continue
		}
		list = append(
			list,
			base64.StdEncoding.EncodeToString([]byte("\x00"+m.login+"\x00"+secret)),
			base64.StdEncoding.EncodeToString([]byte(m.login+":"+secret)),
			base64.StdEncoding.EncodeToString([]byte(secret)),
			strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(secret),
			url.QueryEscape(secret),
			secret,
		)
	}
	for line := range strings.Lines(m.web.headers) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		if value != "" && secretHeader.MatchString(name) {
			list = append(list, value)
		}
	}
	return list
}

// secretHeader is names of headers whose values are nobody's business.
var secretHeader = regexp.MustCompile(`(?i)auth|cookie|token|key|secret|pass`)

// userinfo is the user and password in a URL.
var userinfo = regexp.MustCompile(`(://[^/\s:@]*):[^/\s@]+@`)

// hide returns text without the secrets.
func (s secrets) hide(text string) string {
	for _, secret := range s {
		text = strings.ReplaceAll(text, secret, masked)
	}
	if strings.Contains(text, "://") && strings.Contains(text, "@") {
		text = userinfo.ReplaceAllString(text, "$1:"+masked+"@")
	}
	return text
}

// hideIn is hide for the beginning of a conversation, whose end may have cut a
// secret short.
func (s secrets) hideIn(excerpt []byte) string {
	text := s.hide(string(excerpt))
	for _, secret := range s {
		for n := len(secret) - 1; n > 2; n-- {
			if cut, found := strings.CutSuffix(text, secret[:n]); found {
				return cut + masked
			}
		}
	}
	return text
}

// hideResult is hide for what a result says: servers exist that repeat in
// their answers what they were sent.
func (s secrets) hideResult(res *engine.Result) {
	res.Detail = s.hide(res.Detail)
	if res.Err == nil {
		return
	}
	text := res.Err.Error()
	if hidden := s.hide(text); hidden != text {
		res.Err = errors.New(hidden)
	}
}
