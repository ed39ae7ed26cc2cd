package acceptance

import (
	"net/http"
)

// A death is a way in which a real server fails, and how it is undone.
type death struct {
	name  string
	on    func(s *site, rs string)
	off   func(s *site, rs string)
	cause string // as the monitor log tells it
}

var stopped = death{
	name:  "stopped",
	on:    func(s *site, rs string) { s.Web(rs).Stop() },
	off:   revive,
	cause: "connection refused",
}

var unplugged = death{
	name:  "unplugged",
	on:    func(s *site, rs string) { s.Unplug(rs) },
	off:   func(s *site, rs string) { s.Plug(rs) },
	cause: "no answer in 10s",
}

// deaths are all ways.
var deaths = []death{
	stopped,
	unplugged,
	{
		name:  "status 500",
		on:    func(s *site, rs string) { s.Web(rs).Answer(http.StatusInternalServerError, page+rs) },
		off:   good,
		cause: "500 Internal Server Error",
	},
	{
		name:  "wrong text",
		on:    func(s *site, rs string) { s.Web(rs).Answer(http.StatusOK, "It works!") },
		off:   good,
		cause: `receive "This is a LVS Page" not found in 9 bytes: "It works!"`,
	},
	{
		name:  "silent",
		on:    func(s *site, rs string) { s.Web(rs).Silence() },
		off:   good,
		cause: "no answer in 10s",
	},
}

func revive(s *site, rs string) {
	s.t.Helper()
	if err := s.Web(rs).Start(); err != nil {
		s.t.Fatal(err)
	}
}

func good(s *site, rs string) { s.Web(rs).Answer(http.StatusOK, page+rs) }
