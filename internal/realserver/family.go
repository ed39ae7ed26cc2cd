package realserver

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// family returns pid and all processes that come from it, parents first. A
// child that has lost its parent is found by its session, which pid leads.
func family(pid int) []int {
	processes := processTable()
	found := []int{pid}
	known := map[int]bool{pid: true}
	for i := 0; i < len(found); i++ {
		for _, p := range processes {
			if !known[p.pid] && (p.parent == found[i] || p.session == pid) {
				known[p.pid] = true
				found = append(found, p.pid)
			}
		}
	}
	return found
}

// survivors are those of a session whose processes have been killed that are not
// dead yet: they may still hold sockets.
func survivors(session int) int {
	n := 0
	for _, p := range processTable() {
		if p.session == session && !p.zombie {
			n++
		}
	}
	return n
}

type process struct {
	pid, parent, session int
	zombie               bool // it is dead, and its parent has not reaped it
}

// processTable returns all processes of the machine. Who ends while it is read
// is left out.
func processTable() []process {
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	var all []process
	for _, file := range files {
		if stat, err := os.ReadFile(file); err == nil {
			all = append(all, parseStat(string(stat)))
		}
	}
	return all
}

// parseStat reads a line of /proc/PID/stat (proc_pid_stat(5)): the name in
// parentheses may hold anything, the fields behind it are numbers but for the
// state.
func parseStat(stat string) process {
	pid, rest, _ := strings.Cut(stat, " ")
	fields := strings.Fields(rest[strings.LastIndexByte(rest, ')')+1:])
	number := func(i int) int {
		if i >= len(fields) {
			return 0
		}
		n, _ := strconv.Atoi(fields[i])
		return n
	}
	p := process{parent: number(1), session: number(3), zombie: len(fields) > 0 && (fields[0] == "Z" || fields[0] == "X")}
	p.pid, _ = strconv.Atoi(pid)
	return p
}
