//go:build !race

package lab

// race is false in an ordinary test binary, which runs in the lab as it is.
const race = false
