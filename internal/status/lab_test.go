package status

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/lab"
)

const labConfig = `checkinterval=1
virtual=10.0.0.80:80
    real=10.0.1.11:80 masq 2
    real=10.0.1.12:80 masq 1
    service=http
    scheduler=rr
virtual=10.0.0.80:8080
    real=10.0.1.11:80 masq
    service=http
    scheduler=sh
    schedflags=sh-port,sh-fallback
    persistent=600
    netmask=255.255.255.0
virtual=10.0.0.80:53
    real=10.0.1.12:53 masq
    checktype=on
    ops=yes
    protocol=udp
virtual6=[fd00::80]:80
    real6=[fd00:0:0:1::11]:80 masq
    service=http
    persistent=300
    netmask=64
virtual=8
    real=10.0.1.11 masq
    checktype=on
virtual6=9
    real6=[fd00:0:0:1::12] masq
    checktype=on
`

// A labDaemon is the program on a kernel with IPVS.
type labDaemon struct {
	*lab.Net
	t    *testing.T
	file string
}

func (d *labDaemon) run(words ...string) string {
	d.t.Helper()
	return d.Output("director", lab.Program(d.t, "github.com/ldirectord/ldirectord/cmd/ldirectord"), append([]string{d.file}, words...)...)
}

func (d *labDaemon) ipvsadm(words ...string) string {
	d.t.Helper()
	return d.Output("director", "ipvsadm", words...)
}

// TestLikeIpvsadm shows a kernel with traffic, and asks ipvsadm at the same
// moment.
func TestLikeIpvsadm(t *testing.T) {
	lab.Program(t, "github.com/ldirectord/ldirectord/cmd/ldirectord")
	if !lab.Inside(t) {
		return
	}
	d := &labDaemon{Net: lab.New(t, lab.NAT, 2), t: t, file: filepath.Join(t.TempDir(), "t.cf")}
	if err := os.WriteFile(d.file, []byte(labConfig), 0o644); err != nil {
		t.Fatal(err)
	}
	d.run("start")
	defer d.run("stop")
	d.until("all are in", func() (string, string) { return "7", word(strings.Count(d.run("show"), " up ")) })
	d.visit(9)
	d.ipvsadm("-A", "-t", "10.0.0.80:81", "-s", "wlc")
	d.ipvsadm("-a", "-t", "10.0.0.80:81", "-r", "10.0.1.11:80", "-m", "-w", "4")
	t.Run("table", func(t *testing.T) {
		d.until("show and ipvsadm -Ln", func() (string, string) { return kernelPart(d.ipvsadm("-Ln")), kernelPart(d.run("show")) })
	})
	t.Run("stats", func(t *testing.T) {
		d.until("--stats", func() (string, string) { return sorted(d.ipvsadm("-Ln", "--stats")), sorted(d.run("show", "--stats")) })
		// The kernel adds up its counters every two seconds.
		d.until("9 connections", func() (string, string) { return "true", word(strings.Contains(d.run("show", "--stats"), "       9 ")) })
	})
	t.Run("rate", func(t *testing.T) {
		d.until("--rate", func() (string, string) {
			want, got := sorted(d.ipvsadm("-Ln", "--rate")), sorted(d.run("show", "--rate"))
			if !bytesRate.MatchString(want) { // that all is 0 says nothing
				d.visit(9)
				want = "traffic"
			}
			return want, got
		})
	})
	t.Run("connections", func(t *testing.T) {
		d.until("--connections", func() (string, string) {
			return connections(d.ipvsadm("-Lnc")), connections(d.run("show", "--connections"))
		})
	})
	t.Run("save", func(t *testing.T) {
		d.until("save", func() (string, string) { return sorted(d.ipvsadm("-Sn")), sorted(d.run("save")) })
	})
	testDrain(d)
}

// bytesRate is a virtual service with traffic, in what --rate lists.
var bytesRate = regexp.MustCompile(`(?m)^TCP .*[1-9]\d* +\d+$`)

