package realserver_test

import (
	"fmt"

	"github.com/ldirectord/ldirectord/internal/realserver"
)

// page is the request to web servers.
const page = `request="lvs.html"`

// isPage is a pattern of the page.
const isPage = `receive="LVS Page$"`

// web is http, and all directives that are about it.
func (s *site) web(d *realserver.Daemon) {
	at := d.Addr("http")
	s.service("http", 80, at, d.Addr("http6"), page, isPage)
	for name, lines := range map[string][]string{
		"HEAD":                          {page, "httpmethod=HEAD"},
		"the address is the host":       {`request="host"`, fmt.Sprintf(`receive="host is %s$"`, at.Addr())},
		"a virtual host":                {`request="host"`, `receive="host is www.example.org$"`, "virtualhost=www.example.org"},
		"a header":                      {`request="asked"`, `receive="X-Check: a b$"`, `httpheader="X-Check: a b"`},
		"HTTP/1.0":                      {`request="asked"`, `receive="^HTTP/1.0"`, "httpversion=1.0"},
		"HTTP/1.1":                      {`request="asked"`, `receive="^HTTP/1.1"`, "httpversion=1.1"},
		"another status is good":        {`request="404"`, "httpstatus=200-299,404"},
		"a redirect is followed":        {`request="302"`, isPage},
		"a redirect is followed, yes":   {`request="302"`, isPage, "httpfollow=yes"},
		"a redirect is good":            {`request="302"`, "httpfollow=no", "httpstatus=302"},
		"a redirect on the same server": {`request="elsewhere"`, isPage, "httpfollow=same"},
		"what must not be is not":       {page, isPage, `receivenot="[Mm]aintenance"`},
		"enough of the body":            {page, `receive="LVS"`, "receivebytes=13"},
	} {
		s.up("http, "+name, unusual, at, append(lines, "service=http")...)
	}
	for name, c := range map[string]struct {
		why   string
		lines []string
	}{
		"another text":                 {`receive "Test Page" not found in 19 bytes: "This is a LVS Page\n"`, []string{page, `receive="Test Page"`}},
		"no such page":                 {"404 Not Found", []string{`request="nothing"`}},
		"in trouble":                   {"503 Service Temporarily Unavailable", []string{`request="503"`}},
		"another status is good":       {"200 OK", []string{page, "httpstatus=404"}},
		"a redirect is no answer":      {"302 Moved Temporarily", []string{`request="302"`, "httpfollow=no"}},
		"a redirect to nobody":         {"connection refused", []string{`request="elsewhere"`, "httpfollow=yes"}},
		"round in circles":             {"302 Moved Temporarily after ", []string{`request="loop"`}},
		"what must not be":             {`receivenot "LVS" found in 19 bytes`, []string{page, `receivenot="LVS"`}},
		"too little of the body":       {`receive "LVS" not found in 12 bytes`, []string{page, `receive="LVS"`, "receivebytes=12"}},
		"a huge page without the text": {`receive "LVS" not found in 1048576 bytes`, []string{`request="huge"`, `receive="LVS"`}},
	} {
		s.down("http, "+name, c.why, at, append(c.lines, "service=http")...)
	}
	s.down("http to the https port", "400 Bad Request", d.Addr("https"), "service=http", page)
}

// overTLS is https and tls, and all directives that are about TLS.
func (s *site) overTLS(d *realserver.Daemon, ca *realserver.Authority) {
	known := "sslcafile=" + ca.File
	good, other := "sslname="+realserver.NginxName, "sslname="+realserver.NginxOther
	s.service("https", 443, d.Addr("https"), d.Addr("https6"), page, isPage, known)
	s.service("tls", 0, d.Addr("https"), d.Addr("https6"), known)
	monitor, stranger := ca.Client("monitor"), realserver.NewAuthority(s.t).Client("stranger")
	for name, c := range map[string]struct {
		port  string
		lines []string
	}{
		"its name":                 {"https", []string{known, good, "sslverify=yes"}},
		"its address as name":      {"https", []string{known, "sslverify=yes"}},
		"the virtual host as name": {"https", []string{known, "virtualhost=" + realserver.NginxOther, "sslverify=yes"}},
		"SNI":                      {"https", []string{known, other, "sslverify=yes"}},
		"any name":                 {"https-wrong-name", []string{known, good}},
		"no authority needed":      {"https", []string{"sslverify=no"}},
		"expired, does not matter": {"https-expired", []string{"sslverify=no"}},
		"a client certificate":     {"https-client", []string{known, "sslcert=" + monitor.CertFile, "sslkey=" + monitor.KeyFile}},
		"TLS 1.2":                  {"https12", []string{known}},
		"TLS 1.3":                  {"https13", []string{known}},
		"HTTP/2":                   {"https", []string{known, "httpversion=2", `request="asked"`, `receive="^HTTP/2"`}},
		"ends soon":                {"https", []string{known, "sslexpirywarn=1"}},
	} {
		s.up("https, "+name, unusual, d.Addr(c.port), append([]string{page, isPage, "service=https"}, c.lines...)...)
	}
	for name, c := range map[string]struct {
		port, why string
		lines     []string
	}{
		"an unknown authority":            {"https", "certificate signed by unknown authority", nil},
		"an unknown authority, and names": {"https", "certificate signed by unknown authority", []string{good, "sslverify=yes"}},
		"another name":                    {"https-wrong-name", "certificate is valid for wrong.example.com, not www.example.com", []string{known, good, "sslverify=yes"}},
		"expired":                         {"https-expired", "certificate has expired", []string{known}},
		"no client certificate":           {"https-client", "400 Bad Request", []string{known}},
		"a stranger's client certificate": {"https-client", "400 Bad Request", []string{known, "sslcert=" + stranger.CertFile, "sslkey=" + stranger.KeyFile}},
		"another text":                    {"https", `receive "Test Page" not found`, []string{known, `receive="Test Page"`}},
		"TLS to the http port":            {"http", "TLS", []string{known}},
	} {
		s.down("https, "+name, c.why, d.Addr(c.port), append([]string{page, "service=https"}, c.lines...)...)
	}
	s.down("tls, an unknown authority", "certificate signed by unknown authority", d.Addr("https"), "service=tls")
	s.down("tls, another name", "not x.example", d.Addr("https"), "service=tls", known, "sslname=x.example", "sslverify=yes")
	s.down("tls to the http port", "TLS", d.Addr("http"), "service=tls", known)
}

// proxy is http_proxy. The web server behind the proxies goes on.
func (s *site) proxy(ca *realserver.Authority) {
	origin := realserver.Nginx(s.t, ca).Addr("http")
	d := s.daemon(realserver.Tinyproxy(s.t))
	ask := func(page string) string { return fmt.Sprintf(`request="http://%s/%s"`, origin, page) }
	s.service("http_proxy", 3128, d.Addr("http_proxy"), d.Addr("http_proxy6"), ask("lvs.html"), isPage)
	s.down("http_proxy, no such page", "404 Not Found", d.Addr("http_proxy"), "service=http_proxy", ask("nothing"))
	s.down("http_proxy, another text", `receive "Test Page" not found`, d.Addr("http_proxy"), "service=http_proxy", ask("lvs.html"), `receive="Test Page"`)
	s.down("http_proxy, nobody there", "500 Unable to connect", d.Addr("http_proxy"), "service=http_proxy", `request="http://127.0.0.1:1/"`)
}
