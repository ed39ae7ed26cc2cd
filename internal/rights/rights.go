// Package rights finds out which other users may read or change a file that this
// program trusts, and opens files so that they cannot exploit them.
package rights

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Readers names the users besides the owner who may read a file, "" if none may. A group by which
// alone this process reads it, and which is not root's, is none: that is the file's purpose.
func Readers(info fs.FileInfo) string { return readers(info, os.Geteuid(), os.Getegid()) }

// readers is Readers for a process of a user and a group.
func readers(info fs.FileInfo, uid, gid int) string {
	st, ok := info.Sys().(*syscall.Stat_t)
	purpose := ok && uid != 0 && int64(st.Uid) != int64(uid) && int64(st.Gid) == int64(gid)
	switch mode := info.Mode().Perm(); {
	case mode&0o004 != 0:
		return "everyone"
	case mode&0o040 != 0 && !purpose:
		return "its group"
	}
	return ""
}

// Writers names the users besides root and our own who may change the file at path
// or replace it, "" if none may: the rights of the file and of each directory on
// its path count. An error of stat counts as none.
func Writers(path string) string {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return ""
	}
	for at := path; ; at = filepath.Dir(at) {
		info, err := os.Lstat(at)
		if err != nil {
			return ""
		}
		who := writersOf(info)
		if info.IsDir() && info.Mode()&fs.ModeSticky != 0 && trusted(info) {
			who = "" // the sticky bit: others cannot rename or remove files of other users
		}
		switch {
		case who != "" && at == path:
			return who
		case who != "":
			return fmt.Sprintf("%s, by the directory %s", who, at)
		case at == filepath.Dir(at):
			return ""
		}
	}
}

// writersOf names the users besides root and us who may write to this one file.
func writersOf(info fs.FileInfo) string {
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch mode := info.Mode().Perm(); {
	case mode&0o002 != 0:
		return "everyone"
	case ok && mode&0o020 != 0 && stat.Gid != 0:
		return fmt.Sprintf("the group %d", stat.Gid)
	case !trusted(info):
		return fmt.Sprintf("its owner, the user %d", stat.Uid)
	}
	return ""
}

// trusted reports whether a file belongs to root or to us.
func trusted(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return !ok || stat.Uid == 0 || int(stat.Uid) == os.Geteuid()
}

// longestSecret limits the size of a file with a secret.
const longestSecret = 4 << 10

// CredentialsDirectory is the variable with the directory of a service's systemd
// credentials.
const CredentialsDirectory = "CREDENTIALS_DIRECTORY"

// ReadSecret reads a file with one secret in one line, with or without a newline. A
// name without a slash is a credential that systemd passes to the service. warning
// names the other users who may read the file, "" if none may.
func ReadSecret(name string) (text, warning string, err error) {
	path, credential := name, !strings.Contains(name, "/")
	if credential {
		dir := os.Getenv(CredentialsDirectory)
		if dir == "" {
			return "", "", fmt.Errorf("%s has no slash and so is a credential of systemd, but there are none: "+
				"write the whole path, or LoadCredential=%s:PATH in the unit", name, name)
		}
		path = filepath.Join(dir, name)
	}
	// A FIFO must not hang a start or a reload.
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return "", "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", "", err
	}
	if !info.Mode().IsRegular() {
		return "", "", fmt.Errorf("%s is no regular file", path)
	}
	data, err := io.ReadAll(io.LimitReader(f, longestSecret+1))
	if err != nil {
		return "", "", err
	}
	text = strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	switch {
	case text == "":
		return "", "", errors.New(path + " is empty")
	case len(data) > longestSecret:
		return "", "", fmt.Errorf("%s is longer than %d bytes", path, longestSecret)
	case strings.ContainsAny(text, "\n\r\x00"):
		return "", "", errors.New(path + " has more than one line")
	}
	if who := Readers(info); who != "" && !credential { // only the service can read its systemd credentials
		warning = fmt.Sprintf("%s can be read by %s: chmod 600 %s", path, who, path)
	}
	return text, warning, nil
}
