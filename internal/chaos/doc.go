// Package chaos plays random events to a director and judges every change that
// it makes to the table, by a model that is written from the documents: for
// tests, no part of the program.
//
// The director is the real one; time is faked, results are put in in the place of
// the engine's, and the table is one in memory or the lab kernel's. A seed prints
// with a failure and plays the same events again, to the nanosecond; with the
// table in memory the director does the same again, too.
//
// The model follows each result, order, maintenance file and load at the moment
// when the director learns of it. What it does not judge:
//   - While a start or a reload goes on, real servers may come and go; services of
//     others may not be touched even then.
//   - A real server with thresholds that no kernel takes stays as it is for as long
//     as it is to be in service, and what it was to replace may wait for it. After
//     somebody has deleted one, and after the kernel has failed, it is not judged
//     until all has come to rest.
//   - The same is true of a real server of weight 0 whose verdict changes within
//     the 4 seconds after somebody has changed its entry.
//   - An order that ends by itself may be in force or not from 100 ms before its
//     end until 1.4 s after it.
//   - The fallback may be put in beside a real server whose last change the kernel
//     made and reported as failed, until the director has read the table.
//   - What an agent's answer does to a weight that somebody has set, and a weight that
//     somebody sets while it climbs (slowstart).
//   - The log is recorded, and compared between two plays of one seed; what it says
//     is not judged.
//
// What it does not play: jumps of the wall clock, because the clock of
// testing/synctest cannot be set; signals, which are the daemon's (a restart and a
// stop are played as what they ask of the director); minalive; two real servers that
// are one entry of the kernel.
package chaos
