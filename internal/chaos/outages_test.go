package chaos

import (
	"syscall"
	"time"
)

// restart writes nothing before the next start.
func (s *stage) restart() {
	s.note("restart")
	s.with(func() { s.quiet = "a restart" })
	s.d.Leave()
	s.end()
	s.with(func() { s.quiet = "" })
	s.start()
}

// stop takes out virtual services with cleanstop, and nothing else.
func (s *stage) stop() {
	s.note("stop")
	s.end()
	s.with(func() {
		for n, v := range s.services[1:] {
			if there := s.table[keyOf(n+1)] != nil; there && v.configured && v.cleanStop {
				s.say("service %d is in the table after a stop, with cleanstop", n+1)
			}
		}
	})
	s.sleep(time.Duration(s.random.IntN(5000)) * time.Millisecond)
	s.start()
}

// crash ends the director without a word. The maintenance directory may be away
// when the next one starts: the last kept state counts.
func (s *stage) crash() {
	away := s.random.IntN(3) == 0
	s.note("crash; the maintenance directory is away: %v", away)
	s.with(func() { s.epoch++ })
	s.end()
	s.sleep(time.Duration(s.random.IntN(20000)) * time.Millisecond)
	if !away {
		s.start()
		return
	}
	s.with(func() {
		s.dirError, s.seen = syscall.EIO, keptFiles(s.kept)
	})
	s.start()
	s.sleep(time.Duration(s.random.IntN(8000)) * time.Millisecond)
	s.with(func() { s.dirError = nil })
	s.sleep(time.Second) // until the directory is read again
}

// diskFull has nothing kept for a while, in which a maintenance file comes or
// goes: that changes nothing but what a crash remembers.
func (s *stage) diskFull() {
	s.note("the disk is full")
	s.with(func() { s.full = true })
	s.maintain()
	if s.random.IntN(3) == 0 {
		s.crash()
	}
	s.with(func() { s.full = false })
}

// faults has the kernel refuse and forget for a while.
func (s *stage) faults() {
	s.note("the kernel fails")
	var endDoubt []func()
	s.with(func() {
		s.failing, s.blind, s.faulty = 10+s.random.IntN(90), s.random.IntN(3) == 0, true
		for _, v := range s.services[1:] {
			endDoubt = append(endDoubt, v.doubtKept())
		}
	})
	for range 4 {
		if s.turn(); s.random.IntN(8) == 0 {
			s.readdress()
		}
		s.sleep(2 * time.Second)
	}
	s.with(func() {
		s.failing, s.blind = 0, false
		s.doubtRefused()
	})
	s.sleep(5 * time.Second) // until driftcheck has found the made entries
	s.with(func() {
		for _, end := range endDoubt {
			end()
		}
		s.doubtRefused()
		s.faulty = false
	})
}

func (w *world) doubtRefused() {
	for _, v := range w.services[1:] {
		for _, p := range v.pairs[1:] {
			p.unsure = p.unsure || p.refused()
		}
	}
}

// descriptors has no check made for a while: nothing may be written.
func (s *stage) descriptors() {
	s.settle()
	s.note("no descriptors")
	s.with(func() { s.local, s.quiet = true, "a time without descriptors" })
	s.sleep(20 * time.Second)
	s.with(func() { s.local = false })
	s.sleep(20 * time.Second)
	s.with(func() { s.quiet = "" })
}
