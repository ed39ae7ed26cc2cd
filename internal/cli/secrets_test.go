package cli

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/lab"
	"github.com/ldirectord/ldirectord/internal/status/client"
	"github.com/ldirectord/ldirectord/ipvs"
)

// marker is the secret of every directive that has one. It has characters that
// quoting, URLs and HTTP escape.
const marker = `Geheim4711"x`

// forms are how the marker may be found: as it is, escaped, and in base64 at
// each of the three offsets that what stands before it may give it.
func forms() map[string]string {
	list := map[string]string{
		"plain": "Geheim4711", "hex": hex.EncodeToString([]byte("Geheim4711")), "escaped": url.QueryEscape(marker),
	}
	for offset := range 3 {
		encoded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", offset) + "Geheim4711"))
		list[fmt.Sprintf("base64 at %d", offset)] = strings.TrimRight(encoded, "=")[(offset*8+5)/6+1 : 12]
	}
	return list
}

// A surface is what somebody without rights reads somewhere.
type surfaces struct {
	mu   sync.Mutex
	text map[string]*bytes.Buffer
}

func (s *surfaces) add(name string, text []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.text[name] == nil {
		s.text[name] = new(bytes.Buffer)
	}
	s.text[name].Write(text)
}

// has says whether a surface shows a text.
func (s *surfaces) has(name, text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text[name] != nil && strings.Contains(s.text[name].String(), text)
}

