package realserver

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// NginxName is the host name that the certificates of Nginx are for, beside
// its address. NginxOther is a second one with a certificate of its own, to be
// had by SNI only.
const (
	NginxName  = "www.example.com"
	NginxOther = "other.example.com"
)

// NginxPage is the text of /lvs.html.
const NginxPage = "This is a LVS Page\n"

// Nginx starts a web server whose certificates ca signs. Its ports:
//
//	http, http6       http on 127.x.x.x and on ::1
//	https, https6     TLS 1.2 and 1.3, http/1 and 2; the certificate depends on SNI
//	https12, https13  one of the two versions only
//	https-client      requires a client's certificate, signed by ca
//	https-expired     the certificate has expired
//	https-wrong-name  the certificate is for another name
//
// All have the same pages: /lvs.html is NginxPage, /host the Host of the request,
// /asked its version of HTTP and its header X-Check, /404, /500 and /503 have that
// status, /302 redirects to /lvs.html, /elsewhere to /lvs.html on a port without a
// listener, /loop to itself, and /huge is 10 MiB.
func Nginx(t *testing.T, ca *Authority) *Daemon {
	t.Helper()
	lab.Need(t, "nginx")
	d := newDaemon(t, "nginx")
	d.write("pages/lvs.html", NginxPage)
	d.write("pages/huge", strings.Repeat("0123456789abcdef", 10<<20/16))
	address := loopback().String()
	good := ca.Server(NginxName, address, "::1")
	servers := d.nginxServer("http", "", nil) +
		d.nginxServer("https", "", good) +
		d.nginxSecond(NginxOther, d.Addr("https"), ca.Server(NginxOther)) +
		d.nginxServer("https12", "ssl_protocols TLSv1.2;", good) +
		d.nginxServer("https13", "ssl_protocols TLSv1.3;", good) +
		d.nginxServer("https-client", "ssl_verify_client on; ssl_client_certificate "+ca.File+";", good) +
		d.nginxServer("https-expired", "", ca.Expired(NginxName, address)) +
		d.nginxServer("https-wrong-name", "", ca.Server("wrong.example.com")) +
		nginxBlock(d.listenOn(netip.IPv6Loopback(), "http6", "tcp"), "_", "", nil) +
		nginxBlock(d.listenOn(netip.IPv6Loopback(), "https6", "tcp"), "_", "", good)
	config := d.write("nginx.conf", fmt.Sprintf(`
daemon off;
worker_processes 1;
pid %[1]s/pid;
error_log stderr;
events { worker_connections 256; }
http {
	access_log %[1]s/access.log;
	default_type text/html;
	client_body_temp_path %[1]s/tmp1;
	proxy_temp_path %[1]s/tmp2;
	fastcgi_temp_path %[1]s/tmp3;
	uwsgi_temp_path %[1]s/tmp4;
	scgi_temp_path %[1]s/tmp5;
	root %[1]s/pages;
%[2]s}
`, d.Dir, servers))
	return d.run("/usr/sbin/nginx", "-e", "stderr", "-p", d.Dir, "-c", config)
}

// nginxServer reserves a port and is what listens there; cert is nil for http.
func (d *Daemon) nginxServer(name, options string, cert *Certificate) string {
	d.t.Helper()
	return nginxBlock(d.listen(name, "tcp"), "_", options, cert)
}

// nginxSecond is another server on a port, selected by its name.
func (d *Daemon) nginxSecond(name string, addr netip.AddrPort, cert *Certificate) string {
	return nginxBlock(addr, name, "", cert)
}

func nginxBlock(addr netip.AddrPort, name, options string, cert *Certificate) string {
	tls := ""
	if cert != nil {
		tls = " ssl http2"
		options += fmt.Sprintf(" ssl_certificate %s; ssl_certificate_key %s;", cert.CertFile, cert.KeyFile)
	}
	return fmt.Sprintf(`	server {
		listen %s%s;
		server_name %s;
		%s
		location = /host { return 200 "host is $http_host\n"; }
		location = /asked { return 200 "$server_protocol, X-Check: $http_x_check\n"; }
		location = /elsewhere { return 302 http://127.0.0.1:1/lvs.html; }
		location = /404 { return 404; }
		location = /500 { return 500; }
		location = /503 { return 503; }
		location = /302 { return 302 /lvs.html; }
		location = /loop { return 302 /loop; }
	}
`, addr, tls, name, options)
}
