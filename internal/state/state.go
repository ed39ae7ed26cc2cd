// Package state keeps what must outlive the daemon's process in small files, each
// replaced as a whole.
package state
