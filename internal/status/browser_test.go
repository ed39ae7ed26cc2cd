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

// TestBrowser looks at the page of 1,000 real servers as people do.
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
	began := time.Now()
	b.call("Page.navigate", map[string]any{"url": server.URL})
	const shown = `[...document.querySelectorAll("tbody tr")].filter(r => r.offsetParent !== null).length`
	b.until(`document.readyState`, "complete")
	b.until(shown, "1006")
	t.Logf("1,006 real servers are there after %v", time.Since(began))
	b.until(`document.querySelector("#summary h1").textContent`, "1 of 1006 real servers is out, and 1 more as planned")
	b.until(`/^data [0-3] s old$/.test(document.getElementById("age").textContent)`, "true")
	b.picture("status-light")

	filterPage(b, shown)
	h.breaks("10.1.0.3:443", "503 Service Unavailable")
	b.until(`document.querySelector("#r0-2 .state").textContent`, "✕ down")
	b.until(`document.title.startsWith("2 of 1006 real servers are out, and 1 more as planned")`, "true")
	b.until(`document.querySelector("#notes li").textContent.includes("10.1.0.3:443 is gone")`, "true")

	light := b.eval(`getComputedStyle(document.body).backgroundColor`)
	b.scheme("dark")
	b.until(`getComputedStyle(document.body).backgroundColor !== "`+light+`"`, "true")
	b.picture("status-dark")
	b.size(390, 800)
	b.until(`document.documentElement.scrollWidth <= 390`, "true")
	b.picture("status-phone")
	checkNames(b)
	if len(b.errors) > 0 {
		t.Errorf("the page complains: %s", b.errors)
	}
	b.call("Page.navigate", map[string]any{"url": "about:blank"}) // ends its stream
}

func filterPage(b *browser, shown string) {
	b.t.Helper()
	set := func(filter string) {
		b.eval(`document.getElementById("q").value = "` + filter + `"; document.getElementById("q").dispatchEvent(new Event("input"))`)
	}
	set("10.1.0.2:443")
	b.until(shown, "1")
	set("SHOP")
	b.until(shown, "6")
	set("nothing like that")
	b.until(shown, "0")
	set("")
	b.eval(`document.getElementById("wrong").click()`)
	b.until(shown, "2")
	b.eval(`document.getElementById("wrong").click()`)
	b.until(shown, "1006")
}

// checkNames makes sure that everything can be told by who does not see it.
func checkNames(b *browser) {
	b.t.Helper()
	b.until(`[...document.querySelectorAll("input, button, a, svg, section")].filter(e =>
		!(e.labels && e.labels.length) && !e.textContent.trim() && !e.getAttribute("aria-label")).length`, "0")
	b.until(`[...document.querySelectorAll("svg")].filter(e => e.getAttribute("role") !== "img" || !e.getAttribute("aria-label")).length`, "0")
	b.until(`document.documentElement.lang`, "en")
	b.until(`[...document.querySelectorAll("th")].filter(e => !e.scope).length`, "0")
}
