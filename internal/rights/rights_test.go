package rights

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestReadSecret(t *testing.T) {
	here := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(here, name)
		if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	fifo := filepath.Join(here, "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(CredentialsDirectory, here)
	tests := map[string]struct{ path, text, warning, err string }{
		"with a newline":    {file("a", "hunter2\n", 0o600), "hunter2", "", ""},
		"with a DOS end":    {file("b", "hunter2\r\n", 0o600), "hunter2", "", ""},
		"without":           {file("c", " hunter 2 ", 0o400), " hunter 2 ", "", ""},
		"for everyone":      {file("d", "x", 0o644), "x", "can be read by everyone", ""},
		"for a group":       {file("e", "x", 0o640), "x", "can be read by its group", ""},
		"a credential":      {"e", "x", "", ""},
		"no credential":     {"z", "", "", "no such file"},
		"empty":             {file("f", "\n", 0o600), "", "", "is empty"},
		"two lines":         {file("g", "a\nb\n", 0o600), "", "", "more than one line"},
		"two ends":          {file("h", "a\n\n", 0o600), "", "", "more than one line"},
		"too long":          {file("i", strings.Repeat("x", 5000), 0o600), "", "", "longer than"},
		"a directory":       {here, "", "", "no regular file"},
		"a FIFO":            {fifo, "", "", "no regular file"},
		"one that is not":   {here + "/none", "", "", "no such file"},
		"a device":          {"/dev/zero", "", "", "no regular file"},
		"a NUL in the text": {file("j", "a\x00b", 0o600), "", "", "more than one line"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			text, warning, err := ReadSecret(tt.path)
			if text != tt.text || !strings.Contains(warning, tt.warning) || (warning == "") != (tt.warning == "") {
				t.Errorf("got %q with the warning %q, want %q with %q", text, warning, tt.text, tt.warning)
			}
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
		})
	}
	t.Setenv(CredentialsDirectory, "")
	if _, _, err := ReadSecret("e"); err == nil || !strings.Contains(err.Error(), "LoadCredential=e:PATH") {
		t.Errorf("without systemd: error %v, want the cure", err)
	}
}

func TestWriters(t *testing.T) {
	asRoot(t)
	t.Chdir(t.TempDir()) // whose way is root's, or sticky
	file := func(in string, uid, gid int, mode os.FileMode) string {
		path := filepath.Join(in, "f")
		if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Chown(path, uid, gid), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, tt := range map[string]struct{ path, want string }{
		"root's":                       {file(dir(t, 0, 0o755), 0, 0, 0o755), ""},
		"root's group":                 {file(dir(t, 0, 0o755), 0, 0, 0o775), ""},
		"everyone":                     {file(dir(t, 0, 0o755), 0, 0, 0o757), "everyone"},
		"a group":                      {file(dir(t, 0, 0o755), 0, nobody, 0o770), "the group 65534"},
		"another owner":                {file(dir(t, 0, 0o755), nobody, 0, 0o700), "its owner, the user 65534"},
		"a directory for everyone":     {file(dir(t, 0, 0o777), 0, 0, 0o755), "everyone, by the directory"},
		"a sticky one":                 {file(dir(t, 0, 0o1777), 0, 0, 0o755), ""},
		"another's directory":          {file(dir(t, nobody, 0o755), 0, 0, 0o755), "its owner, the user 65534, by the directory"},
		"another's, sticky":            {file(dir(t, nobody, 0o1755), 0, 0, 0o755), "its owner, the user 65534, by the directory"},
		"a link to one that is open":   {link(t, file(dir(t, 0, 0o755), 0, 0, 0o757), filepath.Join(dir(t, 0, 0o755), "l")), "everyone"},
		"one that is not there at all": {"/none/f", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Writers(tt.path); !strings.HasPrefix(got, tt.want) || (got == "") != (tt.want == "") {
				t.Errorf("Writers says %q, want %q", got, tt.want)
			}
		})
	}
}

// TestReaders has a file that its owner gives to the group of the daemon's user.
func TestReaders(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		mode     os.FileMode
		uid, gid int // of the process, beside the file's
		want     string
	}{
		{0o600, 0, 0, ""},
		{0o640, 0, 0, "its group"},
		{0o640, 1, 0, ""},
		{0o640, 1, 1, "its group"},
		{0o644, 1, 0, "everyone"},
	} {
		if err := os.Chmod(file, tt.mode); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if got := readers(info, os.Geteuid()+tt.uid, os.Getegid()+tt.gid); got != tt.want {
			t.Errorf("%v, for a process of user +%d and group +%d: %q, want %q", tt.mode, tt.uid, tt.gid, got, tt.want)
		}
	}
}
