package state

import (
	"bytes"
	"strconv"
	"testing"
)

// FuzzPIDFile has a pid file hold anything: it names a process only if there is nothing
// else in it.
func FuzzPIDFile(f *testing.F) {
	for _, text := range []string{"", "1\n", " 42 ", "-1", "+7", "12 13", "99999999999999999999", "1\x00", "0x10"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		pid := pidOf(text)
		if pid < 0 {
			t.Errorf("%q names the process group %d", text, pid)
		}
		if pid > 0 && !bytes.Contains(text, []byte(strconv.Itoa(pid))) {
			t.Errorf("%q names process %d", text, pid)
		}
	})
}
