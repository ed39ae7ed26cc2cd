package checker_test

import (
	"crypto/tls"
	"fmt"
	"net/netip"
	"testing"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/realserver"
)

// web makes checks of one Nginx whose good answer is its page.
type web struct {
	t *testing.T
	d *realserver.Daemon
}

// A webCheck is what a check of a web server is made of.
type webCheck struct {
	checker.HTTPOptions
	addr netip.AddrPort
	tls  *tls.Config
}

// run is a check of the server on a port; change may be nil.
func (w web) run(port, request string, change func(*webCheck)) checker.Talker {
	w.t.Helper()
	o := webCheck{addr: w.d.Addr(port)}
	o.Service, o.Request = port[:min(len(port), len("https"))], request
	if port == "http6" {
		o.Service = "http"
	}
	o.Receive = receive(w.t, "LVS Page$")
	if change != nil {
		change(&o)
	}
	return newHTTP(w.t, o.HTTPOptions, o.addr, o.tls)
}

// tls is a change that speaks TLS so.
func (w web) tls(o checker.TLSOptions) func(*webCheck) {
	w.t.Helper()
	config, err := checker.TLSConfig(o)
	if err != nil {
		w.t.Fatal(err)
	}
	return func(h *webCheck) { h.tls = config }
}

// TestRealHTTP checks nginx.
func TestRealHTTP(t *testing.T) {
	d := realserver.Nginx(t, realserver.NewAuthority(t))
	w := web{t, d}
	head := func(o *webCheck) { o.Method, o.Receive = "HEAD", nil }
	withHost := func(host string) func(*webCheck) {
		return func(o *webCheck) {
			o.VirtualHost, o.HasVirtualHost = host, true
			o.Receive = receive(t, "^host is "+host+"$")
		}
	}
	talkReal(t, []realTalk{
		{name: "a page", check: w.run("http", "lvs.html", nil), detail: "200 OK"},
		{name: "after a redirect", check: w.run("http", "302", nil), detail: "200 OK"},
		{name: "only its head", check: w.run("http", "lvs.html", head), detail: "200 OK"},
		{name: "a virtual host", check: w.run("http", "host", withHost("www.example.com"))},
		{name: "no virtual host", check: w.run("http", "host", func(o *webCheck) {
			o.Receive = receive(t, fmt.Sprintf("^host is %s$", d.Addr("http").Addr()))
		})},
		{name: "version 1.0", check: w.run("http", "lvs.html", func(o *webCheck) { o.Version = "1.0" })},
		{name: "another text", check: w.run("http", "lvs.html", func(o *webCheck) {
			o.Receive = receive(t, "Test Page")
		}), err: `receive "Test Page" not found in 19 bytes: "This is a LVS Page\n"`},
		{name: "no such page", check: w.run("http", "nothing", nil), err: "404 Not Found"},
		{name: "in trouble", check: w.run("http", "500", nil), err: "500 Internal Server Error"},
		{name: "out of service", check: w.run("http", "503", nil), err: "503 Service Temporarily Unavailable"},
		{name: "round in circles", check: w.run("http", "loop", nil), err: "redirect"},
		{name: "a huge page without the text", check: w.run("http", "huge", nil), err: "not found"},
		{name: "http to the https port", check: w.run("http", "lvs.html", func(o *webCheck) {
			o.addr = d.Addr("https")
		}), err: "400 Bad Request"},
	})
	outage(t, d,
		w.run("http", "lvs.html", nil),
		w.run("http6", "lvs.html", nil),
		w.run("http", "lvs.html", head))
}

