package state

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// An Original is a living daemon without a lock: the Perl program, or an old
// version of this one.
type Original struct {
	PID     int
	PIDFile string
	Config  string // as on its command line, "" is none
}

// Originals returns the daemons without a lock whose pid files are in a directory,
// in the order of the files. It omits network namespaces other than the caller's.
func Originals(runDir string) []Original {
	files, _ := filepath.Glob(filepath.Join(runDir, "ldirectord.*.pid")) // the pattern is valid
	var list []Original
	for _, file := range files {
		if o, ok := originalOf(file); ok && sameNamespace(o.PID) {
			list = append(list, o)
		}
	}
	return list
}

// originalOf is the daemon without a lock whose process id is in a pid file; false
// if there is none. After a crash the process id may belong to any other process.
func originalOf(pidFile string) (Original, bool) {
	text, err := os.ReadFile(pidFile)
	if err != nil {
		return Original{}, false
	}
	pid := pidOf(text)
	words := daemonWords(pid)
	if words == nil {
		return Original{}, false
	}
	o := Original{PID: pid, PIDFile: pidFile}
	for i, word := range words[1 : len(words)-1] {
		if value, ok := strings.CutPrefix(word, "--config="); ok {
			o.Config = value
		} else if word == "--config" && i+2 < len(words)-1 {
			o.Config = words[i+2]
		} else if !strings.HasPrefix(word, "-") {
			o.Config = word
		}
	}
	return o, true
}

// File is the name of its configuration file, for the search.
func (o Original) File() string {
	if o.Config == "" {
		return "ldirectord.cf"
	}
	return o.Config
}

// Children are the processes that an Original has forked for its checks (fork =
// yes). They outlive it unless it ends by SIGTERM, and continue to change the
// table.
func (o Original) Children() []int {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	var list []int
	for _, stat := range stats {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(stat)))
		if p, ok := readProcess(pid); ok && p.parent == o.PID && isOriginal(pid) {
			list = append(list, pid)
		}
	}
	return list
}

func pidOf(text []byte) int {
	pid, err := strconv.Atoi(string(bytes.TrimSpace(text)))
	if err != nil || pid < 0 { // kill(2) takes a negative one for a group
		return 0
	}
	return pid
}

// isOriginal reports whether a process is a daemon, by its command line.
func isOriginal(pid int) bool { return daemonWords(pid) != nil }

// startingVerbs are the commands whose process becomes the daemon.
var startingVerbs = []string{"start", "restart", "try-restart"}

// daemonWords is the command line of a daemon, its program first, without an
// interpreter; nil if the process is none. A zombie has no command line.
func daemonWords(pid int) []string {
	if pid <= 0 || pid == os.Getpid() || dies(pid) {
		return nil
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return nil
	}
	words := strings.Split(strings.TrimRight(string(text), "\x00"), "\x00")
	if strings.HasPrefix(filepath.Base(words[0]), "perl") {
		words = words[1:]
		for len(words) > 0 && strings.HasPrefix(words[0], "-") {
			words = words[1:]
		}
	}
	if len(words) < 2 || !strings.Contains(filepath.Base(words[0]), "ldirectord") {
		return nil
	}
	if !slices.Contains(startingVerbs, words[len(words)-1]) {
		return nil
	}
	return words
}

// sameNamespace reports whether a process uses the network of this one; if that
// cannot be read, it does.
func sameNamespace(pid int) bool {
	theirs, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pid))
	if err != nil {
		return true
	}
	ours, err := os.Readlink("/proc/self/ns/net")
	return err != nil || ours == theirs
}

// Namespace identifies the network namespace of this process among all since the
// kernel was booted. The IPVS table belongs to a network namespace.
func Namespace() uint64 {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		defer unix.Close(fd)
		if cookie, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE); err == nil { // Linux 5.14
			return cookie
		}
	}
	var stat unix.Stat_t
	if unix.Stat("/proc/self/ns/net", &stat) != nil {
		return 0
	}
	return stat.Ino
}
