package daemon

import (
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// handBack gives the kernel what only a moment needed, the start, a reload or many
// failures: the memory in which the file was read and results were told, and the
// pages of the program.
// The packages it is made of touch most of those once, a daemon at work needs
// half of them.
//
// The pages are unmapped and not lost. What is touched again is mapped again, as
// long as it is in the page cache; the kernel may drop it from there when memory
// is short, as any program's pages that were not used for long. With what is
// touched the kernel maps what is around it: on Linux 6.18 the same program had
// 2.3 or 6.3 MB of its text back, by how the page cache had it. Nothing depends on
// it, and errors are ignored. On a slow machine it can hold everything up for a
// moment, so that it is for those who have much to hand back.
func handBack() {
	debug.FreeOSMemory()
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return
	}
	for _, m := range readOnly(string(maps), program) {
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, m.start, m.end-m.start, unix.MADV_DONTNEED)
	}
}

// A mapping is a range of addresses.
type mapping struct{ start, end uintptr }

// readOnly is where the file at path is mapped and cannot be written to, by the
// text of /proc/self/maps. What can be written to must stay: no file has it.
func readOnly(maps, path string) []mapping {
	var list []mapping
	for line := range strings.Lines(maps) {
		m, mode, file, ok := readMapping(line)
		if ok && file == path && (mode == "r-xp" || mode == "r--p") {
			list = append(list, m)
		}
	}
	return list
}

// readMapping takes a line apart: "00400000-00d27000 r-xp 00000000 fe:00 1317
// /usr/sbin/ldirectord", with blanks before the path.
func readMapping(line string) (m mapping, mode, file string, ok bool) {
	f := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 6)
	if len(f) < 6 {
		return m, "", "", false
	}
	from, to, _ := strings.Cut(f[0], "-")
	start, err1 := strconv.ParseUint(from, 16, strconv.IntSize)
	end, err2 := strconv.ParseUint(to, 16, strconv.IntSize)
	m = mapping{uintptr(start), uintptr(end)}
	return m, f[1], strings.TrimLeft(f[5], " "), err1 == nil && err2 == nil && start < end
}