// TestRealHTTPS checks nginx over TLS.
func TestRealHTTPS(t *testing.T) {
	ca := realserver.NewAuthority(t)
	d := realserver.Nginx(t, ca)
	w := web{t, d}
	full := checker.TLSOptions{Verify: checker.VerifyFull, CAFile: ca.File, Name: realserver.NginxName}
	chain := checker.TLSOptions{CAFile: ca.File}
	other, client := full, chain
	other.Name = realserver.NginxOther
	certificate := ca.Client("monitor")
	client.CertFile, client.KeyFile = certificate.CertFile, certificate.KeyFile
	stranger := chain
	foreign := realserver.NewAuthority(t).Client("stranger")
	stranger.CertFile, stranger.KeyFile = foreign.CertFile, foreign.KeyFile
	run := func(port string, o checker.TLSOptions) checker.Talker {
		t.Helper()
		return w.run(port, "lvs.html", w.tls(o))
	}
	talkReal(t, []realTalk{
		{name: "SNI", check: run("https", other)},
		{name: "no such authority", check: run("https", checker.TLSOptions{}), err: "certificate signed by unknown authority"},
		{name: "no authority needed", check: run("https", checker.TLSOptions{Verify: checker.VerifyNone})},
		{name: "expired", check: run("https-expired", chain), err: "certificate has expired"},
		{name: "another name", check: run("https-wrong-name", full), err: "certificate is valid for wrong.example.com, not www.example.com"},
		{name: "another name does not matter", check: run("https-wrong-name", chain)},
		{name: "no client certificate", check: run("https-client", chain), err: "400 Bad Request"},
		{name: "a stranger's client certificate", check: run("https-client", stranger), err: "400 Bad Request"},
		{name: "https to the http port", check: w.run("https", "lvs.html", func(o *webCheck) {
			w.tls(chain)(o)
			o.addr = d.Addr("http")
		}), err: "TLS"},
		{name: "another text", check: w.run("https", "lvs.html", func(o *webCheck) {
			w.tls(chain)(o)
			o.Receive = receive(t, "Test Page")
		}), err: `receive "Test Page" not found in 19 bytes`},
		{name: "in trouble", check: w.run("https", "503", w.tls(chain)), err: "503 Service Temporarily Unavailable"},
	})
	version2 := w.run("https", "lvs.html", func(o *webCheck) {
		o.Version = "2"
		w.tls(checker.TLSOptions{CAFile: ca.File, ALPN: []string{"h2"}})(o)
	})
	outage(t, d, run("https", full), run("https12", full), run("https13", full), run("https-client", client), version2)
}

// TestRealProxy requests pages of nginx through tinyproxy, the real server.
func TestRealProxy(t *testing.T) {
	origin := realserver.Nginx(t, realserver.NewAuthority(t))
	d := realserver.Tinyproxy(t)
	run := func(url string) checker.Talker {
		t.Helper()
		return newHTTP(t, checker.HTTPOptions{Service: "http_proxy", Request: url, Receive: receive(t, "LVS Page")}, d.Addr("http_proxy"), nil)
	}
	site := "http://" + origin.Addr("http").String()
	talkReal(t, []realTalk{
		{name: "no such page", check: run(site + "/nothing"), err: "404 Not Found"},
		{name: "another text", check: run(site + "/host"), err: `receive "LVS Page" not found`},
		{name: "nobody there", check: run("http://127.0.0.1:1/"), err: "500 Unable to connect"},
	})
	outage(t, d, run(site+"/lvs.html"), run(site+"/302"))
}

// TestRealPort checks only nginx's port, in plain text and with TLS.
func TestRealPort(t *testing.T) {
	ca := realserver.NewAuthority(t)
	d := realserver.Nginx(t, ca)
	shaken := checker.TLS{Addr: d.Addr("https"), Config: trusting(ca, realserver.NginxName)}
	talkReal(t, []realTalk{
		{name: "TLS, another name", check: checker.TLS{Addr: shaken.Addr, Config: trusting(ca, "x.example")}, err: "not x.example"},
		{name: "TLS to the http port", check: checker.TLS{Addr: d.Addr("http"), Config: shaken.Config}, err: "TLS"},
	})
	outage(t, d, shaken)
	connect := checker.Connect{Addr: d.Addr("http")}
	talkReal(t, []realTalk{{name: "connect", check: connect}})
	d.Pause() // the kernel accepts for it
	talkReal(t, []realTalk{{name: "connect, paused", check: connect}})
	d.Stop()
	talkReal(t, []realTalk{{name: "connect, stopped", check: connect, err: "connection refused"}})
}
