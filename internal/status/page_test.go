package status

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
)

func TestPage(t *testing.T) {
	h := newHouse(t, plainConfig)
	h.breaks("10.1.0.2:80", `<script>alert("x")</script>`+"\u202e")
	h.await(t, func(s *report.Snapshot) bool { return s.Virtuals[0].In == 1 })
	body := h.get(outside, "/").Body.String()
	for _, want := range []string{
		"1 of 3 real servers is out", "10.1.0.1:80", "10.1.0.3:443", "FWM  8",
		"&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt; ", "Shop &amp; &lt;b&gt;Co&lt;/b&gt;", "is gone",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	for _, bad := range []string{"<script>", "style=", "onclick", "http://", "https://", "geheim"} {
		if strings.Contains(body, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	tests := map[string]struct {
		query         string
		first, second bool // which of the real servers are shown
	}{
		"nothing wrong": {"", true, true},
		"text":          {"?q=10.1.0.1", true, false},
		"capitals":      {"?q=SHOP", true, true},
		"only wrong":    {"?wrong=1", false, true},
		"a service":     {"?virtual=Shop+%26+%3Cb%3ECo%3C%2Fb%3E", true, true},
		"another":       {"?virtual=8", false, false},
		"a real server": {"?virtual=tcp:10.0.0.1:80&real=10.1.0.2:80", false, true},
		"no such":       {"?real=10.9.9.9", false, false},
		"empty fields":  {"?q=&wrong=&virtual=8&sort=", false, false},
		"sorted":        {"?sort=-latency&vsort=name&page=1", true, true},
		"both":          {"?q=10.1.0.1&wrong=1", false, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			body := h.get(outside, "/"+tt.query).Body.String()
			if first, second := strings.Contains(body, `id="r0-0"`), strings.Contains(body, `id="r0-1"`); first != tt.first || second != tt.second {
				t.Errorf("shown: %v %v, want %v %v", first, second, tt.first, tt.second)
			}
		})
	}
	for _, query := range []string{"x=1", "sort=x", "vsort=x", "page=0", "vpage=x", "q=1&q=2", "page=99999999999999999999"} {
		for _, path := range []string{"/?", "/stream?"} {
			if w := h.get(outside, path+query); w.Code != http.StatusBadRequest {
				t.Errorf("%s%s: %d, want 400", path, query, w.Code)
			}
		}
	}
}

func TestAssets(t *testing.T) {
	h := newHouse(t, plainConfig)
	for path, kind := range assetTypes {
		if w := h.get(outside, path); w.Code != http.StatusOK || w.Header().Get("Content-Type") != kind || w.Body.Len() == 0 {
			t.Errorf("%s: %d %s", path, w.Code, w.Header().Get("Content-Type"))
		}
	}
	for _, path := range []string{"/page.html", "/assets/style.css", "/../status.go", "/x"} {
		if w := h.get(outside, path); w.Code == http.StatusOK {
			t.Errorf("%s is served", path)
		}
	}
}

// pageVersion is the version of a page.
func pageVersion(body string) string {
	_, rest, _ := strings.Cut(body, `data-version="`)
	version, _, _ := strings.Cut(rest, `"`)
	return version
}

// TestPageStream has what has changed, and nothing else, sent to a reader that has a page; a
// whole view to one that has none, or another one; and a reload to the page of another
// program.
func TestPageStream(t *testing.T) {
	h := newHouse(t, plainConfig)
	server := httptest.NewServer(h.handler(outside))
	defer server.Close()
	version := pageVersion(h.get(outside, "/").Body.String())

	h.breaks("10.1.0.2:80", "it is on fire")
	next, stop := events(t, server.URL+"/stream?version="+version)
	defer stop()
	for {
		event, data := next()
		if event == "age" {
			continue
		}
		if event != "parts" {
			t.Fatalf("event %q with %q, want parts", event, data)
		}
		var c change
		if err := json.Unmarshal([]byte(data), &c); err != nil {
			t.Fatal(err)
		}
		if _, everything := c.Rows["v1"]; everything || len(c.Cells["v1"]) > 0 {
			t.Error("the row of a virtual service is sent of which nothing has changed")
		}
		if strings.Contains(c.Rows["r0-1"], "it is on fire") {
			break
		}
	}
	for query, want := range map[string]string{"version=other": "reload", "": "view", "version=" + version + "&q=10.1.0.3": "view"} {
		next, stop := events(t, server.URL+"/stream?"+query)
		event, data := next()
		if event != want {
			t.Errorf("/stream?%s sends %q, want %s", query, event, want)
		}
		if strings.Contains(query, "10.1.0.3") && (strings.Contains(data, "r0-0") || !strings.Contains(data, "r1-0")) {
			t.Errorf("/stream?%s sends %s", query, data)
		}
		stop()
	}
}

func TestEventStream(t *testing.T) {
	h := newHouse(t, plainConfig)
	server := httptest.NewServer(h.handler(outside))
	defer server.Close()
	next, stop := events(t, server.URL+"/api/v1/events")
	defer stop()
	h.breaks("10.1.0.2:80", "no")
	for {
		event, data := next()
		if event == "note" && strings.Contains(data, `"kind":"gone"`) && strings.Contains(data, "10.1.0.2:80") {
			return
		}
	}
}

// Nobody waits for a listener who does not listen.
func TestSlowListener(t *testing.T) {
	f := newFeed()
	slow := f.join()
	for range feedLength + 2 {
		f.tell(report.Note{})
	}
	n := 0
	for range slow {
		n++
	}
	if n != feedLength || len(f.members) != 0 {
		t.Errorf("the slow one got %d, %d still listen, want %d and none", n, len(f.members), feedLength)
	}
	for range feedMembers {
		f.join()
	}
	if f.join() != nil {
		t.Error("there is no limit to listeners")
	}
}

// events reads server-sent events.
func events(t *testing.T, url string) (next func() (event, data string), stop func()) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	if kind := resp.Header.Get("Content-Type"); kind != "text/event-stream" {
		t.Fatalf("%s is %s", url, kind)
	}
	late := time.AfterFunc(20*time.Second, func() { resp.Body.Close() })
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	return func() (event, data string) {
			for lines.Scan() {
				switch name, value, _ := strings.Cut(lines.Text(), ": "); name {
				case "event":
					event = value
				case "data":
					return event, value
				}
			}
			t.Fatalf("%s: the stream has ended: %v", url, lines.Err())
			return "", ""
		}, func() {
			late.Stop()
			resp.Body.Close()
		}
}
