package status

import (
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/websocket"

	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/realserver"
	"github.com/ldirectord/ldirectord/internal/report"
)

var pictures = flag.String("pictures", "", "directory for screenshots of the page")

// A browser is a tab of a Chromium without a window, driven over its DevTools.
type browser struct {
	t      *testing.T
	conn   *websocket.Conn
	id     int
	errors []string // that the page has caused
}

func startBrowser(t *testing.T) *browser {
	t.Helper()
	return openTab(t, realserver.Chromium(t))
}

func openTab(t *testing.T, port string) *browser {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "curl", "-s", "http://"+port+"/json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var tabs []struct {
		Type, WebSocketDebuggerURL string
	}
	if err := json.Unmarshal(out, &tabs); err != nil {
		t.Fatal(err)
	}
	for _, tab := range tabs {
		if tab.Type != "page" {
			continue
		}
		conn, err := websocket.Dial(tab.WebSocketDebuggerURL, "", "http://localhost")
		if err != nil {
			t.Fatal(err)
		}
		conn.MaxPayloadBytes = 64 << 20
		t.Cleanup(func() { conn.Close() })
		b := &browser{t: t, conn: conn}
		for _, domain := range []string{"Page", "Runtime", "Log"} {
			b.call(domain+".enable", nil)
		}
		return b
	}
	t.Fatalf("no page among %s", out)
	return nil
}

// call calls a method and returns its result. What the page complains of
// meanwhile is kept.
func (b *browser) call(method string, params map[string]any) json.RawMessage {
	b.t.Helper()
	b.id++
	if err := websocket.JSON.Send(b.conn, map[string]any{"id": b.id, "method": method, "params": params}); err != nil {
		b.t.Fatal(err)
	}
	for {
		if err := b.conn.SetReadDeadline(time.Now().Add(eventually.Limit)); err != nil {
			b.t.Fatal(err)
		}
		var answer struct {
			ID     int
			Method string
			Params json.RawMessage
			Result json.RawMessage
			Error  json.RawMessage
		}
		if err := websocket.JSON.Receive(b.conn, &answer); err != nil {
			b.t.Fatalf("%s: %v", method, err)
		}
		switch {
		case answer.Method == "Runtime.exceptionThrown" || answer.Method == "Log.entryAdded" || answer.Method == "Runtime.consoleAPICalled":
			b.errors = append(b.errors, answer.Method+" "+string(answer.Params))
		case answer.ID == b.id:
			if answer.Error != nil {
				b.t.Fatalf("%s: %s", method, answer.Error)
			}
			return answer.Result
		}
	}
}

// eval is the value of an expression, as text.
func (b *browser) eval(expression string) string {
	b.t.Helper()
	var result struct {
		Result           struct{ Value any }
		ExceptionDetails any
	}
	if err := json.Unmarshal(b.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true}), &result); err != nil {
		b.t.Fatal(err)
	}
	if result.ExceptionDetails != nil {
		b.t.Fatalf("%s: %v", expression, result.ExceptionDetails)
	}
	return fmt.Sprint(result.Result.Value)
}

// until waits until an expression has a value.
func (b *browser) until(expression, want string) {
	b.t.Helper()
	got := ""
	if !eventually.Holds(func() bool {
		got = b.eval(expression)
		return got == want
	}) {
		b.t.Errorf("%s is %s, want %s", expression, got, want)
	}
}

func (b *browser) size(width, height int) {
	b.t.Helper()
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
}

func (b *browser) scheme(name string) {
	b.t.Helper()
	b.call("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": name}}})
}

// picture keeps a screenshot if the test was asked for some.
func (b *browser) picture(name string) {
	b.t.Helper()
	if *pictures == "" {
		return
	}
	var shot struct{ Data string }
	if err := json.Unmarshal(b.call("Page.captureScreenshot", map[string]any{"format": "png"}), &shot); err != nil {
		b.t.Fatal(err)
	}
	image, err := base64.StdEncoding.DecodeString(shot.Data)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*pictures, name+".png"), image, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// TestBrowser looks at the page of 1,006 real servers as people do.
