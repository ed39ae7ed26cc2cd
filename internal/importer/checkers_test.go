package importer

import "testing"

// checkerTests are as keepalivedTests, about the checkers.
var checkerTests = map[string]importTest{
	"checkers that are not here": {
		text: "track_file f {\n file /var/lib/f\n}\nbfd_instance b {\n neighbor_ip 10.1.0.2\n}\n" + in("", realOf(1, "  FILE_CHECK {\n   track_file f\n  }"), realOf(2, "  BFD_CHECK {\n   name b\n  }\n"+tcpCheck)),
		want: []string{"real = 10.1.0.1:8080 masq 1", "real = 10.1.0.2:8080 masq 1 check=connect", "checktype = on"},
		notes: []string{
			"FILE_CHECK track_file f is not carried over: a file in maintenancedir", "BFD_CHECK name b is not carried over",
		},
	},
	"where checks come from": {
		text:     in("", realOf(1, "  TCP_CHECK {\n   connect_ip 10.9.0.1\n   connect_port 81\n   bindto 10.9.0.2\n   bind_if eth1\n   fwmark 7\n  }")),
		want:     []string{"checkaddress = 10.9.0.1", "checkport = 81", "checksource = 10.9.0.2", "checkdevice = eth1", "checkmark = 7"},
		lossless: true,
	},
	"what no check can have": {
		text:    in("", realOf(1, "  TCP_CHECK {\n   connect_ip 10.1.0.1\n   connect_port 70000\n   bindto x\n   bind_port 9\n  }")),
		want:    []string{"!checkaddress", "!checkport", "!checksource"},
		notes:   []string{"connect_port 70000", "bindto x", "bind_port 9"},
		refused: []string{"number '70000'", "Invalid checker connect_port", "Invalid bindto"},
	},
	"hosts of smtp": {
		text:  in("", realOf(1, "  SMTP_CHECK {\n   host {\n    connect_ip 10.1.0.1\n   }\n   host {\n    connect_ip 10.2.0.1\n    connect_port 587\n   }\n   helo_name a.example\n  }")),
		want:  []string{"service = smtp", "check = smtp", "checkaddress = 10.2.0.1", "checkport = 587", "alsocheck = smtp"},
		notes: []string{"helo_name a.example is not carried over"},
	},
	"a weight by exit status": {
		text: in(" quorum 2", realOf(1, "  MISC_CHECK {\n   misc_path /etc/k/load\n   misc_dynamic\n  }"), realOf(2, tcpCheck+"\n  MISC_CHECK {\n   misc_path /etc/k/load\n   misc_dynamic\n  }")),
		want: []string{
			"check = load", "checkcommand = /etc/k/load", "externalweight = yes", "alsocheck = load", "checktype = on", "real = 10.1.0.2:8080 masq 1 check=connect", "quorum = 2",
		},
		notes: []string{"quorum 2 counts weights that checks change"},
	},
	"a weight by two exit statuses": {
		text:  in("", realOf(1, "  MISC_CHECK {\n   misc_path /etc/k/load\n   misc_dynamic\n  }\n  MISC_CHECK {\n   misc_path /etc/k/disk\n   misc_dynamic\n  }")),
		want:  []string{"checkcommand = /etc/k/load", "externalweight = yes", "check = disk", "alsocheck = disk"},
		notes: []string{"the checkers of 10.1.0.1 add their weights up there"},
	},
	"certificates of SSL_GET": {
		text:  "SSL {\n certificate /etc/k/cert.pem\n key /etc/k/key.pem\n ca /etc/k/ca.pem\n password xyz\n}\n" + in("", realOf(1, "  SSL_GET {\n   url {\n    path /\n   }\n  }")),
		want:  []string{"sslcert = /etc/k/cert.pem", "sslkey = /etc/k/key.pem", "!xyz"},
		notes: []string{"line 4: ca /etc/k/ca.pem: keepalived verifies no certificate by it", "line 5: password is not carried over"},
	},
	"certificates of none": {
		text:     "SSL {\n certificate /etc/k/cert.pem\n}\n" + in("", realOf(1, tcpCheck)),
		want:     []string{"!sslcert"},
		notes:    []string{"SSL is for SSL_GET"},
		lossless: true,
	},
	"tcp of udp": {
		text:  in(" protocol UDP", realOf(1, tcpCheck)),
		want:  []string{"checktype = ping"},
		notes: []string{"TCP_CHECK is not known for udp"},
	},
	"a datagram": {
		text:  in(" protocol UDP", realOf(1, "  UDP_CHECK {\n   payload 00\n  }")),
		want:  []string{"checktype = ping"},
		notes: []string{"UDP_CHECK without require_reply", "payload 00 is not"},
	},
	"a datagram of bytes": {
		text:  in(" protocol UDP", realOf(1, "  UDP_CHECK {\n   payload 00fe\n   require_reply\n  }")),
		want:  []string{"checktype = ping"},
		notes: []string{"payload 00fe is no text"},
	},
	"a datagram and its answer": {
		text: in(" protocol UDP", realOf(1, "  UDP_CHECK {\n   payload 2F 70696E67 0a\n   require_reply 704Fx4 4x XX\n   min_reply_length 5\n  }")),
		want: []string{
			"service = simpleudp", `request = "//ping\n"`, `receive = "(?s)\A(?=.{5,255}\z)\x70\x4F[\x04\x14\x24\x34\x44\x54\x64\x74\x84\x94\xA4\xB4\xC4\xD4\xE4\xF4][\x40-\x4F]."`,
			"negotiatetimeout = 5",
		},
		lossless: true,
	},
	"any answer to any datagram": {
		text:     in(" protocol UDP", realOf(1, "  UDP_CHECK {\n   require_reply\n  }")),
		want:     []string{"service = simpleudp", "!request", `receive = "(?s)\A(?=.{0,255}\z)"`},
		notes:    []string{"random bytes there"},
		lossless: true,
	},
	"dns": {
		text:     in(" protocol UDP", realOf(1, "  DNS_CHECK {\n   type A\n   name example.com\n  }")),
		want:     []string{"service = dns", `request = "example.com"`, `receive = "."`, "failurecount = 4", "!fastinterval"},
		lossless: true,
	},
	"dns without a dot": {
		text:     in(" protocol UDP", realOf(1, "  DNS_CHECK {\n   type a\n   name localhost\n  }")),
		want:     []string{`request = "localhost."`},
		lossless: true,
	},
	"dns of the root": {
		text:  in(" protocol UDP", realOf(1, "  DNS_CHECK {\n  }")),
		want:  []string{"checktype = ping"},
		notes: []string{"DNS_CHECK SOA . is not known, ping is taken"},
	},
}

func TestImportCheckers(t *testing.T) {
	for name, tt := range checkerTests {
		t.Run(name, tt.run)
	}
}
