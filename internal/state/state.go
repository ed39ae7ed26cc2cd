// Package state keeps what must outlive the daemon's process in small files, each
// replaced as a whole, and what is read beside it: which daemons live (lock, record
// and heartbeat below /run) and which virtual services of the kernel's table are a
// daemon's own.
//
// A daemon is identified by a write lock on a file of its own, held until its process
// ends, however it ends. No reader can forge it, and no reader takes it to look at it.
// The pid file is for other programs, which remove and misread it.
package state