// to is a writer for one surface.
func (s *surfaces) to(name string) io.Writer {
	return writerFunc(func(p []byte) (int, error) { s.add(name, p); return len(p), nil })
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// search fails for each form of the marker on each surface, and for a surface
// without the words that show that it was really looked at.
func (s *surfaces) search(t *testing.T, words map[string]string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, text := range s.text {
		for form, needle := range forms() {
			if i := strings.Index(text.String(), needle); i >= 0 {
				t.Errorf("%s shows a secret (%s): …%.200s", name, form, text.String()[max(0, i-60):])
			}
		}
	}
	for name, want := range words {
		if text := s.text[name]; text == nil || !strings.Contains(text.String(), want) {
			t.Errorf("%s lacks %q: the test saw nothing there: %.2000v", name, want, text)
		}
	}
}

// parrot is a server that greets and then repeats in its refusals, between
// before and after, whatever it is sent but a USER.
func parrot(t *testing.T, greeting, user, before, after string) (port int) {
	t.Helper()
	return int(lab.ServeAt(t, "127.0.0.1:0", func(conn net.Conn) {
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		fmt.Fprint(conn, greeting)
		lines := bufio.NewReader(conn)
		for {
			line, err := lines.ReadString('\n')
			tag, _, _ := strings.Cut(strings.TrimSpace(line), " ")
			switch {
			case tag == "USER":
				fmt.Fprint(conn, user)
			case line != "":
				fmt.Fprint(conn, strings.ReplaceAll(before, "TAG", tag), strings.TrimRight(line, "\r\n"), after)
			}
			if err != nil {
				return
			}
		}
	}).Port())
}

// mailbox is an SMTP server that adds the mails to a surface.
func mailbox(t *testing.T, s *surfaces) {
	t.Helper()
	lab.ServeAt(t, mailHost+":25", func(conn net.Conn) {
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		fmt.Fprint(conn, "220 mail\r\n")
		inMail := false
		for lines := bufio.NewScanner(conn); lines.Scan(); {
			line := lines.Text()
			s.add("mails", []byte(line+"\n"))
			switch {
			case inMail && line != ".":
			case strings.HasPrefix(line, "DATA"):
				inMail = true
				fmt.Fprint(conn, "354 go on\r\n")
			default:
				inMail = false
				fmt.Fprint(conn, "250 yes\r\n")
			}
		}
	})
}

// mailHost is an address of this machine where no mail server listens.
const mailHost = "127.0.0.25"

// secretConfig has a secret in every directive that can have one, and servers
// that repeat what they are sent.
func secretConfig(t *testing.T, dir, webhook, listen, format string) string {
	t.Helper()
	var b strings.Builder
	quoted := strings.ReplaceAll(marker, `"`, `%22`)
	fmt.Fprintf(&b, "checkinterval=1\nchecktimeout=2\nnegotiatetimeout=2\nholdlocal=no\nmonitorlog=%s/monitor\nstatuslisten=%s\n", dir, listen)
	fmt.Fprintf(&b, "logfile=\"%s/log\"\nsmtp=%s\nemailalert=a@example.com\nemailalertfrom=b@example.com\n", dir, mailHost)
	fmt.Fprintf(&b, "webhook=%s/hook/%s?key=%s\nnotifycommand=cat >>%s/events; echo %s; exit 3 # %s\n", webhook, quoted, quoted, dir, quoted, quoted)
	for name, text := range map[string]string{"key": marker, "token": marker + marker} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Fprintf(&b, "webhooksecretfile=%s/key\nstatuscontrol=yes\nstatustoken=%s/token\n%s", dir, dir, format)
	fmt.Fprintf(&b, "callback=\"/nonexistent/callback --token %s\"\n", quoted)
	block := func(n int, port int, lines ...string) {
		fmt.Fprintf(&b, "virtual=10.0.0.%d:80\n\treal=127.0.0.1:%d masq\n\tmonitorfile=%s/checks\n", n, port, dir)
		for _, line := range lines {
			fmt.Fprintf(&b, "\t%s\n", line)
		}
	}
	passwd := `passwd="` + marker + `"`
	pop := parrot(t, "+OK hello\r\n", "+OK go on\r\n", "-ERR you said: ", "\r\n")
	imap := parrot(t, "* OK hello\r\n", "", "TAG NO you said: ", "\r\n")
	web := parrot(t, "", "", "HTTP/1.1 500 ", "\r\nContent-Length: 0\r\n\r\n")
	ftp := parrot(t, "220 hello\r\n", "331 go on\r\n", "530 you said: ", "\r\n")
	redis := parrot(t, "", "", "-ERR you said: ", "\r\n")
	plain := parrot(t, "", "", "you said: ", "\r\n")
	block(1, pop, "service=pop", `login="bob"`, passwd)
	block(2, imap, "service=imap", `login="bob"`, passwd, "fallbackcommand="+"echo "+quoted+"; exit 3")
	block(3, redis, "service=redis", passwd)
	block(4, ftp, "service=ftp", `login="bob"`, passwd, `request="/x"`)
	block(5, web, "service=http", `request="/x?apikey=`+quoted+`&lang=en"`)
	block(6, web, "service=http", `httpheader="Authorization: Bearer `+quoted+`"`, `httpheader="X-Api-Key: `+quoted+`"`, `httpheader="Cookie: sid=`+quoted+`"`)
	block(7, web, "service=http", `httpheader="Authorization: Basic `+base64.StdEncoding.EncodeToString([]byte("bob:"+marker))+`"`)
	block(8, plain, "service=simpletcp", `request="GET /?token=`+quoted+`"`, `receive="never"`)
	block(9, plain, "service=ldap", `login="cn=bob"`, passwd, `request="dc=x"`)
	block(10, plain, "service=mysql", `login="bob"`, passwd, `request="select 1"`)
	block(11, plain, "service=pgsql", `login="bob"`, passwd, `request="select 1"`)
	block(12, plain, "service=radius", "protocol=udp", `login="bob"`, passwd, `secret="`+marker+`"`)
	block(17, pop, "service=pop", `login="bob"`, "passwdfile="+dir+"/key")
	block(18, plain, "service=radius", "protocol=udp", `login="bob"`, passwd, "secretfile="+dir+"/key")
	if err := os.WriteFile(dir+"/said", []byte("#!/bin/sh\necho you said: $*\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&b, "check = app\n\tchecktype=external\n\tcheckcommand=%s/said\n\tcheckarguments=--password '%s'\n", dir, quoted)
	fmt.Fprintf(&b, "check = db\n\tservice=redis\n\tcheckport=%d\n\t%s\n", redis, passwd)
	block(19, plain, "checktype=connect", "alsocheck=app --token '"+quoted+"'", "alsocheck=db", "quorum=1", "quorumcommand=echo "+quoted+"; exit 3")
	block(13, plain, "checktype=external", `checkcommand="/nonexistent/check --password `+quoted+`"`)
	block(14, web, "service=http", "httpversion=2", `httpheader="Authorization: Bearer `+quoted+`"`)
	block(15, web, "service=http_proxy", `request="http://bob:`+quoted+`@example.com/"`)
	fmt.Fprintf(&b, "virtual=10.0.0.16:80\n\treal=127.0.0.1:%d masq 1 \"x?token=%s\", \"never\"\n\tservice=http\n\tmonitorfile=%s/checks\n", web, quoted, dir)
	file := filepath.Join(dir, "t.cf")
	write(t, file, b.String())
	return file
}

// TestSecretsAreShownNowhere runs daemons with secrets in every directive and
// looks for them wherever the daemon and the commands show something.
func TestSecretsAreShownNowhere(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("the mail server of the test listens at port 25, which is root's")
	}
	s := &surfaces{text: map[string]*bytes.Buffer{}}
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		s.add("webhook", text)
		s.add("webhook's header", fmt.Append(nil, r.Header))
		http.Error(w, "you said: "+r.URL.String(), http.StatusForbidden)
	}))
	defer hook.Close()
	mailbox(t, s)
	for how, format := range map[string]string{"-d": "", "--foreground": "logformat=json\nmonitorlogformat=json\nwebhookformat=slack\n"} {
		dir := t.TempDir()
		listen := lab.HoldPort(t).String()
		file := secretConfig(t, dir, hook.URL, listen, format)
		run := func(surface string, args ...string) {
			Main(Env{
				Args: append([]string{"ldirectord", file}, args...), RunDir: dir, StateDir: dir,
				Stdout: s.to(surface), Stderr: s.to(surface),
			})
		}
		run("check", "check", "--explain")
		signal, stop := startDaemon(t, s, dir, how, file)
		ask := client.New(filepath.Join(dir, "ldirectord", "t.cf.sock"))
		await(t, "every server checked", func() bool {
			snap, err := ask.Snapshot(t.Context(), "", "")
			return err == nil && snap.Ready
		})
		ask.Close()
		// The file is no configuration any more, with the secrets in lines that
		// are mistyped: a reload says so in the log.
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		run("show", "show")
		run("history", "history")
		run("why", "why", "127.0.0.1")
		for _, words := range []string{"show --json", "why 127.0.0.1 --json", "history --json", "plan", "plan --json", "doctor", "status --json", "check --json", "check"} {
			run(words, strings.Fields(words)...)
		}
		mistypedToken(t, listen)
		for _, path := range []string{"", "metrics", "api/v1/snapshot", "api/v1/history?verdicts=1", "api/v1/why?real=127.0.0.1"} {
			resp, err := http.Get("http://" + listen + "/" + path)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			s.add("http /"+path, body)
		}
		for i, line := range mistyped {
			write(t, file, "virtual=10.0.0.1:80\n"+line+"\n")
			run("check of a mistake", "check")
			write(t, dir+"/part", "virtual=10.0.0.1:80\n"+line+"\n")
			write(t, file, "include=part\n")
			run("check of a mistake in an included file", "check")
			run("check --json of a mistake in an included file", "check", "--json")
			write(t, file, "virtual=10.0.0.1:80\n"+line+"\n")
			if i == 0 {
				signal(unix.SIGHUP)
				await(t, "a reload of the mistake", func() bool {
					text, _ := os.ReadFile(filepath.Join(dir, "log"))
					return bytes.Contains(text, []byte("Unknown command")) || s.has("-d", "Unknown command")
				})
			}
		}
		write(t, file, string(text))
		stop()
		addFiles(t, s, dir)
	}
	s.search(t, map[string]string{
		"check": "virtual service", "-d": "PASS ***", "log": `"text":"system(cat ***) failed`, "monitor": `"kind":"all gone"`, "checks": "[down]", "events": `"kind":"all gone"`,
		"webhook": `"mrkdwn":false`, "webhook's header": "X-Hub-Signature-256:[sha256=", "mails": "127.0.0.1", "show": "127.0.0.1", "why": "*** ", "history": "started", "http /metrics": "ldirectord_real_up",
		"plan --json": "changes", "doctor": "director", "history.jsonl": "all gone", "check --json": `"mistakes": 0`, "check of a mistake in an included file": "***",
		"check --json of a mistake in an included file": "***", "why 127.0.0.1 --json": "*** ", "status --json": "pid", "show --json": "127.0.0.1", "history --json": "started",
		"http /": "10.0.0.1", "check of a mistake": "***", "http /api/v1/why?real=127.0.0.1": "apikey=***", "http /api/v1/snapshot": "10.0.0.1",
	})
}

