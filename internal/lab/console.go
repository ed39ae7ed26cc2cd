package lab

import (
	"bytes"
	"sync"
	"time"
)

// A console keeps the kernel's messages.
type console struct {
	panicked func() // is called a moment after the kernel has panicked

	mu   sync.Mutex
	text bytes.Buffer
	once sync.Once
}

// Write implements io.Writer. A kernel that panics calls abort, which does not
// end the first process of a PID namespace: it would hang.
func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.text.Write(p)
	if bytes.Contains(c.text.Bytes(), []byte("Kernel panic")) {
		c.once.Do(func() { time.AfterFunc(time.Second, c.panicked) }) // the position follows
	}
	return len(p), nil
}

// String returns all messages.
func (c *console) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.String()
}
