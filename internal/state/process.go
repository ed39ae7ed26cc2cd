package state

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A process is the contents of /proc/PID/stat, which any user can read.
type process struct {
	state  byte // R, S, D, T, t, Z, …
	parent int
	cpu    time.Duration // used by all its threads

	started uint64 // in clock ticks since the boot
	flags   uint64 // see exiting
}

// exiting is the flag of a process that ends: PF_EXITING in include/linux/sched.h.
const exiting = 0x4

// tick is the unit of CPU times in /proc: USER_HZ is 100 on every architecture of
// Linux that Go knows.
const tick = 10 * time.Millisecond

// readProcess reads /proc/PID/stat; see proc(5).
func readProcess(pid int) (process, bool) { return readStat(fmt.Sprintf("/proc/%d/stat", pid)) }

func readStat(path string) (process, bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return process{}, false
	}
	end := bytes.LastIndexByte(text, ')') // of the name, which may contain any character
	if end < 0 {
		return process{}, false
	}
	const stateField, parentField, flagsField, userField, systemField, startedField = 0, 1, 6, 11, 12, 19
	fields := strings.Fields(string(text[end+1:]))
	if len(fields) <= startedField {
		return process{}, false
	}
	parent, err1 := strconv.Atoi(fields[parentField])
	user, err2 := strconv.ParseInt(fields[userField], 10, 64)
	system, err3 := strconv.ParseInt(fields[systemField], 10, 64)
	started, err4 := strconv.ParseUint(fields[startedField], 10, 64)
	flags, err5 := strconv.ParseUint(fields[flagsField], 10, 64)
	p := process{state: fields[stateField][0], parent: parent, cpu: time.Duration(user+system) * tick, started: started, flags: flags}
	return p, errors.Join(err1, err2, err3, err4, err5) == nil
}

// dies reports whether a process was killed and will run no more code of its own.
// It may still hold its locks for a moment.
func dies(pid int) bool {
	if p, ok := readProcess(pid); ok && (p.state == 'Z' || p.flags&exiting != 0) {
		return true
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		if name != "SigPnd" && name != "ShdPnd" {
			continue
		}
		pending, err := strconv.ParseUint(strings.TrimSpace(value), 16, 64)
		if err == nil && pending&(1<<(unix.SIGKILL-1)) != 0 {
			return true
		}
	}
	return false
}

// userOf is the real user of a process.
func userOf(pid int) (uid uint32, ok bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(line, ":"); name == "Uid" {
			n, err := fmt.Sscan(value, &uid)
			return uid, n == 1 && err == nil
		}
	}
	return 0, false
}

// waitsForMachine reports whether a thread of the process waits for the processor
// or a disk.
func waitsForMachine(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/[0-9]*/stat", pid))
	for _, thread := range threads {
		if p, ok := readStat(thread); ok && (p.state == 'R' || p.state == 'D') {
			return true
		}
	}
	return false
}
