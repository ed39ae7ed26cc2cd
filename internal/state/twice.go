package state

import "errors"

// WriteTwice is Write for a file whose loss would put a real server into service: a
// second file beside it has the same content.
func WriteTwice(path string, text []byte) error {
	return errors.Join(Write(path, text), Write(CopyOf(path), text))
}

// CopyOf is the path of WriteTwice's second file. It counts if the first is
// unreadable, and not if the first is missing: an operator removes the first to
// discard both.
func CopyOf(path string) string { return path + ".copy" }
