package importer

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/conf"
)

// globalKeywords are those of global_defs that LVS has.
const globalKeywords = `notification_email notification_email_from smtp_server smtp_alert smtp_alert_checker smtp_helo_name smtp_connect_timeout
	checker_log_all_failures no_checker_emails lvs_sync_daemon lvs_timeouts lvs_flush lvs_flush_on_stop lvs_flush_onstop script_user
	enable_script_security lvs_notify_fifo lvs_notify_fifo_script net_namespace net_namespace_ipvs nftables_ipvs`

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
	want := []string{"virtual_server", "virtual_server_group", "group", "SSL"}
	for _, words := range keepalivedWords {
		want = append(want, strings.Fields(words)...)
	}
	want = append(want, strings.Fields(globalKeywords)...)
	slices.Sort(want)
	want = slices.Compact(want)
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

// keywordValues are what follows a keyword, where it is not one of its block alone.
var keywordValues = map[string]string{
	"retry": "4", "delay_before_retry": "7", "warmup": "9", "connect_timeout": "8", "delay_loop": "11", "lb_algo": "rr", "lvs_sched": "rr",
	"lb_kind": "TUN", "lvs_method": "TUN", "persistence_engine": "sip", "persistence_timeout": "50", "persistence_granularity": "255.255.0.0",
	"protocol": "UDP", "virtualhost": "v.example", "snmp_name": "s", "quorum_up": "/bin/up", "quorum_down": "/bin/down", "quorum": "2", "hysteresis": "1",
	"weight": "5", "sorry_server": "10.1.0.9 80", "sorry_server_inhibit": "", "sorry_server_lvs_method": "TUN", "real_server": "10.1.0.3 80 {\n}",
	"ip_family": "inet", "uthreshold": "9", "lthreshold": "3", "notify_up": "/bin/up", "notify_down": "/bin/down", "smtp_alert": "yes",
	"nb_get_retry": "4", "http_protocol": "1.1", "sni_name": "s.example", "url": "{\n path /v\n}", "path": "/p", "digest": "9b3a0c85a887a256d6939da88aabd8cd",
	"status_code": "404", "regex": "r", "regex_options": "caseless", "regex_min_offset": "1", "regex_max_offset": "9",
	"connect_ip": "10.1.0.7", "connect_port": "99", "bindto": "10.1.0.8", "bind_port": "98", "bind_if": "lo", "fwmark": "6",
	"helo_name": "h.example", "host": "{\n connect_ip 10.1.0.6\n}", "type": "AAAA", "name": "n.example", "misc_path": "/bin/m", "misc_timeout": "4",
	"user": "root", "payload": "41", "require_reply": "42", "min_reply_length": "2", "max_reply_length": "8", "track_file": "f",
	"password": "p", "ca": "/ca", "certificate": "/c", "key": "/k",
	"BFD_CHECK": "{\n name b\n}", "FILE_CHECK": "{\n track_file f\n}", "MISC_CHECK": "{\n misc_path /bin/m\n}", "HTTP_GET": "{\n url {\n path /u\n }\n}",
	"SSL_GET": "{\n url {\n path /u\n }\n}", "DNS_CHECK": "{\n type A\n name n.example\n}", "PING_CHECK": "{\n}", "SMTP_CHECK": "{\n}", "TCP_CHECK": "{\n connect_port 9\n}", "UDP_CHECK": "{\n}",
}

// keywordBefore are lines that a keyword needs before it.
var keywordBefore = map[string]string{
	"sorry_server_inhibit": "sorry_server 10.1.0.9 80", "sorry_server_lvs_method": "sorry_server 10.1.0.9 80", "hysteresis": "quorum 2", "lthreshold": "uthreshold 9",
	"sh-port": "lb_algo sh", "sh-fallback": "lb_algo sh", "mh-port": "lb_algo mh", "mh-fallback": "lb_algo mh", "hashed": "lb_algo sh", "omega": "quorum_down /bin/down", "delay_before_retry": "retry 4",
	"min_reply_length": "require_reply", "max_reply_length": "require_reply", "payload": "require_reply",
	"regex_no_match": "regex r", "regex_options": "regex r", "regex_stack": "regex r", "regex_min_offset": "regex r", "regex_max_offset": "regex r",
}

