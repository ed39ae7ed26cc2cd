package acceptance

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// A drainRun is a load on a virtual service whose two real servers are deployed anew meanwhile.
type drainRun struct {
	mode      lab.Mode
	forward   string
	quiescent string
	deployed  int // so many of the real servers, one after the other
	requests  int // at least
	atOnce    int
	known     bool // clients that use their port again, and those of persistence, follow
}

// TestClusterSelfDrain has each real server in turn say 404 to its check, run out of
// connections, stop, start and come back under load: no request fails.
// TestLongClusterSelfDrain does it with 10,000 requests for each method.
func TestClusterSelfDrain(t *testing.T) {
	selfDrain(t, []drainRun{
		{lab.DR, "gate", "yes", 2, 1000, 20, false},
		{lab.NAT, "masq", "no", 1, 80, 4, false},
		{lab.Tun, "ipip", "no", 1, 80, 4, false},
	})
}

func selfDrain(t *testing.T, runs []drainRun) {
	t.Parallel()
	lab.Program(t, program)
	if !lab.Inside(t) {
		return
	}
	for _, run := range runs {
		t.Run(run.forward+", quiescent="+run.quiescent, func(t *testing.T) {
			d := newDrained(t, run)
			d.deployments(t)
			if run.known {
				t.Run("a port used again", d.portAgain)
			}
			if run.known && run.mode != lab.NAT { // there the lab has no way back to more clients
				t.Run("persistent", d.knownClients)
			}
		})
	}
}

// drained is a cluster whose real servers have an application at port 80, and its answers
// to checks at another port.
type drained struct {
	*cluster
	drainRun
	health [3]*lab.Web
}

// healthPort is where the application answers checks.
const healthPort = 8081

// clientPorts are those that clients use again and again.
const clientPorts = "20000 20299"

func newDrained(t *testing.T, run drainRun) *drained {
	t.Helper()
	d := &drained{drainRun: run}
	d.cluster = newCluster(t, run.mode, 2, d.config(""))
	for i := 1; i <= 2; i++ {
		d.health[i] = d.ServeWeb(rs(i), healthPort)
		options := []string{"--vip", lab.VIP, "--mode", run.forward}
		if run.forward == "masq" {
			options = []string{"--mode", "masq", "--gateway", lab.Back}
		}
		d.host(rs(i), "realserver", "up", options...)
	}
	d.host("director", "director", "up")
	if got := d.Output("director", "sysctl", "-n", "net.ipv4.vs.conn_reuse_mode"); got != "3\n" {
		t.Fatalf("host director up has set conn_reuse_mode %q", got)
	}
	d.must(d.In("client", func() error { return sysctl("ipv4/ip_local_port_range", clientPorts) }))
	d.start()
	d.untilTable(d.at(1, 1), d.at(2, 1))
	return d
}

// config is the virtual service with more lines.
func (d *drained) config(more string) string {
	return fmt.Sprintf(`
quiescent=%s
checkinterval=300ms
virtual=VIP:80
    real=RS1:80 %s
    real=RS2:80 %[2]s
    scheduler=rr
    service=http
    checkport=%d
    httpdrain=404
%s`, d.quiescent, d.forward, healthPort, more)
}

// at is a real server's line in the table.
func (d *drained) at(i, weight int) string {
	return fmt.Sprintf("-r %s:80 -%c -w %d", lab.RealServer(i), d.forward[0], weight)
}

// leaves has a real server say that it leaves, until it has weight 0.
func (d *drained) leaves(i int) {
	d.t.Helper()
	d.health[i].Answer(http.StatusNotFound, "leaving")
	d.untilTable(d.at(i, 0))
}

// returns has a real server be well again, until it is in service.
func (d *drained) returns(i int) {
	d.t.Helper()
	d.health[i].Answer(http.StatusOK, "well")
	d.must(errors.Join(d.Web(rs(i)).Start(), d.health[i].Start()))
	d.untilTable(d.at(i, 1))
}

// deployments has real servers deployed anew, one after the other, under load.
func (d *drained) deployments(t *testing.T) {
	load := d.clients(t)
	defer load.stop()
	part := d.requests / (4 * d.deployed)
	load.more(part)
	for i := 1; i <= d.deployed; i++ {
		d.leaves(i)
		load.more(part)
		await(t, "the end of the connections of "+rs(i), func() bool { return d.connections(i) == 0 })
		d.Web(rs(i)).Stop()
		d.health[i].Stop()
		down := "Down after its self-drain, real server: " + lab.RealServer(i) + ":80 "
		if !within(limit, func() bool { return strings.Contains(d.log(), down) }) {
			t.Fatalf("the log does not have %q:\n%s", down, d.log())
		}
		load.more(part)
		before := load.pages(rs(i))
		d.returns(i)
		load.more(part)
		await(t, "pages of "+rs(i), func() bool { return load.pages(rs(i)) > before })
	}
	await(t, "the rest of the requests", func() bool { return load.served.Load() >= int64(d.requests) })
	load.stop()
	t.Logf("%d requests served from 300 ports, %d failed", load.served.Load(), load.failed.Load())
	if load.failed.Load() > 0 {
		t.Errorf("%d of %d requests failed; one of them: %v", load.failed.Load(), load.failed.Load()+load.served.Load(), *load.last.Load())
	}
	if log := d.log(); strings.Contains(log, "gone") {
		t.Errorf("the log has a real server that is gone:\n%s", log)
	}
}

func (d *drained) log() string {
	text, err := os.ReadFile(filepath.Dir(d.file) + "/log")
	d.must(err)
	return string(text)
}

