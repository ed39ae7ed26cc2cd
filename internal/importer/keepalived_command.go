package importer

import (
	"regexp"
	"strings"

	"github.com/ldirectord/ldirectord/internal/keepalived"
)

// commandWords are the words of a command that follows a keyword, which is one word of the file. No
// shell has a part in it.
func commandWords(n *node) []string {
	words := keepalived.EscapedWords(n.Raw)
	if len(words) < 2 {
		return nil
	}
	return keepalived.EscapedWords(words[1])
}

var plainWord = regexp.MustCompile(`^[0-9A-Za-z_./:=,@%+-]+$`)

// shellLine is words as a shell takes them for the same words. ok is false if a line of a
// configuration cannot have them.
func shellLine(words []string) (line string, ok bool) {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = word
		if !plainWord.MatchString(word) {
			quoted[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
	}
	line = strings.Join(quoted, " ")
	return line, len(words) == 0 || expressible(line)
}