// sameHere are keywords that say what is so here without them: neither a directive nor a comment follows.
var sameHere = []string{"alpha", "hashed", "ip_family", "log_all_failures", "warmup", "fast_recovery", "tls_compliant", "enable_sni"}

// keywordBlocks are a file of keepalived around the lines of each block.
func keywordBlock(block, lines string) string {
	real := func(checker string) string {
		return in("", realOfWeight(2, 1), " real_server 10.1.0.1 8080 {\n"+checker+" }")
	}
	named := "global_defs {\n smtp_alert no\n notification_email {\n  root\n }\n smtp_server 10.0.0.25\n}\ntrack_file f {\n file /f\n}\nbfd_instance b {\n neighbor_ip 10.1.0.1\n}\n"
	const url = " url {\n path /u\n }\n"
	switch block {
	case "virtual_server":
		return named + in(lines, " real_server 10.1.0.1 8080 {\n"+getA+"\n }", " real_server 10.1.0.2 8080 {\n"+getA+"\n }")
	case "real_server":
		return named + real(lines+getA+"\n")
	case "HTTP_GET", "SSL_GET":
		return real(block + " {\n" + url + lines + "}\n")
	case "url":
		return real("HTTP_GET {\nurl {\n path /u\n" + lines + "}\n}\n")
	case "host":
		return real("SMTP_CHECK {\nhost {\n" + lines + "}\n}\n")
	case "MISC_CHECK":
		return real("MISC_CHECK {\nmisc_path /bin/c\n" + lines + "}\n")
	case "FILE_CHECK":
		return named + real("FILE_CHECK {\ntrack_file f\n"+lines+"}\n")
	case "BFD_CHECK":
		return named + real("BFD_CHECK {\nname b\n"+lines+"}\n")
	case "SSL":
		return "SSL {\n" + lines + "}\n" + real("SSL_GET {\n"+url+"}\n")
	}
	return real(block + " {\n" + lines + "}\n")
}

// TestKeywordsAreMet imports each keyword of keepalived in each block: the new file has a directive or a
// comment of it. keepalived knows each of them.
func TestKeywordsAreMet(t *testing.T) {
	needKeepalived(t)
	for _, block := range slices.Sorted(maps.Keys(keepalivedWords)) {
		t.Run(block, func(t *testing.T) {
			var all strings.Builder
			for word := range strings.FieldsSeq(keepalivedWords[block]) {
				before := keywordBefore[word]
				if before != "" {
					before += "\n"
				}
				line := before + word + " " + keywordValues[word] + "\n"
				all.WriteString(line)
				without, err := Import(keywordBlock(block, before), Source{})
				if err != nil {
					t.Fatal(err)
				}
				with, err := Import(keywordBlock(block, line), Source{})
				if err != nil {
					t.Fatal(err)
				}
				load(t, with.Config)
				same := withoutLines(with.Config) == withoutLines(without.Config)
				if want := slices.Contains(sameHere, word) && block != "BFD_CHECK"; same != want {
					t.Errorf("%s in %s: neither a directive nor a comment: %v, want %v\n%s", word, block, same, want, with.Config)
				}
			}
			for _, fault := range faultsOf(t, t.TempDir(), keywordBlock(block, all.String())) {
				if strings.Contains(fault, "Unknown keyword") && !strings.Contains(fault, "'dynamic'") {
					t.Errorf("keepalived: %s", fault)
				}
			}
		})
	}
}

// withoutLines is a configuration without the numbers of lines in its comments.
func withoutLines(config string) string { return numbers.ReplaceAllString(config, "line") }

var numbers = regexp.MustCompile(`line [0-9]+`)
