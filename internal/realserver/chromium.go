package realserver

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// Chromium starts a browser without a window and returns the address of its
// DevTools.
func Chromium(t *testing.T) (devTools string) {
	t.Helper()
	lab.Need(t, "chromium-headless-shell", "fonts-dejavu-core")
	d := newDaemon(t, "chromium")
	d.ready = devToolsLine
	d.run("/usr/bin/chromium-headless-shell", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--no-first-run", "--disable-background-networking", "--user-data-dir="+d.Dir, "--remote-debugging-port=0", "--remote-allow-origins=*", "about:blank")
	_, rest, _ := strings.Cut(d.output(), devToolsLine)
	devTools, _, _ = strings.Cut(rest, "/")
	return devTools
}

const devToolsLine = "DevTools listening on ws://"

// Prometheus starts a Prometheus that scrapes target each second with a file of
// rules. Its port is "http".
func Prometheus(t *testing.T, target, rules string) *Daemon {
	t.Helper()
	lab.Need(t, "prometheus")
	d := newDaemon(t, "prometheus")
	d.ready = "Server is ready to receive web requests"
	config := d.write("prometheus.yml", fmt.Sprintf("global: {scrape_interval: 1s}\nrule_files: [%s]\n"+
		"scrape_configs:\n- job_name: ldirectord\n  static_configs: [{targets: [%q]}]\n", rules, target))
	return d.run("/usr/bin/prometheus", "--config.file="+config, "--storage.tsdb.path="+d.Dir+"/data",
		"--web.listen-address="+d.listen("http", "tcp").String())
}
