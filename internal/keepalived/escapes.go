package keepalived

import (
	"regexp"
	"strconv"
	"strings"
)

// EscapedWords takes a text apart as keepalived does for commands and patterns: blanks separate words,
// quotes of both kinds keep them together, and a backslash begins an escape as that of C.
func EscapedWords(text string) (words []string) {
	var word []byte
	begun, quote := false, byte(0)
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text):
			escape, length := escapeIn(text[i+1:])
			word, begun = append(word, escape), true
			i += length
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word = append(word, c)
		case c == '"' || c == '\'':
			quote, begun = c, true
		case strings.IndexByte(blanks, c) >= 0:
			if begun {
				words = append(words, string(word))
			}
			word, begun = word[:0], false
		default:
			word, begun = append(word, c), true
		}
	}
	if begun {
		words = append(words, string(word))
	}
	return words
}

var (
	octal = regexp.MustCompile(`^[0-7]{1,3}`)
	hexal = regexp.MustCompile(`^x[0-9A-Fa-f]+`)
)

// escapeIn returns the byte that an escape stands for, and the length of what follows its backslash.
func escapeIn(text string) (escape byte, length int) {
	if digits := octal.FindString(text); digits != "" {
		n, _ := strconv.ParseUint(digits, 8, 16)
		return byte(n), len(digits)
	}
	if digits := hexal.FindString(text); digits != "" {
		for _, digit := range []byte(digits[1:]) {
			n, _ := strconv.ParseUint(string(digit), 16, 8)
			escape = escape<<4 | byte(n)
		}
		return escape, len(digits)
	}
	if text[0] == 'c' && len(text) > 1 {
		return text[1] & 0x1f, 2
	}
	if i := strings.IndexByte("abEfnrtv", text[0]); i >= 0 {
		return "\a\b\x1b\f\n\r\t\v"[i], 1
	}
	return text[0], 1
}
