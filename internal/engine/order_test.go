package engine

import (
	"crypto/tls"
	"net/netip"
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/checker"
)

// stagedChecks are the kinds of conversation. Their texts: w is a whole answer,
// p and q are its halves, n is a wrong one, and b is the one after that.
func stagedChecks(client *tls.Config) []stagedCheck {
	texts := map[rune]string{'w': "220 ready\n", 'p': "220 re", 'q': "ady\n", 'n': "go away\n", 'b': "221 bye\n"}
	asking := func(a ask) func(addr netip.AddrPort) checker.Checker {
		return func(addr netip.AddrPort) checker.Checker {
			a := a
			a.target.Addr = addr
			if a.target.Network == "" {
				a.target.Network = "tcp"
			}
			return a
		}
	}
	slow := checker.Target{Slow: true}
	return []stagedCheck{
		{name: "connect", texts: texts, make: func(addr netip.AddrPort) checker.Checker { return checker.Connect{Addr: addr} }},
		{name: "the client begins", texts: texts, make: asking(ask{question: "hello?\n", answer: "220 ready"})},
		{name: "the client begins and ends", texts: texts, make: asking(ask{question: "hello?\n", answer: "220 ready", noMore: true})},
		{name: "the server begins", texts: texts, make: asking(ask{silent: true, answer: "220 ready"})},
		{name: "both speak twice", texts: texts, make: asking(ask{silent: true, answer: "220 ready", goodbye: "221 bye"})},
		{name: "the client begins, slow to judge", texts: texts, make: asking(ask{target: slow, question: "hello?\n", answer: "220 ready"})},
		{name: "both speak twice, slow to judge", texts: texts, make: asking(ask{target: slow, silent: true, answer: "220 ready", goodbye: "221 bye"})},
		{name: "TLS", tls: true, texts: texts, make: asking(ask{target: checker.Target{TLS: client}, question: "hello?\n", answer: "220 ready"})},
		{name: "TLS only", tls: true, texts: texts, make: func(addr netip.AddrPort) checker.Checker {
			return checker.TLS{Addr: addr, Config: client}
		}},
		{name: "STARTTLS", tls: true, texts: texts, make: asking(ask{silent: true, startTLS: client, question: "hello?\n", answer: "220 ready"})},
		{name: "datagrams", udp: true, texts: texts, make: asking(ask{target: checker.Target{Network: "udp"}, question: "hello?\n", answer: "220 ready"})},
		{name: "datagrams, repeated", udp: true, texts: texts, make: asking(ask{target: checker.Target{Network: "udp", Resend: ample / 2}, question: "hello?\n", answer: "220 ready"})},
	}
}

// scripts are the orders of events that a check may meet.
func (c stagedCheck) scripts() (scripts []string) {
	switch {
	case c.udp:
		return []string{"w", "n", "p", "R", "wR", "nR", "pR", "ppw", "pw", "ppR"}
	case c.name == "STARTTLS":
		for _, end := range []string{"", "t", "h", "f", "x"} {
			scripts = append(scripts, "Cw"+end, "Cpq"+end)
		}
		return append(scripts[2:], "R", "Cf", "Ch", "Cx", "Cpf", "Cpx")
	case c.tls:
		return []string{"R", "Ct", "Cf", "Ch", "Cx", "Cw", "Cwh"}
	}
	scripts = append(scripts, "R")
	for _, body := range []string{"", "w", "p", "pq", "n", "wb", "pqb", "wn"} {
		for _, end := range []string{"", "h", "f", "x", "hx"} {
			scripts = append(scripts, "C"+body+end)
		}
	}
	return scripts
}

// groupings are all ways to cut a script into rounds, the finest first.
func groupings(script string) (all [][]string) {
	for joined := range 1 << (len(script) - 1) {
		rounds := []string{script[:1]}
		for i := range len(script) - 1 {
			if joined&(1<<i) != 0 {
				rounds[len(rounds)-1] += script[i+1 : i+2]
			} else {
				rounds = append(rounds, script[i+1:i+2])
			}
		}
		all = append(all, rounds)
	}
	return all
}

// TestOrderOfEvents has the events of a conversation reach the engine in every
// grouping: the verdict is the same as when they come one by one, and comes as
// soon as it can.
func TestOrderOfEvents(t *testing.T) {
	t.Parallel()
	secure, client := newTLS(t)
	for _, c := range stagedChecks(client) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, script := range c.scripts() {
				all := groupings(script)
				want := c.play(t, secure, byLoop, all[0])
				for _, rounds := range all {
					for _, way := range []way{byLoop, byBatch, bySelf} {
						if got := c.play(t, secure, way, rounds); got != want {
							t.Errorf("%s (%s): %q, want %q as when they come one by one", strings.Join(rounds, " "), way, got, want)
						}
					}
				}
			}
		})
	}
}

// FuzzOrderOfEvents is TestOrderOfEvents for whatever order the fuzzer finds: of
// each byte, three bits are an event and one joins it to the round before.
func FuzzOrderOfEvents(f *testing.F) {
	secure, client := newTLS(f)
	checks := stagedChecks(client)
	for i := range checks {
		f.Add(byte(i), byte(i), []byte{0, 8, 9, 3, 12})
		f.Add(byte(i), byte(i+1), []byte{2, 1, 10, 5})
	}
	f.Fuzz(func(t *testing.T, kind, begins byte, events []byte) {
		c := checks[int(kind)%len(checks)]
		way := []way{byLoop, byBatch, bySelf}[begins%3]
		script, joined := c.script(events)
		var rounds []string
		for i := range script {
			if i > 0 && joined[i] {
				rounds[len(rounds)-1] += script[i : i+1]
			} else {
				rounds = append(rounds, script[i:i+1])
			}
		}
		play := func() (want, got string) {
			want, got = c.play(t, secure, way, strings.Split(script, "")), c.play(t, secure, way, rounds)
			if c.tls { // whose own words depend on which byte it met first
				want, _, _ = strings.Cut(want, ":")
				got, _, _ = strings.Cut(got, ":")
			}
			return want, got
		}
		c.brief = c.tls // it waits for its deadline where both ends wait
		want, got := play()
		if got != want && c.brief {
			c.brief = false
			want, got = play()
		}
		if got != want {
			t.Errorf("%s of %s (%s): %q, want %q", strings.Join(rounds, " "), c.name, way, got, want)
		}
	})
}

// script makes a script of at most eight events of what the fuzzer found, which
// of them belong to the round before, and nothing that cannot happen.
func (c stagedCheck) script(events []byte) (script string, joined []bool) {
	letters := "wpqnbhfx"
	switch {
	case c.udp:
		letters = "wpnR"
	case c.tls:
		letters = "wthfx"
	}
	add := func(event string, join bool) { script, joined = script+event, append(joined, join) }
	if !c.udp {
		add("C", false)
	}
	for _, e := range events[:min(len(events), 8)] {
		add(string(letters[int(e&7)%len(letters)]), e&8 != 0)
		if last := script[len(script)-1:]; strings.Contains("tfxR", last) {
			return script, joined // nothing can follow
		}
		switch {
		case strings.HasSuffix(script, "h"):
			letters = "fx"
		case c.tls:
			letters = "thfx" // more in the clear is another story
		}
	}
	if c.tls && !strings.HasSuffix(script, "h") {
		add("f", false) // TLS is not left to wait
	}
	if script == "" {
		add("w", false)
	}
	return script, joined
}
