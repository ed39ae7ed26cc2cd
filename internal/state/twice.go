package state

import "errors"

// WriteTwice is Write for a file of which a part that cannot be read would put a real
// server into service: a second file beside it has the same content.
func WriteTwice(path string, text []byte) error {
	return errors.Join(Write(path, text), Write(CopyOf(path), text))
}

// CopyOf is the path of WriteTwice's second file. It counts where the first cannot be
// read, and not where the first is missing: that is how an operator forgets both.
func CopyOf(path string) string { return path + ".copy" }
