// Package chaos plays random events to a director and judges every change that
// it makes to the table, by a model that is written from the documents: for
// tests, no part of the program.
//
// The director is the real one; time is faked, results are put in in the place of
// the engine's, and the table is one in memory or the lab kernel's. A seed prints
// with a failure and plays the same events again.
package chaos
