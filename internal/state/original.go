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

// An Original is a living daemon that keeps no lock: the Perl program, or a version
// of this one from before there were locks.
type Original struct {
	PID     int
	PIDFile string
	Config  string // as it was given, "" is none
}

// Originals are the daemons that keep no lock and whose pid files lie in a
// directory, in the order of the files. Namespaces other than the caller's are left
// out.
func Originals(runDir string) []Original {
	files, _ := filepath.Glob(filepath.Join(runDir, "ldirectord.*.pid")) // the pattern is good
	var list []Original
	for _, file := range files {
		if o, ok := OriginalOf(file); ok && sameNamespace(o.PID) {
			list = append(list, o)
		}
	}
	return list
}

// OriginalOf is the daemon without a lock that a pid file names, and whether there
// is one. The process id of a crashed daemon may belong to any other process by now.
func OriginalOf(pidFile string) (Original, bool) {
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

// File is the name of its configuration file, as it is searched for.
func (o Original) File() string {
	if o.Config == "" {
		return "ldirectord.cf"
	}
	return o.Config
}

// Children are the processes that an Original has forked to check in (fork = yes).
// They outlive it unless it ends by SIGTERM, and go on changing the table.
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

// isOriginal says whether a process is a daemon, by the words that it was started
// with.
func isOriginal(pid int) bool { return daemonWords(pid) != nil }

// startingVerbs are the commands whose process becomes the daemon.
var startingVerbs = []string{"start", "restart", "try-restart"}

// daemonWords are the words that a daemon was started with, its program first,
// without an interpreter; nil if the process is none. A process that has ended and
// was not waited for has no words.
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

// sameNamespace says whether a process uses the network of this one. Where that
// cannot be read it is taken to.
func sameNamespace(pid int) bool {
	theirs, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pid))
	if err != nil {
		return true
	}
	ours, err := os.Readlink("/proc/self/ns/net")
	return err != nil || ours == theirs
}

// Namespace tells the network namespace of this process from every other one since
// the kernel was booted. The IPVS table is a network namespace's.
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
