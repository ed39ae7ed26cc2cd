package client

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestListen hears the begin of a stream and each event, is content with comments, and ends
// when a daemon that hangs sends none any more.
func TestListen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, out := io.Pipe()
		heard := 0
		ended := make(chan error)
		go func() { ended <- listen(in, func() { in.CloseWithError(io.ErrNoProgress) }, func() { heard++ }) }()
		synctest.Wait()
		if heard != 1 {
			t.Errorf("the begin was heard %d times", heard)
		}
		fmt.Fprint(out, "event: note\ndata: {}\n\n")
		fmt.Fprintf(out, "event: note\ndata: %s\n\n", strings.Repeat("x", 1<<16)) // longer than any buffer
		synctest.Wait()
		if heard != 3 {
			t.Errorf("two events were heard %d times", heard-1)
		}
		for range 10 {
			time.Sleep(15 * time.Second)
			fmt.Fprint(out, ": alive\n\n")
		}
		synctest.Wait()
		if heard != 3 {
			t.Errorf("comments were heard %d times", heard-3)
		}
		begin := time.Now()
		if err := <-ended; err == nil || time.Since(begin) != silence {
			t.Errorf("a silent stream ended after %v: %v", time.Since(begin), err)
		}
	})
}