func TestBrowser(t *testing.T) {
	h := newHouse(t, "checkinterval=1\n"+
		"virtual=192.0.2.80:443\n    servicename=Shop\n    service=https\n    fallback=192.0.2.9:443 masq\n    real=10.1.0.1->10.1.0.6:443 masq 5\n"+many(10))
	h.breaks("10.1.0.2:443", "connection refused")
	if _, _, err := h.director.Obey(t.Context(), report.Order{Verb: report.Drain, Real: "10.1.0.5:443", For: 2 * time.Hour, Comment: "new disk", By: "alice"}); err != nil {
		t.Fatal(err)
	}
	h.await(t, func(s *report.Snapshot) bool { return s.Virtuals[0].In == 4 })
	server := httptest.NewServer(h.handler(outside))
	t.Cleanup(server.Close)
	b := startBrowser(t)
	b.size(1280, 860)
	b.open(server.URL)
	b.until(shown, "100")
	b.until(`document.getElementById("pages").textContent`, "1 to 100 of 1006 next")
	b.until(`[...document.querySelectorAll("#reals .key")].slice(0, 2).map(e => e.textContent).join()`, "10.1.0.2:443,10.1.0.5:443") // trouble first
	b.until(`document.querySelector("#virtuals tr td").textContent`, "4 of 6")
	b.until(`document.querySelector("#summary h1").textContent`, "1 of 1006 real servers is out, and 1 more as planned")
	b.until(`/^data [0-4] s old$/.test(document.getElementById("age").textContent)`, "true")
	b.picture("status-light")

	filterPage(b)
	h.breaks("10.1.0.3:443", "503 Service Unavailable")
	b.until(`document.querySelector("#r0-2 .state span").textContent`, "✕ down")
	b.until(`document.title.startsWith("2 of 1006 real servers are out, and 1 more as planned")`, "true")
	b.until(`document.querySelector("#notes li").textContent.includes("10.1.0.3:443 is gone")`, "true")
	b.until(isWhole, "true")

	light := b.eval(`getComputedStyle(document.body).backgroundColor`)
	b.scheme("dark")
	b.until(`getComputedStyle(document.body).backgroundColor !== "`+light+`"`, "true")
	b.picture("status-dark")
	b.size(390, 800)
	b.until(fitsWidth, "true")
	b.until(`(() => { const r = document.querySelector("#reals tr");
		return [r.querySelector(".of").getBoundingClientRect().left - r.querySelector(".key").getBoundingClientRect().right > 3, // a gap between the two names
			r.querySelector(".day").clientWidth > r.clientWidth / 2].join(); })()`, "true,true")
	b.picture("status-phone")
	checkNames(b)
	b.follows(server.URL)
	if len(b.errors) > 0 {
		t.Errorf("the page complains: %s", b.errors)
	}
	b.call("Page.navigate", map[string]any{"url": "about:blank"}) // ends its stream
}

// What the page shows.
const (
	shown     = `[...document.querySelectorAll("#reals tr")].filter(r => r.offsetParent !== null).length`
	fitsWidth = `document.documentElement.scrollWidth <= innerWidth`
	// isWhole is whether the page to which changes were applied is the one that the server sends
	// at the same version.
	isWhole = `fetch("/" + location.search).then(r => r.text()).then(text => {
		const fresh = new DOMParser().parseFromString(text, "text/html");
		if (fresh.documentElement.dataset.version === version) window.whole = fresh.querySelector("main").innerHTML.trim() === main.innerHTML.trim();
	}), window.whole`
)

func (b *browser) open(url string) {
	b.t.Helper()
	b.call("Page.navigate", map[string]any{"url": url})
	b.until(`document.readyState`, "complete")
}

func filterPage(b *browser) {
	b.t.Helper()
	set := func(filter string) {
		b.eval(`document.getElementById("q").value = "` + filter + `"; document.getElementById("q").dispatchEvent(new Event("input"))`)
	}
	set("10.1.0.2:443")
	b.until(shown, "1")
	b.until(`location.search`, "?q=10.1.0.2%3A443")
	b.open(b.eval(`location.href`))
	b.until(shown, "1")
	set("SHOP")
	b.until(shown, "6")
	set("nothing like that")
	b.until(shown, "0")
	set("")
	b.until(shown, "100")
	b.until(`location.search`, "")
	b.eval(`document.getElementById("wrong").click()`)
	b.until(shown, "2")
	b.eval(`document.getElementById("wrong").click()`)
	b.until(shown, "100")
}

