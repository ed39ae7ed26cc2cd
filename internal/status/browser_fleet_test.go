package status

import (
	"fmt"
	"testing"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/lab"
	"github.com/ldirectord/ldirectord/internal/report"
)

// TestBrowserFleet looks at the page of three directors as people do: one disagrees, one cannot be
// reached, and then the one that has the page cannot.
func TestBrowserFleet(t *testing.T) {
	config := "checkinterval=1\nvirtual=192.0.2.80:443\n    servicename=Shop\n    service=https\n    real=10.1.0.1->10.1.0.6:443 masq 5\n" +
		"virtual6=[2001:db8:fedc:ba98:7654:3210:fedc:1000]:65535\n    service=http\n    real6=[2001:db8:1234:5678:9abc:def0:1000:5000]:65535 masq 65535\n"
	first, second := newHouse(t, config), newHouse(t, config)
	second.breaks("10.1.0.2:443", "connection refused")
	second.breaks("[2001:db8:1234:5678:9abc:def0:1000:5000]:65535", "connection refused")
	second.await(t, func(s *report.Snapshot) bool { return s.Virtuals[0].In == 5 && s.Virtuals[1].In == 0 })
	gone := "director-three.rack-18.berlin.example.com:9180" // no such name
	at := lab.HoldPort(t).String()
	cfg := &conf.Config{StatusServer: conf.StatusServer{StatusListen: at, Directors: []string{at, second.listens(t, conf.Config{}), gone}}}
	first.Use(cfg)

	b := startBrowser(t)
	const (
		title = `document.querySelector("#summary h1").textContent`
		lost  = `!document.getElementById("lost").hidden && document.body.classList.contains("stale") && document.title.startsWith("NO CONTACT, last: ")`
		// No text reaches over the edge of its box.
		over = `[...document.querySelectorAll("body *")].filter(e => getComputedStyle(e).display !== "inline" && e.scrollWidth > e.clientWidth + 1 && e.clientWidth)
			.map(e => e.tagName + " " + e.textContent.slice(0, 60)).join("; ")`
	)
	for _, width := range []int{1280, 800, 390} {
		b.size(width, 860)
		b.open("http://" + at + "/fleet")
		b.until(title, "No contact to 1 of 3 directors")
		b.until(`[...document.querySelectorAll("#directors li")].map(e => e.className).join()`, "fine,bad,bad")
		b.until(`document.querySelectorAll("#summary .troubles li").length > 0`, "true")
		b.until(`document.querySelector("#directors li:nth-child(3) small").textContent.trim()`, "no contact yet")
		b.until(fitsWidth, "true")
		b.until(over, "")
		b.until(lost, "false")
		checkNames(b)
		b.picture(fmt.Sprintf("fleet-%d", width))
	}
	// The page follows by itself: without being loaded again, it has what has changed, and counts ages.
	b.eval(`window.same = true`)
	second.mu.Lock()
	clear(second.broken)
	second.mu.Unlock()
	b.until(`[...document.querySelectorAll("#directors li")].map(e => e.className).join()`, "fine,fine,bad")
	b.until(`/^asked [1-9] s ago$/.test(document.getElementById("age").textContent)`, "true")
	b.until(`Number(document.querySelector("#directors .seconds").textContent) > 0`, "true")

	first.Use(&conf.Config{}) // the daemon of the page closes
	b.until(lost, "true")
	b.until(`/^No contact for \d+ s: this is the last known state$/.test(document.getElementById("lost").textContent)`, "true")
	b.until(`getComputedStyle(document.querySelector("#summary h1"), "::before").content`, `"last known: "`)
	b.until(fitsWidth, "true")
	b.picture("fleet-lost")
	first.Use(cfg)
	b.until(lost, "false")
	b.until(`same`, "true")
	b.until(title, "No contact to 1 of 3 directors")
}
