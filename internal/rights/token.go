package rights

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// minToken is the least length of a token; shorter ones can be guessed.
const minToken = 16

// Token reads the file of a token of the status server. It reads the file each time, so that
// a token can be changed without a reload.
func Token(path string) (string, error) {
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
		return "", fmt.Errorf("%s has a token that is too short: %d characters or more", path, minToken)
	}
	return token, nil
}