// mistypedToken sends an order with a token that has a character too many.
func mistypedToken(t *testing.T, listen string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+listen+"/api/v1/orders", strings.NewReader(`{"verb":"drain","real":"127.0.0.1"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+marker+marker+"x")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("an order with a wrong token: %s, want 401: %s", resp.Status, body)
	}
}

// addFiles adds all files that a daemon has made in dir, each by its name.
func addFiles(t *testing.T, s *surfaces, dir string) {
	t.Helper()
	ours := []string{"t.cf", "part", "key", "token", "said"} // of the test, with the secrets
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || slices.Contains(ours, d.Name()) {
			return err
		}
		text, err := os.ReadFile(path)
		_, kind, _ := strings.Cut(d.Name(), ".cf.") // of files of the state
		s.add(cmp.Or(kind, d.Name()), text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// mistyped are lines that are no directives, with a secret.
var mistyped = []string{
	"\tpasswd = '" + marker + "'", "\tpassword=\"" + marker + "\"", "\tPasswd=\"" + marker + "\"", "\tpaswd = \"" + marker + "\"",
	"\tpasswd \"" + marker + "\"", "passwd=\"" + marker + "\"", "  passwd=\"" + marker + "\"", "\tpasswd:\"" + marker + "\"", "\tsecret='" + marker + "'",
	"\trequest=/x?key=Geheim4711", "\treal=127.0.0.1:80 masq \"x?key=Geheim4711\" \"", "request=\"/x?key=Geheim4711\"",
	"\thttpheader = Authorization Geheim4711", "\thttpheadr=\"Cookie: a=Geheim4711\"", "\twebhook=http://h/Geheim4711", "webhok=http://h/Geheim4711",
	"\tnotifycommand=curl -H Geheim4711 http://h", "\tapi_token=Geheim4711", "\tsslkeypass=Geheim4711", "\tlogin=\"bob\" passwd=\"Geheim4711\"x",
	"\tcheckargument=--password Geheim4711", "\tcheckarguments --password Geheim4711", "\tquorumcommand:/x --token Geheim4711", "\talsocheck=nosuch --token Geheim4711",
	"\talsocheck=nosuch \"--token Geheim4711", "\treal=127.0.0.1:80 masq 1 check=\"nosuch --token Geheim4711\"", "check = app --token Geheim4711", "check app Geheim4711",
	"webhooksecret=Geheim4711", "webhooksecretfile=Geheim4711 /x", "\tvirtualhost passwd=Geheim4711", "\tcallback=/x --token Geheim4711",
}

// startDaemon runs a daemon until stop is called.
func startDaemon(t *testing.T, s *surfaces, dir, how, file string) (signal func(os.Signal), stop func()) {
	t.Helper()
	signals := make(chan os.Signal, 1)
	ended := make(chan int, 1)
	go func() {
		ended <- Main(Env{
			Args: []string{"ldirectord", how, file, "start"}, Version: "test", RunDir: dir, StateDir: dir,
			Stdout: s.to(how), Stderr: s.to(how),
			Signals:   func() (<-chan os.Signal, func()) { return signals, func() {} },
			OpenTable: func(context.Context) (ipvs.Table, error) { return ipvs.NewMemory(), nil },
		})
	}()
	return func(sig os.Signal) { signals <- sig }, func() {
		signals <- unix.SIGTERM
		<-ended
	}
}

// await waits until a condition holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	eventually.True(t, what, holds)
}
