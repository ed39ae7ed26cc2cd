package realserver

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// unpackedDir is where packages are unpacked, for this and the next test. It
// can be removed at any time.
const unpackedDir = "/var/cache/ldirectord-test"

// unpack returns a directory with the files of Debian packages that are not
// installed, because installing them would change the machine too much. Their
// dependencies must be installed. It takes root.
func unpack(t *testing.T, packages ...string) string {
	t.Helper()
	root := filepath.Join(unpackedDir, strings.Join(packages, "+"))
	if _, err := os.Stat(root); err == nil {
		return root
	}
	if err := download(root, packages); err != nil {
		t.Fatal(err)
	}
	return root
}

// download makes root, whole or not at all.
func download(root string, packages []string) error {
	if err := os.MkdirAll(unpackedDir, 0o755); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(unpackedDir, "new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	const script = `
		chmod 755 . && mkdir root
		apt-get -q download "$@" || { apt-get -q update && apt-get -q download "$@"; } || exit
		for deb in *.deb; do dpkg -x "$deb" root || exit; done
		chmod -R a-s root` // no more setuid programs
	cmd := exec.Command("sh", append([]string{"-c", script, "sh"}, packages...)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("unpacking %v: %w\n%s", packages, err, out)
	}
	err = os.Rename(filepath.Join(dir, "root"), root)
	if _, there := os.Stat(root); there == nil {
		return nil // another test was quicker
	}
	return err
}
