//go:build race

package lab

// race is true in a binary of go test -race, which does not start in the lab's
// kernel: it needs addresses that user-mode Linux does not have.
const race = true
