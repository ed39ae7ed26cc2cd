package importer

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/conf"
)

// keepalivedKeywords are those of the virtual_server, real_server and checker blocks of keepalived.conf(5).
const keepalivedKeywords = `
virtual_server_group group fwmark delay_loop lvs_sched lb_algo hashed flag-1 flag-2 flag-3 sh-port sh-fallback mh-port mh-fallback ops
lvs_method lb_kind persistence_engine persistence_timeout persistence_granularity protocol ha_suspend smtp_alert snmp_name virtualhost
alpha omega quorum hysteresis quorum_up quorum_down ip_family retry delay_before_retry warmup connect_timeout inhibit_on_failure
log_all_failures sorry_server sorry_server_inhibit sorry_server_lvs_method real_server weight notify_up notify_down uthreshold lthreshold
connect_ip connect_port bindto bind_if bind_port HTTP_GET SSL_GET url path digest status_code regex regex_no_match regex_options
regex_stack regex_min_offset regex_max_offset http_protocol enable_sni sni_name fast_recovery tls_compliant nb_get_retry TCP_CHECK SMTP_CHECK
helo_name host DNS_CHECK type name MISC_CHECK misc_path misc_timeout misc_dynamic user BFD_CHECK UDP_CHECK payload require_reply
min_reply_length max_reply_length PING_CHECK FILE_CHECK track_file notification_email`

var (
	quotedWord = regexp.MustCompile("`([^`]+)`")
	directive  = regexp.MustCompile(`^[a-z0-9]+( = .*)?$`)
)

// TestKeywordsAreDocumented wants one row for each keyword of keepalived in the table of
// docs/compatibility.md, and directives that there are.
func TestKeywordsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/compatibility.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "\n## keepalived.conf\n")
	table, _, _ = strings.Cut(table, "\n## ")
	known := []string{"virtual", "virtual6", "gate", "masq", "ipip", "up", "down"}
	for _, d := range conf.Directives() {
		known = append(known, d.Name)
	}
	var found []string
	for line := range strings.Lines(table) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		words, here, _ := strings.Cut(line[2:], " | ")
		for _, m := range quotedWord.FindAllStringSubmatch(words, -1) {
			found = append(found, m[1])
		}
		for _, m := range quotedWord.FindAllStringSubmatch(here, -1) {
			if name, _, _ := strings.Cut(m[1], " "); directive.MatchString(m[1]) && !slices.Contains(known, name) {
				t.Errorf("%s: there is no directive %s", words, name)
			}
		}
	}
	want := strings.Fields(keepalivedKeywords)
	slices.Sort(want)
	slices.Sort(found)
	for _, word := range want {
		if n := len(found) - len(slices.DeleteFunc(slices.Clone(found), func(f string) bool { return f == word })); n != 1 {
			t.Errorf("%s has %d rows, want 1", word, n)
		}
	}
	for _, word := range found {
		if !slices.Contains(want, word) {
			t.Errorf("%s is no keyword of the list", word)
		}
	}
}
