package conf

import (
	"errors"
	"testing"
)

// TestSameToken finds equal tokens in two files, whatever blanks are around them, and makes no
// guess about files that cannot be read.
func TestSameToken(t *testing.T) {
	tokens := map[string]string{"/a": "0123456789abcdef\n", "/b": "  0123456789abcdef", "/c": "fedcba9876543210", "/empty": "", "/blank": "\n"}
	for name, tt := range map[string]struct {
		operators, readers string
		same               bool
	}{
		"one file":   {"/a", "/a", true},
		"one secret": {"/a", "/b", true},
		"two":        {"/a", "/c", false},
		"none":       {"/none", "/none2", false},
		"one none":   {"/a", "/none", false},
		"empty":      {"/empty", "/blank", false},
	} {
		t.Run(name, func(t *testing.T) {
			o := testOptions()
			o.ReadSecret = func(name string) (text, warning string, err error) {
				text, ok := tokens[name]
				if !ok {
					return "", "", errors.New("no such file")
				}
				return text, "", nil
			}
			_, err := Parse("t.cf", []byte("statuslisten=127.0.0.1:9180\nstatuscontrol=yes\nstatustoken="+tt.operators+"\nstatusreadtoken="+tt.readers+"\n"), o)
			problem, found := errors.AsType[*Problem](err)
			if found != tt.same || found && (problem.Code != CodeSameToken || problem.Line != 4) {
				t.Errorf("%+v, want a mistake: %v", problem, tt.same)
			}
		})
	}
}
