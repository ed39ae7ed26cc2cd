package cli

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/conf"
)

// TestExplainSaysWhatIsSent has a row for each service: the check line of its block up to
// the interval.
func TestExplainSaysWhatIsSent(t *testing.T) {
	rows := map[string]struct{ block, want string }{
		"dns":        {`request="www.example.com"; receive="10."`, `dns at port 80 "www.example.com", the answer matches /10./`},
		"ftp":        {`request="/a/b"; login="bob"`, `ftp at port 80 "/a/b" as bob`},
		"grpc":       {`request="x.y"`, `grpc at port 80, the health of "x.y"`},
		"http":       {`request="a?key=x"; virtualhost=www`, `http at port 80, GET "/a?key=***" of www`},
		"http_proxy": {`request="http://www/a"`, `http_proxy at port 80, GET "http://www/a"`},
		"https":      {`httpmethod=HEAD`, `https at port 80, HEAD "/"`},
		"imap":       {`login="bob"; passwd="x"; starttls=yes`, `imap at port 80, STARTTLS, LOGIN as bob`},
		"imaps":      {`request="/a"`, `imaps at port 80`},
		"ldap":       {`request="dc=x"; login="cn=bob"; passwd="x"`, `ldap at port 80 "dc=x", bound as cn=bob`},
		"ldaps":      {`request="dc=x"`, `ldaps at port 80 "dc=x"`},
		"memcached":  {``, `memcached at port 80, version`},
		"mysql":      {`login="m"; database="d"; request="SELECT 1"`, `mysql at port 80 "SELECT 1" as m, database d`},
		"nntp":       {`request="/a"`, `nntp at port 80`},
		"none":       {``, `nothing (service=none)`},
		"oracle":     {`login="m"; request="select 1"`, `oracle at port 80 "select 1" as m`},
		"pgsql":      {`login="m"; database="d"; request="SELECT 1"`, `pgsql at port 80 "SELECT 1" as m, database d`},
		"pop":        {`login="bob"; passwd="x"`, `pop at port 80, USER, PASS and STAT as bob`},
		"pops":       {`receive="x"`, `pops at port 80`},
		"radius":     {`login="bob"; passwd="x"; secret="y"`, `radius at port 80, Access-Request as bob`},
		"redis":      {`passwd="x"`, `redis at port 80, AUTH and PING`},
		"simpletcp":  {`request="PING"; receive="PONG"`, `simpletcp at port 80 "PING", the answer matches /PONG/`},
		"simpleudp":  {`request="PING"`, `simpleudp at port 80 "PING"`},
		"sip":        {`login="a@b"`, `sip at port 80, OPTIONS sip:a@b`},
		"smtp":       {`request="/a"`, `smtp at port 80, EHLO`},
		"submission": {`starttls=yes`, `submission at port 80, STARTTLS, EHLO`},
		"tls":        {``, `tls at port 80, a handshake`},
	}
	for _, service := range conf.Services() {
		row, ok := rows[service]
		if !ok {
			t.Errorf("%s has no row", service)
			continue
		}
		var text strings.Builder
		fmt.Fprintf(&text, "virtual=10.0.0.1:80\n    real=10.1.0.1:80 masq\n    service=%s\n", service)
		for directive := range strings.SplitSeq(row.block, "; ") {
			if directive != "" {
				fmt.Fprintf(&text, "    %s\n", directive)
			}
		}
		cfg, err := conf.Parse("t.cf", []byte(text.String()), conf.Options{})
		if err != nil {
			t.Errorf("%s: %v", service, err)
			continue
		}
		if got, want := checkWords(cfg.Virtuals[0]), row.want+", every 10s"; !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %q, want %q", service, got, want)
		}
	}
}
