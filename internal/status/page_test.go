package status

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
)

func TestPage(t *testing.T) {
	t.Parallel()
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
	const nasty = `"><script>alert(1)</script>&'`
	for _, name := range []string{"q", "virtual", "real"} {
		query := "?" + url.Values{name: {nasty}, "sort": {"name"}}.Encode()
		page := h.get(outside, "/"+query).Body.String()
		if strings.Contains(page, "<script>") || !strings.Contains(page, "alert(1)") {
			t.Errorf("/%s is written into the page as it is:\n%s", query, page)
		}
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
	t.Parallel()
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
	t.Parallel()
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

// TestSlowListener has a listener that does not keep up cut off, and given the rest when it
// joins again. None waits for it.
func TestSlowListener(t *testing.T) {
	f := newFeed()
	slow, _, _ := f.join("")
	tell := func(n int) {
		for range n {
			f.tell(report.Note{})
		}
	}
	tell(feedLength + 2)
	var last uint64
	for n := range slow {
		last = n.number
	}
	if last != feedLength || len(f.members) != 0 {
		t.Errorf("the slow one got %d, %d still listen, want %d and none", last, len(f.members), feedLength)
	}
	tests := []struct {
		name, id string
		tell     int // before it joins again
		before   int
		missed   bool
	}{
		{"again", f.id(last), 0, 2, false},
		{"with all", f.id(f.last), 0, 0, false},
		{"at the bound", f.id(f.last), feedKept, feedKept, false},
		{"too late", f.id(f.last), feedKept + 1, feedKept, true},
		{"of another process", "other-5", 0, 0, true},
		{"with no id at all", "x", 0, 0, true},
		{"with a number that is not there yet", f.id(1 << 40), 0, 0, true},
		{"without", "", 0, 0, false},
	}
	for _, tt := range tests {
		if tt.tell > 0 {
			tt.id = f.id(f.last)
		}
		tell(tt.tell)
		m, before, missed := f.join(tt.id)
		f.leave(m)
		if len(before) != tt.before || missed != tt.missed {
			t.Errorf("%s: %d before, missed %v, want %d, %v", tt.name, len(before), missed, tt.before, tt.missed)
		}
		for i, n := range before {
			if n.number != f.last-uint64(len(before)-1-i) {
				t.Fatalf("%s: note %d is number %d of %d", tt.name, i, n.number, f.last)
			}
		}
	}
	for range feedMembers {
		f.join("")
	}
	if m, _, _ := f.join(""); m != nil {
		t.Error("there is no limit to listeners")
	}
}

// TestEventsAgain has a client that connects again with its last id get what came after it.
func TestEventsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newCrowd(t, 1, false)
		notes := func(id string) (events string) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/api/v1/events", nil)
			r.Header.Set("Last-Event-ID", id)
			events, _ = h.fetch(t, r)
			return events
		}
		for i := range 3 {
			h.feed.tell(report.Note{Text: fmt.Sprintf("note %d", i)})
		}
		for id, want := range map[string]string{"": "", h.feed.id(h.feed.last): "", h.feed.id(h.feed.last - 2): "note 1 note 2", "old-7": "missed"} {
			events := notes(id)
			for word := range strings.SplitSeq("note 0,note 1,note 2,event: missed", ",") {
				if got := strings.Contains(events, word); got != (want != "" && strings.Contains(want, strings.TrimPrefix(word, "event: "))) {
					t.Errorf("after %q: %s, want %q", id, events, want)
				}
			}
		}
	})
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
