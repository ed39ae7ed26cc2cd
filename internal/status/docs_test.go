package status

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/lab"
	"github.com/ldirectord/ldirectord/internal/realserver"
)

func readDoc(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../docs/monitoring", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What is served for programs is described, and nothing else is.
func TestOpenAPI(t *testing.T) {
	var served, described []string
	for _, r := range routes {
		method, path, _ := strings.Cut(r.pattern, " ")
		if strings.HasPrefix(path, "/api/") || slices.Contains([]string{"/healthz", "/readyz", "/metrics", "/served", "/served/{vip}"}, path) {
			control := ""
			if r.control {
				control = " with a token"
			}
			served = append(served, strings.ToLower(method)+" "+path+control)
		}
	}
	path := ""
	for line := range strings.Lines(readDoc(t, "openapi.yaml")) {
		switch {
		case strings.HasPrefix(line, "  /"):
			path = strings.TrimRight(line[2:], ":\n")
		case path != "" && (strings.HasPrefix(line, "    get:") || strings.HasPrefix(line, "    post:")):
			method, _, _ := strings.Cut(strings.TrimSpace(line), ":")
			described = append(described, method+" "+path)
		case strings.HasPrefix(line, "      security: [{token: []}]"):
			described[len(described)-1] += " with a token"
		case strings.HasPrefix(line, "components:"):
			path = ""
		}
	}
	slices.Sort(served)
	slices.Sort(described)
	if diff := cmp.Diff(served, described); diff != "" {
		t.Errorf("docs/monitoring/openapi.yaml (-served +described):\n%s", diff)
	}
}

// What the dashboard and the alerts ask for is there.
func TestMetricNames(t *testing.T) {
	h := newHouse(t, plainConfig)
	metrics := h.get(outside, "/metrics").Body.String()
	// These are only there when there is something to tell.
	rare := []string{"ldirectord_real_override", "ldirectord_real_certificate_end_time_seconds", "ldirectord_real_out_reason"}
	for _, name := range []string{"grafana.json", "alerts.yml"} {
		text := readDoc(t, name)
		if name == "grafana.json" && !json.Valid([]byte(text)) {
			t.Error("grafana.json is no JSON")
		}
		found := regexp.MustCompile(`ldirectord_[a-z_]+`).FindAllString(text, -1)
		if len(found) == 0 {
			t.Errorf("%s asks for nothing", name)
		}
		for _, metric := range found {
			if !slices.Contains(rare, metric) && !regexp.MustCompile(`(?m)^`+metric+`[ {]`).MatchString(metrics) {
				t.Errorf("%s asks for %s, which is not there", name, metric)
			}
		}
	}
}

// TestRules runs the tests of the alert rules in a real Prometheus's rule engine.
func TestRules(t *testing.T) {
	lab.Need(t, "prometheus")
	if out, err := exec.Command("promtool", "test", "rules", "../../docs/monitoring/alerts.test.yml").CombinedOutput(); err != nil {
		t.Errorf("promtool test rules: %v\n%s", err, out)
	}
}

// A real Prometheus takes the rules, likes the metrics and scrapes them.
func TestPrometheus(t *testing.T) {
	lab.Need(t, "prometheus")
	h := newHouse(t, plainConfig)
	server := httptest.NewServer(h.handler(outside))
	defer server.Close()
	rules, err := filepath.Abs("../../docs/monitoring/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("promtool", "check", "rules", rules).CombinedOutput(); err != nil {
		t.Errorf("promtool check rules: %v\n%s", err, out)
	}
	lint := exec.Command("promtool", "check", "metrics")
	lint.Stdin = strings.NewReader(h.get(outside, "/metrics").Body.String())
	if out, err := lint.CombinedOutput(); err != nil {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
	at := realserver.Prometheus(t, strings.TrimPrefix(server.URL, "http://"), rules).Addr("http")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	var answer []byte
	if !eventually.Holds(func() bool {
		resp, err := client.Get("http://" + at.String() + "/api/v1/query?query=ldirectord_virtual_reals_in")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		answer, err = io.ReadAll(resp.Body)
		return err == nil && strings.Contains(string(answer), `"virtual":"tcp:10.0.0.1:80"`)
	}) {
		t.Errorf("Prometheus has not scraped it: %s", answer)
	}
}

// TestOutReasonsAreDocumented wants each reason of a real server out of service in the list of all, and
// that list in the documents.
func TestOutReasonsAreDocumented(t *testing.T) {
	source, err := os.ReadFile("../report/outreason.go")
	if err != nil {
		t.Fatal(err)
	}
	var declared []string
	for _, m := range regexp.MustCompile(`(?m)^\tOut\w+ +OutReason = "(.+?)"`).FindAllStringSubmatch(string(source), -1) {
		declared = append(declared, m[1])
	}
	if got := strings.Join(declared, ", "); got != outReasons {
		t.Errorf("OutReasons has %s, want %s", outReasons, got)
	}
	for path, want := range map[string]string{
		"../../docs/monitoring.md":           "`" + strings.ReplaceAll(outReasons, ", ", "`, `") + "`",
		"../../docs/monitoring/openapi.yaml": "out_reason: {enum: [" + outReasons + "]}",
		"../../docs/reference.md":            outReasons,
	} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), want) {
			t.Errorf("%s does not have %s", path, want)
		}
	}
}