// connections counts those of a real server that have not ended, in the director's kernel.
func (d *drained) connections(i int) (n int) {
	d.t.Helper()
	ip := net.ParseIP(lab.RealServer(i)).To4()
	d.must(d.In("director", func() error {
		text, err := os.ReadFile("/proc/thread-self/net/ip_vs_conn")
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, fmt.Sprintf(" %X 0050 ", []byte(ip))) && (strings.Contains(line, "ESTABLISHED") || strings.Contains(line, "SYN_RECV")) {
				n++
			}
		}
		return err
	}))
	return n
}

// A drainLoad is a load of clients that open a connection for each request.
type drainLoad struct {
	t              *testing.T
	served, failed atomic.Int64
	last           atomic.Pointer[error] // of those that failed
	stop           func()

	mu      sync.Mutex
	servers map[string]int // who served how many
}

func (d *drained) clients(t *testing.T) *drainLoad {
	l := &drainLoad{t: t, servers: map[string]int{}}
	ctx, cancel := context.WithCancel(t.Context())
	var visitors sync.WaitGroup
	l.stop = func() {
		cancel()
		visitors.Wait()
	}
	for range d.atOnce {
		visitors.Go(func() {
			for ctx.Err() == nil {
				page, err := d.request(nil)
				if err != nil {
					l.failed.Add(1)
					l.last.Store(&err)
					continue
				}
				l.served.Add(1)
				l.mu.Lock()
				l.servers[page]++
				l.mu.Unlock()
			}
		})
	}
	return l
}

// more waits until so many more requests are served.
func (l *drainLoad) more(n int) {
	l.t.Helper()
	end := l.served.Load() + int64(n)
	await(l.t, fmt.Sprintf("%d more requests", n), func() bool { return l.served.Load() >= end })
}

// pages is how many requests a real server has served.
func (l *drainLoad) pages(server string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.servers[server]
}

// request gets a page of the virtual service by a connection that the real server closes
// first, so that the client's port is free at once. from is the client's address, or nil.
func (c *cluster) request(from net.Addr) (page string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	var conn net.Conn
	err = c.In("client", func() (err error) {
		d := net.Dialer{LocalAddr: from}
		conn, err = d.DialContext(ctx, "tcp", lab.VIP+":80")
		return err
	})
	if err != nil {
		return "", err
	}
	defer conn.Close()
	end, _ := ctx.Deadline()
	if err := conn.SetDeadline(end); err != nil {
		return "", err
	}
	if _, err := io.WriteString(conn, "GET / HTTP/1.0\r\n\r\n"); err != nil {
		return "", err
	}
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusOK {
		err = errors.Join(errors.New(resp.Status), err)
	}
	_, endErr := io.Copy(io.Discard, r)
	return strings.TrimSpace(string(body)), errors.Join(err, resp.Body.Close(), endErr)
}

// portAgain has a client use its port again after its real server has got weight 0. With
// conn_reuse_mode 3 it meets the other one; with 1 only where the kernel sees the answers.
func (d *drained) portAgain(t *testing.T) {
	for _, mode := range []string{"3", "1"} {
		d.leaves(2)
		d.must(d.In("director", func() error { return sysctl("ipv4/vs/conn_reuse_mode", mode) }))
		from := &net.TCPAddr{IP: net.ParseIP(lab.Client), Port: 30000 + int(mode[0])}
		if page, err := d.request(from); page != "rs1" {
			t.Fatalf("served by %q, %v while rs2 has weight 0", page, err)
		}
		d.returns(2)
		d.leaves(1)
		await(t, "the end of the connection", func() bool { return d.connections(1) == 0 })
		want := "rs2"
		if mode == "1" && d.forward != "masq" {
			want = "rs1"
		}
		if page, err := d.request(from); page != want {
			t.Errorf("conn_reuse_mode %s: served by %q, %v, want %s", mode, page, err, want)
		}
		d.returns(1)
	}
	d.must(d.In("director", func() error { return sysctl("ipv4/vs/conn_reuse_mode", "3") }))
}

// knownClients has clients of a persistent service come again after their real server has
// said that it leaves.
func (d *drained) knownClients(t *testing.T) {
	d.must(d.In("client", addClients))
	get := func() map[string]int {
		count := map[string]int{}
		for _, client := range clients {
			page, err := d.request(&net.TCPAddr{IP: net.ParseIP(client)})
			if err != nil {
				page = "error"
			}
			count[page]++
		}
		return count
	}
	for _, tt := range []struct{ setting, want string }{{"0", "rs1"}, {"1", "rs2"}} { // in this order: a template outlives its service
		d.use("virtual=VIP:9\n    real=RS1:9 gate\n    checktype=off\n", "-A -t 10.0.0.80:9")
		d.use(d.config("    persistent=600\n"), d.at(1, 1), d.at(2, 1))
		d.must(d.In("director", func() error { return sysctl("ipv4/vs/expire_quiescent_template", "0") }))
		if tt.setting == "1" {
			d.host("director", "director", "up")
		}
		d.leaves(2)
		if got := get(); !maps.Equal(got, map[string]int{"rs1": len(clients)}) {
			t.Fatalf("while rs2 has weight 0 its clients are served by %v", got)
		}
		d.returns(2)
		d.leaves(1)
		if got := get(); !maps.Equal(got, map[string]int{tt.want: len(clients)}) {
			t.Errorf("expire_quiescent_template %s: known clients are served by %v, want all by %s", tt.setting, got, tt.want)
		}
		d.returns(1)
	}
}
