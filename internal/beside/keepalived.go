package beside

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
)

// KeepalivedFile is keepalived's configuration.
const KeepalivedFile = "/etc/keepalived/keepalived.conf"

// mostIncludes bounds the files that one configuration includes.
const mostIncludes = 64

// Keepalived names the file of a keepalived.conf at path, or of those that it includes,
// that has keepalived steer the sync daemon. It is "" if none does, or none can be read.
func Keepalived(path string) string {
	files := []string{path}
	for i := 0; i < len(files) && i < mostIncludes; i++ {
		has, included := lvsSyncDaemon(files[i])
		if has {
			return "keepalived (lvs_sync_daemon in " + files[i] + ")"
		}
		files = append(files, included...)
	}
	return ""
}

// lvsSyncDaemon looks for lvs_sync_daemon in one file, and for the files that it includes.
func lvsSyncDaemon(path string) (has bool, included []string) {
	f, err := os.Open(path)
	if err != nil {
		return false, nil
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		words := strings.Fields(lines.Text())
		switch {
		case len(words) < 2:
		case words[0] == "lvs_sync_daemon" || words[0] == "lvs_sync_daemon_interface":
			return true, nil
		case words[0] == "include":
			pattern := words[1]
			if !filepath.IsAbs(pattern) {
				pattern = filepath.Join(filepath.Dir(path), pattern)
			}
			matches, _ := filepath.Glob(pattern) // a bad pattern matches nothing
			included = append(included, matches...)
		}
	}
	return false, included
}
