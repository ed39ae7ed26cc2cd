// Package state stores the daemon's state that must outlive its process in small
// files, each replaced as a whole. Beside that it has the living daemons (lock,
// record and heartbeat below /run) and the virtual services of the kernel's table
// that belong to a daemon.
//
// A daemon is identified by a write lock on a file of its own, held until its
// process ends in any way. No reader can forge it, and no reader takes it to
// examine it. The pid file is for other programs, which remove and misread it.
package state