// follows follows the links to an order, a page, a virtual service and a real server.
func (b *browser) follows(url string) {
	b.t.Helper()
	click := func(selector string) { b.open(b.eval(`document.querySelector("` + selector + `").href`)) }
	click("#servers thead th:nth-child(2) a")
	b.until(`location.search + document.querySelector("#reals .key")?.textContent`, "?sort=name10.1.0.1:80")
	click("#servers thead th:nth-child(2) a")
	b.until(`location.search + document.querySelector("#reals .key")?.textContent`, "?sort=-name10.10.0.100:80")
	click("#pages a")
	b.until(`document.getElementById("pages")?.textContent`, "101 to 200 of 1006 previous next")
	b.open(url)
	click("#virtuals .key")
	b.until(`document.getElementById("only")?.textContent`, "Only virtual service tcp:192.0.2.80:443. Show all")
	b.until(shown, "6")
	click("#reals .key")
	b.until(`document.getElementById("only")?.textContent`, "Only real server 10.1.0.2:443 of virtual service tcp:192.0.2.80:443. Show all")
	b.until(`document.querySelector("#notes li")?.textContent.includes("10.1.0.2:443")`, "true")
	b.until(shown, "1")
	click("#only a")
	b.until(`location.search + `+shown, "100")
}

// TestBrowserIPv6 has the longest addresses fit a wide and a narrow page.
func TestBrowserIPv6(t *testing.T) {
	var config strings.Builder
	config.WriteString("checkinterval=1\n")
	for i := range 3 {
		fmt.Fprintf(&config, "virtual6=[2001:db8:fedc:ba98:7654:3210:fedc:%x]:65535\n    servicename=%s\n    service=http\n    fallback6=[2001:db8:1111:2222:3333:4444:5555:6666]:65535 masq\n",
			0x1000+i, strings.Repeat("a-long-name-", i*8))
		for j := range 5 {
			fmt.Fprintf(&config, "    real6=[2001:db8:1234:5678:9abc:def0:%x:%x]:65535 masq 65535\n", 0x1000+i, 0x5000+j)
		}
	}
	h := newHouse(t, config.String())
	h.breaks("[2001:db8:1234:5678:9abc:def0:1000:", "connection refused by [2001:db8:1234:5678:9abc:def0:1000:5000]:65535 after a long time")
	h.await(t, func(s *report.Snapshot) bool { return s.Virtuals[0].In == 0 })
	server := httptest.NewServer(h.handler(outside))
	t.Cleanup(server.Close)
	b := startBrowser(t)
	for _, width := range []int{1280, 800, 390} {
		b.size(width, 860)
		b.open(server.URL)
		b.until(shown, "16") // with the fallback
		b.until(fitsWidth, "true")
		b.eval(`document.querySelector("#reals .state span").textContent = "⚒ maintenance"`) // the longest state
		// No text reaches over the edge of its cell or box.
		b.until(`[...document.querySelectorAll("main *")].filter(e => getComputedStyle(e).display !== "inline" && e.scrollWidth > e.clientWidth + 1 && e.clientWidth)
			.map(e => e.tagName + " " + e.textContent.slice(0, 60)).join("; ")`, "")
		b.picture(fmt.Sprintf("status-ipv6-%d", width))
	}
	b.call("Page.navigate", map[string]any{"url": "about:blank"}) // ends its stream
}

// checkNames makes sure that everything has a name for readers who do not see it.
func checkNames(b *browser) {
	b.t.Helper()
	b.until(`[...document.querySelectorAll("input, button, a, svg, section")].filter(e =>
		!(e.labels && e.labels.length) && !e.textContent.trim() && !e.getAttribute("aria-label")).length`, "0")
	b.until(`[...document.querySelectorAll("svg")].filter(e => e.getAttribute("role") !== "img" || !e.getAttribute("aria-label")).length`, "0")
	b.until(`document.documentElement.lang`, "en")
	b.until(`[...document.querySelectorAll("th")].filter(e => !e.scope).length`, "0")
}
