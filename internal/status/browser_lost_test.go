package status

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/lab"
)

// What the page shows while it is in contact with the daemon and after.
const (
	bannerShown = `!document.getElementById("lost").hidden`
	bannerText  = `/^no contact since \d\d:\d\d:\d\d$/.test(document.getElementById("lost").textContent)`
	titleLost   = `document.title.startsWith("NO CONTACT")`
	iconLost    = `document.querySelector("link[rel=icon]").getAttribute("href").startsWith("data:image/svg+xml,")`
	pageGrey    = `getComputedStyle(document.querySelector("main")).filter !== "none"`
	oldHeadline = `getComputedStyle(document.querySelector("#summary h1"), "::before").content === '"last known: "'`
	ageShown    = `/^data \d+ s old$/.test(document.getElementById("age").textContent)`
)

// contact waits until the page shows that it has contact, or that it has none.
func (b *browser) contact(has bool) {
	b.t.Helper()
	for _, shown := range []string{bannerShown, titleLost, iconLost, pageGrey, oldHeadline} {
		b.until(shown, fmt.Sprint(!has))
	}
	b.until(ageShown, "true")
}

// TestPageAfterKill kills the real daemon under a page that is being looked at,
// and starts it again.
func TestPageAfterKill(t *testing.T) {
	program := lab.Program(t, "github.com/ldirectord/ldirectord/cmd/ldirectord")
	at := lab.HoldPort(t).String()
	file := filepath.Join(t.TempDir(), "t.cf")
	config := "statuslisten=" + at + "\nvirtual=192.0.2.80:80\n    servicename=Shop\n    real=192.0.2.1->192.0.2.6:80 masq\n    checktype=on\n"
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	start := func() *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), program, "--dry-run", file, "start")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
		awaitAnswer(t, "http://"+at+"/readyz")
		return cmd
	}
	daemon := start()
	b := startBrowser(t)
	b.size(1280, 500)
	b.call("Page.navigate", map[string]any{"url": "http://" + at})
	b.until(`document.readyState`, "complete")
	b.contact(true)
	if err := daemon.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	b.contact(false)
	b.until(bannerText, "true")
	b.eval(`window.shown = new Image(); shown.src = document.querySelector("link[rel=icon]").href; 0`)
	b.until(`shown.complete && shown.naturalWidth > 0`, "true") // no server is needed for it
	b.picture("status-after-kill")
	start()
	b.contact(true)
	b.picture("status-back")
}

// A page that gets nothing but itself, as when too many look already, says that it is
// out of contact, also with its icon, and is back by itself when there is room.
func TestPageRefused(t *testing.T) {
	h := newHouse(t, plainConfig)
	var full atomic.Bool
	own := map[string]bool{"/": true, "/script.js": true, "/style.css": true}
	handler := h.handler(outside)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if full.Load() && !own[r.URL.Path] {
			http.Error(w, "too many listen already", http.StatusServiceUnavailable)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	full.Store(true)
	b := startBrowser(t)
	b.call("Page.navigate", map[string]any{"url": server.URL})
	b.until(`document.readyState`, "complete")
	b.contact(false)
	b.until(bannerText, "true")
	full.Store(false)
	b.contact(true)
	b.call("Page.navigate", map[string]any{"url": "about:blank"}) // ends its stream
}

// awaitAnswer waits until a URL is answered with success.
func awaitAnswer(t *testing.T, url string) {
	t.Helper()
	for end := time.Now().Add(eventually.Limit); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		resp, err := http.Get(url)
		if err != nil {
			continue
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return
		}
	}
	t.Fatalf("%s does not answer", url)
}
