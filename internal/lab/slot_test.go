package lab

import (
	"runtime"
	"testing"
)

// Who waits gets whichever place is free first.
func TestTakeSlot(t *testing.T) {
	for last := range max(2, runtime.NumCPU()/2) {
		t.Setenv("XDG_CACHE_HOME", t.TempDir())
		var taken []func()
		take := func() func() {
			free, err := takeSlot()
			if err != nil {
				t.Error(err)
				return func() {}
			}
			return free
		}
		for range max(2, runtime.NumCPU()/2) {
			taken = append(taken, take())
		}
		got := make(chan func())
		go func() { got <- take() }()
		taken[last]()
		(<-got)()
		for i, free := range taken {
			if i != last {
				free()
			}
		}
	}
}
