package acceptance

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
	"github.com/ldirectord/ldirectord/internal/realserver"
)

// nginxFile answers at port 80 with a redirect to https, and at 443 with a page,
// each only for its own name, as in the how-to.
const nginxFile = `
daemon off;
pid DIR/pid;
error_log DIR/error.log;
events {}
http {
	access_log DIR/access.log;
	server {
		listen 80 default_server;
		listen 443 ssl default_server;
		ssl_certificate CERT;
		ssl_certificate_key KEY;
		return 404;
	}
	server {
		listen 80;
		server_name www.lvs.example;
		return 301 https://www.lvs.example/;
	}
	server {
		listen 443 ssl;
		server_name www.lvs.example;
		ssl_certificate CERT;
		ssl_certificate_key KEY;
		location / { return 200 "This is a LVS Page of NAME\n"; }
	}
}
`

// TestClusterHTTPS is the how-to with http and https: four real servers with
// nginx, a redirect from the one to the other, checks by name.
func TestClusterHTTPS(t *testing.T) {
	t.Parallel()
	lab.Program(t, program)
	if !lab.Inside(t) {
		return
	}
	const realServers = 4
	reals := func(port int) string {
		var text strings.Builder
		for i := range realServers {
			fmt.Fprintf(&text, "    real=RS%d:%d gate\n", i+1, port)
		}
		return text.String()
	}
	c := newCluster(t, lab.DR, realServers, `
negotiatetimeout=5
virtual=VIP:80
`+reals(80)+`    scheduler=rr
    service=http
    virtualhost=www.lvs.example
    httpfollow=no
    httpstatus=301
virtual=VIP:443
`+reals(443)+`    scheduler=rr
    service=https
    sslverify=no
    virtualhost=www.lvs.example
    receive="This is a LVS Page"
`)
	cert := realserver.NewAuthority(t).Server("www.lvs.example")
	for i := range realServers {
		c.Web(rs(i + 1)).Stop()
		c.nginx(rs(i+1), cert)
	}
	c.realServers(realServers, "--vip", lab.VIP)
	c.host("director", "director", "up")
	c.start()
	var table []string
	for i := range realServers {
		table = append(table, lab.RealServer(i+1)+":80 -g -w 1", lab.RealServer(i+1)+":443 -g -w 1")
	}
	c.untilTable(table...)
	count := map[string]int{}
	for range 2 * realServers {
		out := c.Output("client", "curl", "-skL", "--resolve", "www.lvs.example:80:"+lab.VIP, "--resolve", "www.lvs.example:443:"+lab.VIP,
			"http://www.lvs.example/")
		count[strings.TrimSpace(out)]++
	}
	for i := range realServers {
		if page := "This is a LVS Page of " + rs(i+1); count[page] != 2 {
			t.Errorf("%q was served %d times, want 2: %v", page, count[page], count)
		}
	}
}

// nginx starts nginx on a real server and waits until it listens.
func (c *cluster) nginx(ns string, cert *realserver.Certificate) {
	c.t.Helper()
	dir := c.t.TempDir()
	file := filepath.Join(dir, "nginx.conf")
	text := strings.NewReplacer("DIR", dir, "NAME", ns, "CERT", cert.CertFile, "KEY", cert.KeyFile).Replace(nginxFile)
	c.must(os.WriteFile(file, []byte(text), 0o600))
	cmd := c.Command(ns, "nginx", "-p", dir, "-c", file)
	c.must(cmd.Start())
	c.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	await(c.t, "nginx of "+ns, func() bool {
		conn, err := c.Dial(c.t.Context(), ns, "tcp", "127.0.0.1:443")
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
}
