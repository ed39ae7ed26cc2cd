package status

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

var (
	bodies  = regexp.MustCompile(`<tbody id="(\w+)">(.*?)</tbody>`)
	rows    = regexp.MustCompile(`(<tr id="([^"]+)"[^>]*>)(.*?)</tr>`)
	cells   = regexp.MustCompile(`<t[dh].*?</t[dh]>`)
	pagesOf = regexp.MustCompile(`<span id="pages" class="pages">.*?</span>`)
)

// A pageClient has the page as script.js keeps it, without a browser.
type pageClient struct {
	version string
	lists   map[string][]string // the ids of rows
	rows    map[string][]string // the tag of a row, and its cells
	pages   string              // a part
}

// view is what script.js does with a whole page.
func (c *pageClient) view(html string) {
	*c = pageClient{version: c.version, lists: map[string][]string{}, rows: map[string][]string{}, pages: pagesOf.FindString(html)}
	for _, body := range bodies.FindAllStringSubmatch(html, -1) {
		c.lists[body[1]] = []string{}
		for _, row := range rows.FindAllStringSubmatch(body[2], -1) {
			c.lists[body[1]] = append(c.lists[body[1]], row[2])
			c.row(row[0])
		}
	}
}

func (c *pageClient) row(html string) {
	row := rows.FindStringSubmatch(html)
	c.rows[row[2]] = append([]string{row[1]}, cells.FindAllString(row[3], -1)...)
}

// apply is the function of script.js. It fails for what the page does not have.
func (c *pageClient) apply(ch change) error {
	if html, ok := ch.Parts["pages"]; ok {
		c.pages = html
	}
	for id, cells := range ch.Cells {
		for n, html := range cells {
			if n+1 >= len(c.rows[id]) {
				return fmt.Errorf("row %s has no cell %d", id, n)
			}
			c.rows[id][n+1] = html
		}
	}
	for list, ids := range ch.Lists {
		for _, id := range ids {
			if c.rows[id] == nil && ch.Rows[id] == "" {
				return fmt.Errorf("row %s is missing", id)
			}
		}
		c.lists[list] = ids
	}
	for _, html := range ch.Rows {
		c.row(html)
	}
	listed := slices.Concat(slices.Collect(maps.Values(c.lists))...)
	maps.DeleteFunc(c.rows, func(id string, _ []string) bool { return !slices.Contains(listed, id) })
	return nil
}

// read takes the events of a stream.
func (c *pageClient) read(t *testing.T, events string) {
	t.Helper()
	for event := range strings.SplitSeq(events, "\n\n") {
		var name, id, data string
		for line := range strings.Lines(event) {
			switch field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": "); field {
			case "event":
				name = value
			case "id":
				id = value
			case "data":
				data = value
			}
		}
		switch name {
		case "view":
			var html string
			if err := json.Unmarshal([]byte(data), &html); err != nil {
				t.Fatal(err)
			}
			c.view(html)
			c.version = id
		case "parts":
			var ch change
			if err := json.Unmarshal([]byte(data), &ch); err != nil {
				t.Fatal(err)
			}
			if err := c.apply(ch); err != nil {
				t.Fatal(err)
			}
			c.version = id
		case "reload":
			t.Fatal("the stream sends a reload")
		}
	}
}

// TestPageChanges has a client that applies the changes of a stream have the page that a new
// client gets: in every view, over breaks after which the server knows its version, and over
// one after which it does not.
func TestPageChanges(t *testing.T) {
	t.Parallel()
	for _, query := range []string{"", "sort=connections&vsort=connections&page=2", "wrong=1", "q=10.3.0.", "virtual=tcp:10.0.0.3:80", "sort=-availability&vsort=-in"} {
		t.Run(query, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newCrowd(t, 5, true)
				page, events, _ := h.watch(t, query, 9*time.Second)
				c := pageClient{version: pageVersion(page)}
				c.view(page)
				c.read(t, events)
				for _, pause := range []time.Duration{time.Second, 3 * time.Second, 30 * time.Second} {
					time.Sleep(pause)
					if pause > 10*time.Second { // others have looked at other views meanwhile
						h.page.kept = nil
					}
					before := c.version
					events, _ := h.stream(t, query, c.version, 5*time.Second)
					c.read(t, events)
					if whole := strings.Contains(events, "event: view\n"); whole != (pause > 10*time.Second) || c.version == before {
						t.Errorf("after a break of %v: whole view %v, another version %v", pause, whole, c.version != before)
					}
				}
				d := h.page.known(c.version, h.page.kept[len(h.page.kept)-1].wanted)
				if d == nil {
					t.Fatal("the client has an unknown version")
				}
				var fresh pageClient
				fresh.view(d.body())
				fresh.version = c.version
				if diff := cmp.Diff(fresh, c, cmp.AllowUnexported(pageClient{})); diff != "" {
					t.Errorf("the page of a new client, and of one that has applied changes (-want +got):\n%s", diff)
				}
			})
		})
	}
}
