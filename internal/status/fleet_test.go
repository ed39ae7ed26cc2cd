package status

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/fleet"
	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestFleetViewIsShared has many readers cost no more rounds than one, and no rounds without
// readers.
func TestFleetViewIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		rounds, lasts := 0, time.Second
		v := &fleetView{ctx: t.Context(), ask: func(context.Context, *conf.Config) (*fleet.Summary, error) {
			mu.Lock()
			rounds++
			lasts := lasts
			mu.Unlock()
			time.Sleep(lasts)
			return &fleet.Summary{}, nil
		}}
		defer v.close()
		counted := func() int {
			mu.Lock()
			defer mu.Unlock()
			return rounds
		}
		cfg := &conf.Config{}
		read := func(readers int) {
			t.Helper()
			var all sync.WaitGroup
			for range readers {
				all.Go(func() {
					if _, err := v.get(t.Context(), cfg); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
		}
		read(1000)
		if n := counted(); n != 1 {
			t.Errorf("1000 readers cost %d rounds", n)
		}
		for range 10 { // for 10 s
			time.Sleep(time.Second)
			read(100)
		}
		if n := counted(); n > 3 {
			t.Errorf("readers of 10 s cost %d rounds", n)
		}
		time.Sleep(time.Hour)
		if n := counted(); n > 3 {
			t.Errorf("without readers there were %d rounds", n)
		}

		// A slow round does not keep readers from the last one, which must not be old.
		read(1)
		mu.Lock()
		lasts = time.Minute
		mu.Unlock()
		time.Sleep(fleetAge)
		began := time.Now()
		read(10)
		if d := time.Since(began); d != 0 {
			t.Errorf("readers waited %v for a slow director", d)
		}
		time.Sleep(fleetOld)
		read(10)
		if d := time.Since(began); d != time.Minute {
			t.Errorf("an old round was shown after %v", d)
		}
		before := counted()
		cfg = &conf.Config{} // a reload
		read(1)
		if n := counted(); n != before+1 {
			t.Errorf("after a reload there were %d rounds, want %d", n, before+1)
		}
	})
}

// TestFleetRows never shows a director without contact as fine, and says how old its data is.
func TestFleetRows(t *testing.T) {
	now := time.Now()
	r := &fleetRound{contact: map[string]time.Time{"d2:1": now.Add(-time.Minute)}, sum: &fleet.Summary{Directors: []fleet.Member{
		{Director: "d1:1", State: "running", Time: now.Add(-3 * time.Second)},
		{Director: "d2:1", Error: "no contact: x"},
		{Director: "d3:1", Error: "no contact: x"},
		{Director: "d4:1", State: "running", DryRun: true, Time: now},
	}}}
	var got []string
	for _, row := range r.rows(now) {
		got = append(got, fmt.Sprintf("%s %s %d %s", row.Director, row.Class, row.Age, row.Words))
	}
	want := "d1:1 fine 3 running\nd2:1 bad 60 no contact: x\nd3:1 bad -1 no contact: x\nd4:1 notable 0 dry run"
	if text := strings.Join(got, "\n"); text != want {
		t.Errorf("rows\n%s\nwant\n%s", text, want)
	}
}

// TestFleetAddresses are fine only if each director serves them.
func TestFleetAddresses(t *testing.T) {
	says := func(word string, directors ...string) fleet.Subject {
		return fleet.Subject{Name: "10.0.0.1", Agreed: true, Says: []fleet.Say{{Word: word, Directors: directors}}}
	}
	split := says("served", "d1")
	split.Agreed, split.Says = false, append(split.Says, fleet.Say{Word: "withdrawn", Directors: []string{"d2"}})
	for name, tt := range map[string]struct {
		of   fleet.Subject
		want string
	}{
		"all":         {says("served", "d1", "d2"), "fine served by 2 of 2 directors"},
		"not all":     {says("served", "d1"), "notable served by 1 of 2 directors"},
		"none":        {says("not served", "d1", "d2"), "notable not served"},
		"they differ": {split, "notable served on d1; withdrawn on d2"},
	} {
		rows := addressRows(&fleet.Summary{Directors: make([]fleet.Member, 2), Addresses: []fleet.Subject{tt.of}})
		if got := rows[0].Class + " " + rows[0].Words; got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

// TestFleetPage is the page of this director, which asks itself, and of one that is not there.
func TestFleetPage(t *testing.T) {
	h := newHouse(t, plainConfig)
	at := h.listens(t, conf.Config{})
	if resp, body := send(t, at, "GET", "/fleet", ""); resp.StatusCode != http.StatusNotFound || !strings.Contains(body, "there is no fleet") {
		t.Errorf("without directors: %s %s", resp.Status, body)
	}
	if _, body := send(t, at, "GET", "/", ""); strings.Contains(body, `href="/fleet"`) {
		t.Error("without directors the page has a link to the fleet")
	}
	nobody := lab.HoldPort(t).String()
	h.Use(&conf.Config{StatusServer: conf.StatusServer{StatusListen: at, Directors: []string{at, nobody}}})
	resp, body := send(t, at, "GET", "/fleet", "")
	for _, want := range []string{
		"<h1>No contact to 1 of 2 directors</h1>", `<b>` + at + `</b>`, `<li class="bad"><b>` + nobody + `</b> <span>no contact: connection refused</span>`, "no contact yet", " s old",
	} {
		if resp.StatusCode != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: no %s in\n%s", resp.Status, want, body)
		}
	}
	if strings.Contains(body, `class="fine"`) && strings.Contains(body, `<section id="summary" class="fine"`) {
		t.Error("it is shown as fine")
	}
	if _, body := send(t, at, "GET", "/", ""); !strings.Contains(body, `href="/fleet"`) {
		t.Error("the page has no link to the fleet")
	}
	if resp, _ := send(t, at, "GET", "/fleet.js", ""); resp.StatusCode != http.StatusOK {
		t.Errorf("its script: %s", resp.Status)
	}
}

// TestFleetPageWithoutToken says why no director can be asked.
func TestFleetPageWithoutToken(t *testing.T) {
	h := newHouse(t, plainConfig)
	at := h.listens(t, conf.Config{})
	h.Use(&conf.Config{StatusServer: conf.StatusServer{StatusListen: at, Directors: []string{at}, StatusCA: "/nosuch/ca.pem"}})
	if _, body := send(t, at, "GET", "/fleet", ""); !strings.Contains(body, "No director can be asked") || !strings.Contains(body, "/nosuch/ca.pem") {
		t.Errorf("the page is\n%s", body)
	}
}
