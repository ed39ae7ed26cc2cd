package importer

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// What keywords a checker may have: those of its times, and those of its connection.
const (
	timeWords       = "retry delay_before_retry warmup delay_loop alpha log_all_failures "
	connectionWords = "connect_ip connect_port bindto bind_port bind_if connect_timeout fwmark " + timeWords
	webWords        = "nb_get_retry virtualhost http_protocol enable_sni sni_name fast_recovery tls_compliant url " + connectionWords
)

// keepalivedWords are the keywords of each block, as keepalived 2.2 and 2.4 have them.
var keepalivedWords = map[string]string{
	"virtual_server": `ip_family retry delay_before_retry warmup connect_timeout delay_loop inhibit_on_failure lb_algo lvs_sched hashed ops
		flag-1 flag-2 flag-3 sh-port sh-fallback mh-port mh-fallback lb_kind lvs_method persistence_engine persistence_timeout
		persistence_granularity protocol ha_suspend smtp_alert virtualhost snmp_name alpha omega quorum_up quorum_down quorum hysteresis weight
		sorry_server sorry_server_inhibit sorry_server_lvs_method real_server`,
	"real_server": `weight lvs_method uthreshold lthreshold inhibit_on_failure notify_up notify_down alpha retry delay_before_retry warmup
		connect_timeout delay_loop smtp_alert virtualhost snmp_name
		BFD_CHECK DNS_CHECK FILE_CHECK HTTP_GET MISC_CHECK PING_CHECK SMTP_CHECK SSL_GET TCP_CHECK UDP_CHECK`,
	"HTTP_GET":   webWords,
	"SSL_GET":    webWords,
	"url":        "path digest status_code virtualhost regex regex_no_match regex_options regex_min_offset regex_max_offset regex_stack tls_compliant",
	"TCP_CHECK":  connectionWords,
	"PING_CHECK": connectionWords,
	"SMTP_CHECK": "helo_name host " + connectionWords,
	"host":       connectionWords,
	"DNS_CHECK":  "type name " + connectionWords,
	"MISC_CHECK": "misc_path misc_timeout misc_dynamic user " + timeWords,
	"UDP_CHECK":  "payload require_reply min_reply_length max_reply_length " + connectionWords,
	"FILE_CHECK": "track_file weight dynamic",
	"BFD_CHECK":  "name alpha",
	"SSL":        "password ca certificate key",
}

// switches are the keywords that a boolean may follow.
var switches = []string{"alpha", "log_all_failures", "enable_sni", "fast_recovery", "tls_compliant", "inhibit_on_failure", "smtp_alert"}

// withoutRefused leaves out of the block of n, and of those in it, what keepalived does not know there, and
// switches and times with other values than theirs.
func withoutRefused(n *node, add func(note)) {
	known := strings.Fields(keepalivedWords[n.Name()])
	n.Block = slices.DeleteFunc(n.Block, func(c *node) bool {
		var what string
		switch name := c.Name(); {
		case !slices.Contains(known, name):
			what = fmt.Sprintf("%s is not carried over: keepalived knows no %s in %s", c, name, n.Name())
		case slices.Contains(switches, name) && !isSwitch(c) && (n.Name() != "virtual_server" || name == "smtp_alert"):
			what = fmt.Sprintf("%s: that is neither yes nor no", c)
		case name == "warmup" && !isDecimal(c.Word(0)):
			what = fmt.Sprintf("%s: that is no time", c)
		default:
			return false
		}
		add(lost(c.Line, "%s", what))
		return true
	})
	for _, c := range n.Block {
		if keepalivedWords[c.Name()] != "" {
			withoutRefused(c, add)
		}
	}
}

// isSwitch reports whether n has a boolean or nothing behind it, which is true.
func isSwitch(n *node) bool {
	return len(n.Words) == 1 || slices.Contains([]string{"true", "on", "yes", "false", "off", "no"}, n.Words[1])
}

// isDecimal reports whether s is a number as keepalived takes it for times.
func isDecimal(s string) bool {
	_, err := strconv.ParseFloat(s, 64)
	return err == nil && strings.Trim(s, "0123456789.") == ""
}
