package conf

import (
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"
)

// TestForeignBytes reads files as other systems write them.
func TestForeignBytes(t *testing.T) {
	const text = "checkinterval=5\nvirtual=10.0.0.1:80\n\treal=10.1.0.1:80 masq\n"
	wide, err := binary.Append(nil, binary.LittleEndian, utf16.Encode([]rune("\ufeff"+text)))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, file, want string
		mistake          bool
	}{
		{"UTF-16", string(wide), "as in a file in UTF-16", true},
		{"CR alone", strings.ReplaceAll(text, "\n", "\r"), "the lines end with CR alone", false},
		{"CR LF", strings.ReplaceAll(text, "\n", "\r\n"), "the file has DOS line ends", false},
		{"a byte order mark", "\ufeff" + text, "byte order mark", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, problems := CheckFile("t.cf", []byte(tt.file), Options{})
			if mistake := problems.Err() != nil; mistake != tt.mistake {
				t.Errorf("a mistake: %t, want %t", mistake, tt.mistake)
			}
			for _, p := range problems {
				if strings.Contains(p.Text+p.Hint, tt.want) {
					return
				}
			}
			t.Errorf("no problem says %q: %v", tt.want, problems)
		})
	}
}

// TestNothingIsUnusedWithoutServices has a file without virtual services, in which no directive is
// without effect for the lack of another.
func TestNothingIsUnusedWithoutServices(t *testing.T) {
	_, problems := CheckFile("t.cf", []byte("quorum=2\nhysteresis=1\nexternalweight=yes\n"), Options{})
	if len(problems) > 0 {
		t.Errorf("problems: %v", problems[0])
	}
}
