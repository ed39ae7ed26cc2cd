package state

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A process is what /proc/PID/stat tells, to every user.
type process struct {
	state  byte // R, S, D, T, t, Z, …
	parent int
	cpu    time.Duration // used by all its threads

	started uint64 // in clock ticks since the boot
}

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
	end := bytes.LastIndexByte(text, ')') // of the name, which may hold anything
	if end < 0 {
		return process{}, false
	}
	const stateField, parentField, userField, systemField, startedField = 0, 1, 11, 12, 19
	fields := strings.Fields(string(text[end+1:]))
	if len(fields) <= startedField {
		return process{}, false
	}
	parent, err1 := strconv.Atoi(fields[parentField])
	user, err2 := strconv.ParseInt(fields[userField], 10, 64)
	system, err3 := strconv.ParseInt(fields[systemField], 10, 64)
	started, err4 := strconv.ParseUint(fields[startedField], 10, 64)
	ok := err1 == nil && err2 == nil && err3 == nil && err4 == nil
	return process{state: fields[stateField][0], parent: parent, cpu: time.Duration(user+system) * tick, started: started}, ok
}

// waitsForMachine says whether a thread of the process waits for the processor or a
// disk.
func waitsForMachine(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/[0-9]*/stat", pid))
	for _, thread := range threads {
		if p, ok := readStat(thread); ok && (p.state == 'R' || p.state == 'D') {
			return true
		}
	}
	return false
}
