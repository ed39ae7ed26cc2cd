package daemon

import (
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// handBack returns memory to the kernel that only the start, a reload or many failures
// needed: the heap, and the pages of the program. The initialisation of packages touches
// most of these pages once, a working daemon needs half of them.
//
// The pages are unmapped and not lost. A page that is touched again is mapped again, as
// long as it is in the page cache; under memory pressure the kernel may drop it from the
// cache, like the unused pages of any program. The kernel also maps the pages around a
// touched one: on Linux 6.18 the same program had 2.3 or 6.3 MB of its text back,
// depending on the page cache. Nothing depends on it, and errors are ignored. On a slow
// machine it can delay everything for a moment, so only large configurations use it.
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

// readOnly are the read-only mappings of the file at path, in the text of
// /proc/self/maps. Writable mappings must stay: no file has their content.
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

// readMapping parses a line: "00400000-00d27000 r-xp 00000000 fe:00 1317
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