// visit asks each web service n times.
func (d *labDaemon) visit(n int) {
	d.t.Helper()
	for range n {
		for _, url := range []string{"http://10.0.0.80/", "http://10.0.0.80:8080/", "http://[fd00::80]/"} {
			if _, err := d.Get(url); err != nil {
				d.t.Fatal(err)
			}
		}
	}
}

// testDrain drains a real server that serves somebody.
func testDrain(d *labDaemon) {
	var conn net.Conn
	for first := true; first || !strings.Contains(d.run("show", "--connections", "--real", "10.0.1.11", "--virtual", "10.0.0.80:80"), "ESTABLISHED"); first = false {
		var err error
		if conn, err = d.Dial(d.t.Context(), "client", "tcp", "10.0.0.80:80"); err != nil {
			d.t.Fatal(err)
		}
		defer conn.Close()
	}
	out := d.run("drain", "10.0.1.11", "--virtual", "10.0.0.80:80", "--comment", "test")
	if !strings.Contains(out, "left: 1 active") {
		d.t.Errorf("drain says:\n%s", out)
	}
	for range 5 {
		if page, err := d.Get("http://10.0.0.80/"); page != "rs2" || err != nil {
			d.t.Errorf("a new connection is served by %q, %v, want rs2", page, err)
		}
	}
	if _, err := io.WriteString(conn, "GET / HTTP/1.0\r\n\r\n"); err != nil {
		d.t.Fatal(err)
	}
	if answer, err := io.ReadAll(conn); !strings.HasSuffix(strings.TrimSpace(string(answer)), "rs1") || err != nil {
		d.t.Errorf("the connection that stood: %q, %v", answer, err)
	}
	conn.Close()
	// The kernel remembers a connection for two minutes after its end.
	waiting := d.Command("director", lab.Program(d.t, "github.com/ldirectord/ldirectord/cmd/ldirectord"), d.file, "drain", "10.0.1.11", "--virtual", "10.0.0.80:80", "--wait=1s")
	said, err := waiting.CombinedOutput()
	if err == nil || !strings.Contains(string(said), "not idle after 1s, left: ") {
		d.t.Errorf("drain --wait=1s: %v, says:\n%s", err, said)
	}
	d.run("enable", "10.0.1.11")
	d.until("it is in again", func() (string, string) { return "true", word(strings.Contains(d.Table(), "-r 10.0.1.11:80 -m -w 2")) })
}

// until waits until two texts are the same.
func (d *labDaemon) until(what string, texts func() (want, got string)) {
	d.t.Helper()
	var want, got string
	for end := time.Now().Add(eventually.Limit); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if want, got = texts(); want == got {
			return
		}
	}
	d.t.Errorf("%s (-want +got):\n%s", what, cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")))
}

func word(v any) string {
	switch v := v.(type) {
	case int:
		return string(rune('0' + v))
	case bool:
		if v {
			return "true"
		}
	}
	return "false"
}

// kernelPart is what both programs show: columns without health, services in
// any order, nothing of what a slow machine has "show" say about itself.
func kernelPart(text string) string {
	text = regexp.MustCompile(`(?m)^! .*\n`).ReplaceAllString(text, "")
	text = regexp.MustCompile(`(?m)^(  -> .{28} .{7} .{6} .{10} .{10}).*$`).ReplaceAllString(text, "$1")
	text = regexp.MustCompile(`(?m)   # not in the configuration$`).ReplaceAllString(text, "")
	text = strings.ReplaceAll(text, "InActConn  Health", "InActConn")
	return sorted(text)
}

// sorted is the lines in order, without blanks at their ends.
func sorted(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// connections is sorted without the head and without what changes each second.
func connections(text string) string {
	lines := slices.DeleteFunc(strings.Split(sorted(text), "\n"), func(line string) bool {
		return strings.HasPrefix(line, "IPVS connection") || strings.HasPrefix(line, "pro ")
	})
	text = regexp.MustCompile(`(?m)^(\w+) +\d\d:\d\d +`).ReplaceAllString(strings.Join(lines, "\n"), "$1 ")
	return sorted(regexp.MustCompile(` +`).ReplaceAllString(text, " "))
}
