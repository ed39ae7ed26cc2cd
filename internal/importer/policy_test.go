package importer

import (
	"os/exec"
	"strings"
	"testing"
)

// policyTests are as keepalivedTests, about who is in service and who is told.
var policyTests = map[string]importTest{
	"quorum of equal weights": {
		text: in(" quorum 7\n hysteresis 2\n alpha", realOf(1, tcpCheck), realOf(2, tcpCheck), realOf(3, tcpCheck), realOf(4, tcpCheck), realOf(5, tcpCheck),
			realOf(6, tcpCheck), realOf(7, tcpCheck), realOf(8, tcpCheck), realOf(9, tcpCheck), realOf(10, tcpCheck)),
		want:     []string{"quorum = 5", "hysteresis = 4"},
		notes:    []string{"lost with fewer than 5 up, met again with 9; at a start 5 is enough"},
		lossless: true,
	},
	"quorum of weights": {
		text:     in(" weight 10\n quorum 15", realOfWeight(1, 10), realOfWeight(2, 10), "real_server 10.1.0.3 8080 {\n"+tcpCheck+"\n}"),
		want:     []string{"real = 10.1.0.3:8080 masq 10", "quorum = 2", "!hysteresis"},
		lossless: true,
	},
	"quorum above all": {
		text:     in(" quorum 9", realOf(1, tcpCheck), realOf(2, tcpCheck)),
		want:     []string{"quorum = 2"},
		lossless: true,
	},
	"quorum of different weights": {
		text:  in(" quorum 3", realOfWeight(1, 3), realOfWeight(2, 2), realOfWeight(3, 2)),
		want:  []string{"!quorum"},
		notes: []string{"line 3: quorum 3 of weights is not carried over: the weights of the real servers differ"},
	},
	"quorum of all, with different weights": {
		text:     in(" quorum 6", realOfWeight(1, 3), realOfWeight(2, 2), realOfWeight(3, 2)),
		want:     []string{"quorum = 3"},
		lossless: true,
	},
	"quorum without a real server of weight 0": {
		text:  in(" quorum 2", realOf(1, tcpCheck), realOf(2, tcpCheck), realOfWeight(3, 0)),
		want:  []string{"quorum = 2"},
		notes: []string{"weight 0 gets no connections"},
	},
	"one command for the quorum": {
		text:     in(" quorum_up \"/etc/k/notify 'the web' up\"\n quorum_down \"/etc/k/notify 'the web' down\"\n omega", realOf(1, tcpCheck)),
		want:     []string{"quorum = 1", "quorumcommand = /etc/k/notify 'the web'", "stopcommands = yes"},
		notes:    []string{"quorumcommand adds the virtual service and its protocol behind up and down"},
		lossless: true,
	},
	"two commands for the quorum": {
		text: in(" quorum_up /etc/k/up.sh\n quorum_down \"/etc/k/down.sh now\" nobody nogroup\n omega", realOf(1, tcpCheck)),
		want: []string{"!quorumcommand"},
		notes: []string{
			"quorum_up /etc/k/up.sh is not", "quorum_down /etc/k/down.sh now nobody nogroup is not", "is run as nobody:nogroup there", "omega is not carried over",
			"both as one: quorum = 1, and quorumcommand = sh -c 'case $0 in up) exec /etc/k/up.sh ;; down) exec /etc/k/down.sh now ;; esac'",
		},
	},
	"omega without a command": {
		text:     in(" omega\n lb_algo sh\n hashed\n smtp_alert\n snmp_name \"web one\"", realOf(1, tcpCheck)),
		want:     []string{"servicename = web one"},
		lossless: true,
	},
	"weight 0 of some": {
		text:  in(" inhibit_on_failure", realOf(1, tcpCheck), " real_server 10.1.0.2 8080 {\n inhibit_on_failure no\n"+tcpCheck+"\n }"),
		want:  []string{"quiescent = yes"},
		notes: []string{"inhibit_on_failure of 10.1.0.1 only", "and 10.1.0.2 stay in the table, too"},
	},
	"global_defs of LVS": {
		text: "global_defs {\n lvs_sync_daemon eth0 inst V maxlen 1400 port 8849 group 224.0.0.90\n lvs_timeouts tcp 7200 udp 60\n}\n" +
			"vrrp_instance V {\n interface eth0\n virtual_router_id 51\n}\n" + in("", realOf(1, tcpCheck)),
		want:  []string{"syncdaemon = both eth0 id 51 group 224.0.0.90 port 8849 mtu 1428", "ipvstimeouts = 7200 0 60"},
		notes: []string{"both sends and receives all the time; take lvs_sync_daemon out", "vrrp_instance V is not carried over"},
	},
	"global_defs of LVS, with an id": {
		text:     "global_defs {\n lvs_sync_daemon eth1 id 7 ttl 1\n lvs_timeouts tcpfin 30\n no_checker_emails\n}\n" + in("", realOf(1, tcpCheck)),
		want:     []string{"syncdaemon = both eth1 id 7", "ipvstimeouts = 0 30 0"},
		lossless: true,
	},
	"global_defs of LVS that are not here": {
		text:  "global_defs {\n lvs_sync_daemon eth1 V ttl 9\n lvs_flush\n lvs_flush_on_stop\n script_user root\n enable_script_security\n lvs_notify_fifo /run/f\n smtp_helo_name a\n}\n" + in("", realOf(1, tcpCheck)),
		want:  []string{"!syncdaemon"},
		notes: []string{"syncdaemon has no ttl 9", "lvs_flush is not", "see cleanstop", "see checkuser", "commands that others may change", "notifycommand is run", "the host's name is sent"},
	},
	"mails": {
		text: "global_defs {\n notification_email {\n  a@example.com b@example.com\n  root\n }\n notification_email_from lvs@example.com\n smtp_server 10.0.0.25\n}\n" +
			in("", realOf(1, tcpCheck)),
		want:     []string{"emailalert = a@example.com, b@example.com, root", "emailalertfrom = lvs@example.com", "smtp = 10.0.0.25"},
		lossless: true,
	},
	"mails of some": {
		text: "global_defs {\n notification_email {\n  root\n }\n smtp_server 127.0.0.1 25\n smtp_alert no\n}\n" +
			in("", realOf(1, "  smtp_alert yes\n"+tcpCheck)) + strings.Replace(in("", realOf(1, tcpCheck)), "10.0.0.1", "10.0.0.2", 1),
		want:     []string{"    emailalert = root", "!smtp"},
		notes:    []string{"mails go to the local mailer"},
		lossless: true,
	},
	"mails of one": {
		text: "global_defs {\n notification_email {\n  root\n }\n smtp_server 10.0.0.25\n smtp_alert no\n}\n" +
			in("", realOf(1, "  smtp_alert\n"+tcpCheck), realOf(2, tcpCheck)),
		want:     []string{"emailalert = root"},
		notes:    []string{"line 18: real_server 10.1.0.2 8080 sends no mails there: emailalert is for the whole virtual service"},
		lossless: true,
	},
	"mails without a server": {
		text:     "global_defs {\n notification_email {\n  root\n }\n}\n" + in("", realOf(1, tcpCheck)),
		want:     []string{"!emailalert"},
		notes:    []string{"notification_email: keepalived sends no mails without a smtp_server"},
		lossless: true,
	},
	"no mails": {
		text:     "global_defs {\n notification_email {\n  root\n }\n smtp_server fd00::25 2525\n smtp_alert_checker no\n}\n" + in("", realOf(1, tcpCheck)),
		want:     []string{"!emailalert", "!smtp"},
		notes:    []string{"notification_email: no real server sends mails"},
		lossless: true,
	},
	"a mail server at a port": {
		text:  "global_defs {\n notification_email {\n  root\n }\n smtp_server 10.0.0.25 2525\n}\n" + in("", realOf(1, tcpCheck)),
		want:  []string{"emailalert = root", "!smtp"},
		notes: []string{"smtp_server 10.0.0.25 2525 is not carried over"},
	},
	"thresholds": {
		text:  in("", realOf(1, "  uthreshold 9\n  lthreshold 4\n"+tcpCheck), realOf(2, "  lthreshold 4\n"+tcpCheck)),
		want:  []string{"real = 10.1.0.1:8080 masq 1 l:4 u:9", "real = 10.1.0.2:8080 masq 1"},
		notes: []string{"lthreshold 4 is not carried over: the kernel refuses it"},
	},
	"a group of ports": {
		text:     "virtual_server_group G {\n 10.0.0.1 80\n 10.0.0.2 80\n 10.0.0.1 443\n 10.0.0.1 8080\n}\n" + strings.Replace(in("", realOf(1, tcpCheck)), "10.0.0.1 80", "group G", 1),
		want:     []string{"virtual = 10.0.0.1:80", "also = 10.0.0.2:80", "also = 10.0.0.1:443,8080"},
		lossless: true,
	},
	"a group whose ports are the real servers'": {
		text:     "virtual_server_group G {\n 10.0.0.1 80\n 10.0.0.1 443\n}\nvirtual_server group G {\n protocol TCP\n real_server 10.1.0.1 {\n" + tcpCheck + "\n }\n}\n",
		want:     []string{"virtual = 10.0.0.1:80", "virtual = 10.0.0.1:443", "real = 10.1.0.1:80 masq 1", "real = 10.1.0.1:443 masq 1", "!also"},
		lossless: true,
	},
	"a group of marks": {
		text:     "virtual_server_group G {\n fwmark 1\n fwmark 2 inet6\n}\nvirtual_server group G {\n lvs_method TUN\n real_server fd00::1 80 {\n" + tcpCheck + "\n }\n}\n",
		want:     []string{"virtual6 = 1", "virtual6 = 2"},
		lossless: true,
	},
}

func TestImportPolicy(t *testing.T) {
	for name, tt := range policyTests {
		t.Run(name, tt.run)
	}
}

// TestEitherCommand runs the command that a note proposes for two, as quorumcommand is run.
func TestEitherCommand(t *testing.T) {
	line, ok := eitherCommand([]string{"/bin/echo", "gained", "it"}, []string{"/bin/echo", "lost"})
	if !ok {
		t.Fatal("there is none")
	}
	for verb, want := range map[string]string{"up": "gained it\n", "down": "lost\n"} {
		out, err := exec.CommandContext(t.Context(), "sh", "-c", line+" "+verb+" 10.0.0.1:80 tcp").CombinedOutput()
		if err != nil || string(out) != want {
			t.Errorf("%s %s: %q, %v; want %q", line, verb, out, err, want)
		}
	}
	if line, ok := eitherCommand([]string{"/bin/echo", "it's"}, nil); ok {
		t.Errorf("quotes are in %s", line)
	}
}
