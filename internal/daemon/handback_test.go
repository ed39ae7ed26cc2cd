package daemon

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadOnly(t *testing.T) {
	const maps = `00400000-00d27000 r-xp 00000000 fe:00 1317                               /usr/sbin/ldirectord
00d27000-022f4000 r--p 00927000 fe:00 1317                               /usr/sbin/ldirectord
022f4000-023a3000 rw-p 01ef4000 fe:00 1317                               /usr/sbin/ldirectord
023a3000-043f1000 rw-p 00000000 00:00 0 
2543c2400000-2543c4800000 rw-p 00000000 00:00 0                          [anon: Go: heap]
7fe4478a0000-7fe4478c0000 r--p 00000000 fe:00 2021                       /usr/lib/libc.so.6
7fe4478d0000-7fe4478e0000 r--s 00000000 fe:00 1317                       /usr/sbin/ldirectord
7fe4478f0000-7fe4478f1000 r--p 00000000 fe:00 1318                       /usr/sbin/ldirectord (deleted)
7fe4478e0000-7fe4478d0000 r--p 00000000 fe:00 1317                       /usr/sbin/ldirectord
nonsense
- r-xp 00000000 fe:00 1317 /usr/sbin/ldirectord
7ffd1b5f4000-7ffd1b5f6000 r-xp 00000000 00:00 0                          [vdso]
`
	for _, tt := range []struct {
		path string
		want []mapping
	}{
		{"/usr/sbin/ldirectord", []mapping{{0x400000, 0xd27000}, {0xd27000, 0x22f4000}}},
		{"/usr/sbin/ldirectord (deleted)", []mapping{{0x7fe4478f0000, 0x7fe4478f1000}}}, // by the package that replaces it
		{"/usr/sbin/other", nil},
	} {
		if diff := cmp.Diff(tt.want, readOnly(maps, tt.path), cmp.AllowUnexported(mapping{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.path, diff)
		}
	}
}

// The program goes on after its pages were unmapped, and it finds them.
func TestHandBack(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	if len(readOnly(string(maps), program)) == 0 {
		t.Errorf("nothing of %s is mapped:\n%s", program, maps)
	}
	handBack()
}
