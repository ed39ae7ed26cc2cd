package director

import (
	"testing"
	"unsafe"

	"github.com/ldirectord/ldirectord/internal/virtual"
)

// There are tens of thousands. The sizes that the allocator has for single ones
// are 384, 416 and 448.
func TestChecksAreSmall(t *testing.T) {
	if size := unsafe.Sizeof(virtual.Check{}); size > 416 {
		t.Errorf("a check has %d bytes, want at most 416", size)
	}
	if size := unsafe.Sizeof(virtual.Real{}); size > 128 {
		t.Errorf("a real server has %d bytes, want at most 128", size)
	}
}
