package bench

import (
	"testing"

	"github.com/ldirectord/ldirectord/conf"
)

// A question is a kind of check, in the directives of our virtual service and of
// keepalived's real server.
type question struct {
	service    Service // what the servers speak
	ldirectord string
	keepalived string // the beginning of a block
}

// questions are the kinds that are compared. The certificate of https is nobody's
// business: keepalived does not look at it.
var questions = map[string]question{
	"connect": {
		HTTP, "\tprotocol=tcp\n\tservice=http\n\tchecktype=connect\n",
		"TCP_CHECK {\n",
	},
	"http": {
		HTTP, "\tprotocol=tcp\n\tservice=http\n" + page,
		"HTTP_GET {\n" + url,
	},
	"https": {
		HTTPS, "\tprotocol=tcp\n\tservice=https\n\tsslverify=no\n" + page,
		"SSL_GET {\n" + url,
	},
	"smtp": {
		SMTP, "\tprotocol=tcp\n\tservice=smtp\n\tchecktype=negotiate\n",
		"SMTP_CHECK {\n",
	},
	"dns": {
		DNS, "\tprotocol=udp\n\tservice=dns\n\tchecktype=negotiate\n\trequest=\"www.example.com\"\n\treceive=\"127.0.0.1\"\n",
		"DNS_CHECK {\n      type A\n      name www.example.com\n",
	},
	"ping": {
		HTTP, "\tprotocol=tcp\n\tservice=http\n\tchecktype=ping\n",
		"PING_CHECK {\n",
	},
}

const (
	page = "\tchecktype=negotiate\n\trequest=\"index.html\"\n\treceive=\"OK\"\n"
	url  = "      url {\n        path /index.html\n        status_code 200\n      }\n"
)

// What the programs are given is a configuration of so many real servers, also
// beside commands that hang.
func TestConfigurations(t *testing.T) {
	for kind := range questions {
		for _, hanging := range []int{0, 20} {
			w := work{kind: kind, n: 30, port: 8080, hanging: hanging, command: "/bin/true", interval: 7}
			t.Run(w.title(), func(t *testing.T) {
				file, err := ldirectordFile(t.TempDir(), w)
				if err != nil {
					t.Fatal(err)
				}
				c, err := conf.Load(file, conf.Options{Hostname: "bench"})
				if err != nil {
					t.Fatal(err)
				}
				n := 0
				for _, v := range c.Virtuals {
					n += len(v.Reals)
				}
				if n != w.n+hanging {
					t.Errorf("%d real servers, want %d", n, w.n+hanging)
				}
				if _, err := keepalivedFile(t.TempDir(), w); err != nil {
					t.Error(err)
				}
			})
		}
	}
}
