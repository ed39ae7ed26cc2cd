package secret

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// shortest is the length from which a value is searched for in any text. Shorter
// ones occur by chance: passwords that are as short are masked as words of their own,
// since a mask within other words would show which letters they have.
const shortest = 4

// ordinary is the length from which the values of a query count as secret although
// their names do not suggest it.
const ordinary = 8

// A Set is the secrets to mask in texts of other programs: the answer of a server,
// the error of a library. It does not change after its construction; the zero Set
// has none.
type Set struct {
	forms []string // texts to mask, the longest first
}

// Add adds a secret in every form in which checks send it. Some forms include
// login.
func (s *Set) Add(login string, secret Text) {
	text := secret.Reveal()
	if text == "" {
		return
	}
	s.add(text)
	for _, joined := range []string{"\x00" + login + "\x00" + text, login + "\x00" + login + "\x00" + text, login + ":" + text, text} {
		for _, e := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
			s.add(e.EncodeToString([]byte(joined)))
		}
	}
	s.add(hex.EncodeToString([]byte(text)))
}

// add adds a text and its quoted and escaped forms.
func (s *Set) add(text string) {
	// A protocol quotes the text, and an excerpt of the answer quotes that again.
	once := quote(text)
	for _, form := range []string{text, once, quote(once), quote(quote(once)), url.QueryEscape(text), url.PathEscape(text)} {
		if form != "" && !slices.Contains(s.forms, form) {
			s.forms = append(s.forms, form)
		}
	}
	slices.SortStableFunc(s.forms, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
}

// quote is text in the form that it has between quotes.
func quote(text string) string {
	quoted := strconv.Quote(text)
	return quoted[1 : len(quoted)-1]
}

// AddHeader adds the value of a header if its name suggests a secret. The
// credentials behind the scheme of an Authorization are a secret by themselves too.
func (s *Set) AddHeader(name string, value Text) {
	text := strings.TrimSpace(value.Reveal())
	if !Named(name) || text == "" {
		return
	}
	s.add(text)
	if _, credentials, found := strings.Cut(text, " "); found && len(credentials) >= shortest {
		s.add(credentials)
		if plain, err := base64.StdEncoding.DecodeString(credentials); err == nil {
			login, password, _ := strings.Cut(string(plain), ":")
			s.Add(login, Text(password))
		}
	}
	for cookie := range strings.SplitSeq(text, ";") {
		if _, v, found := strings.Cut(cookie, "="); found && len(v) >= shortest {
			s.add(v)
		}
	}
}

// AddRequest adds the secrets of a request: the login of a URL and the values of
// the query that are long, or have the name of a secret.
func (s *Set) AddRequest(r Request) {
	if _, rest, found := strings.Cut(string(r), "://"); found {
		authority, _, _ := strings.Cut(rest, "/")
		if at := strings.LastIndexByte(authority, '@'); at >= 0 {
			s.addLogin(authority[:at])
		}
	}
	for name, value := range r.values {
		if len(value) < shortest || len(value) < ordinary && !Named(name) {
			continue
		}
		s.add(value)
		s.add(escaped(value))
		if plain, err := url.QueryUnescape(value); err == nil && len(plain) >= shortest {
			s.add(plain)
		}
	}
}

// AddCommand adds the arguments of a command.
func (s *Set) AddCommand(c Command) {
	words := strings.Fields(c.Reveal())
	if len(words) < 2 {
		return
	}
	for _, word := range words[1:] {
		if len(word) >= ordinary {
			s.add(word)
		}
	}
	_, arguments, _ := strings.Cut(strings.TrimSpace(c.Reveal()), words[0])
	s.add(strings.TrimSpace(arguments))
	s.AddArguments(strings.FieldsFunc(arguments, func(c rune) bool { return unicode.IsSpace(c) || c == '"' || c == '\'' }))
}

// AddArguments adds the arguments of a command, without quotes: the long ones, and those behind the
// name of a secret.
func (s *Set) AddArguments(words []string) {
	before := ""
	for _, word := range words {
		name, value, assigns := strings.Cut(word, "=")
		if !assigns {
			name, value = before, word
		}
		if !strings.HasPrefix(value, "-") && (len(value) >= ordinary || len(value) >= shortest && Named(name)) {
			s.add(value)
		}
		before = word
	}
}

// escaped is a value with the escapes of HTTP checks.
func escaped(value string) string {
	var b strings.Builder
	for i := range len(value) {
		if c := value[i]; c <= ' ' || c > '~' || strings.IndexByte(`"#<>\^{|}`+"`", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// addLogin adds the "user:password" of a URL.
func (s *Set) addLogin(userinfo string) {
	user, password, _ := strings.Cut(userinfo, ":")
	s.Add(user, Text(password))
	plainUser, err1 := url.PathUnescape(user)
	plain, err2 := url.PathUnescape(password)
	if err1 == nil && err2 == nil {
		s.Add(plainUser, Text(plain))
	}
}

// Empty reports whether the set has no secret.
func (s *Set) Empty() bool { return len(s.forms) == 0 }

// Hide returns text without the secrets of the set, and without those that the
// function Hide recognizes by their position.
func (s *Set) Hide(text string) string {
	for _, form := range s.forms {
		if strings.Contains(text, form) {
			text = hideForm(text, form)
		}
	}
	if len(s.forms) > 0 && strings.Contains(text, ellipsis) {
		parts := strings.SplitAfter(text, ellipsis)
		for i, part := range parts {
			if before, cut := strings.CutSuffix(part, ellipsis); cut {
				parts[i] = s.hideCut(before) + ellipsis
			}
		}
		text = strings.Join(parts, "")
	}
	return Hide(text)
}

// hideForm masks form in text, one that is short only where it is a word.
func hideForm(text, form string) string {
	if len(form) >= shortest {
		return strings.ReplaceAll(text, form, Mask)
	}
	var b strings.Builder
	before := rune(0)
	for text != "" {
		if rest, found := strings.CutPrefix(text, form); found && !isLetter(before) {
			if next, _ := utf8.DecodeRuneInString(rest); !isLetter(next) {
				b.WriteString(Mask)
				before, _ = utf8.DecodeLastRuneInString(form)
				text = rest
				continue
			}
		}
		r, size := utf8.DecodeRuneInString(text)
		b.WriteString(text[:size])
		before, text = r, text[size:]
	}
	return b.String()
}

func isLetter(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' }

// ellipsis marks the end of a cut excerpt.
const ellipsis = "…"

// HideIn is Hide for the beginning of a conversation, whose end may contain the
// beginning of a secret.
func (s *Set) HideIn(excerpt []byte) string {
	return s.hideCut(s.Hide(string(excerpt)))
}

// hideCut masks the beginning of a secret at the end of text.
func (s *Set) hideCut(text string) string {
	for _, form := range s.forms {
		for n := len(form) - 1; n > 2; n-- {
			if cut, found := strings.CutSuffix(text, form[:n]); found {
				return cut + Mask
			}
		}
	}
	return text
}
