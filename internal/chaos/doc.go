// Package chaos plays random events to a director and judges every change that it
// makes to the table, by a model that is written from the documents: for tests, no
// part of the program.
//
// The director is the real one; time is faked, results replace those of the engine,
// and the table is one in memory or the lab kernel's. A failure prints its seed,
// and the seed plays the same events again, to the nanosecond; with the table in
// memory the director repeats its actions, too.
//
// The model follows each result, order, maintenance file and load at the moment
// when the director receives it. It does not judge:
//   - the real servers during a start or a reload; foreign services must stay
//     unchanged even then.
//   - a real server with thresholds that no kernel accepts, and the one that it
//     replaces, for as long as it should be in service. After an external deletion
//     of one, and after a failure of the kernel, it is not judged until all has
//     come to rest.
//   - a real server of weight 0, or out of service, whose verdict changes within the 4 seconds after
//     an external change of its entry.
//   - the weight that somebody has set shortly before a real server that minalive kept
//     comes up, or before another one with the same entry and an ordered weight changes
//     its state.
//   - an order that ends by itself, also one of a file (until TIME), from 100 ms before its end until 1.4 s after it.
//   - the thresholds of an entry whose weight is lowered while the kernel fails: they may be those of before.
//   - which thresholds the entry of two real servers has of which none is in service.
//   - whether the wait of a name (resolve, return = byhand) follows it to an address that was in maintenance when the name
//     came to it.
//   - a fallback beside a real server whose last change the kernel made and
//     reported as failed, until the director has read the table.
//   - the effect of an agent's answer, or of an exit status (externalweight), on a weight with an external
//     change, and an external change during slowstart.
//   - whether flapdamping keeps a real server out that has gone down too often, until it has to be
//     over. It sees that none is kept out that works while no other one of its service is in, or fewer than the quorum.
//   - how little weight slowstart gives a real server that flapdamping may have kept out, or one that it keeps out
//     until a reload, quorum or backup servers let it in. It sees that it gets no more than since its checks were good.
//   - whether a real server that minalive kept while it climbed goes on climbing when it is back.
//   - when a dead real server leaves the table by quiescenttime, but for one that dies just before a crash: it has
//     left when all has come to rest. Whether
//     an entry of two real servers is there then.
//   - whether a real server waits (return = byhand) that went down while it was not known whether it was in
//     service: when all has come to rest an enable makes that known.
//   - a dead real server with weight 0 whose deletion the kernel has made and reported as failed.
//   - a quorum and backup servers while the kernel fails, while first checks decide, and while a real server of the
//     service is not judged, or may be kept out by flapdamping; and whether the quorum was lost meanwhile, which
//     then shows by the fallback.
//   - the weight that somebody has set while it does not know whether the quorum was lost meanwhile.
//   - the texts of the log; the log is recorded, and two plays of one seed must
//     have the same.
//   - which of two real servers that are one entry minalive keeps, where this is not known and both are down.
//
// It does not play: files of maintenance that are named as the resolver names an address; the time between two lookups
// of a name, which belongs to package names; checktype = on and off; jumps of the wall clock, because the clock of
// testing/synctest cannot be set; signals, which belong to the daemon (a restart and a stop are played by their calls
// of the director).
package chaos
