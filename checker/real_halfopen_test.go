package checker_test

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/realserver"
)

// TestRealHalfOpen has connect checks leave no trace in real servers.
func TestRealHalfOpen(t *testing.T) { checkHalfOpen(t, 200) }

// checkHalfOpen makes so many connect checks of each server: all are up, and
// nothing of them is in its queue, its logs or its counters.
func checkHalfOpen(t *testing.T, checks int) {
	ca := realserver.NewAuthority(t)
	mariadb, nginx := realserver.MariaDB(t), realserver.Nginx(t, ca)
	access := filepath.Join(nginx.Dir, "access.log")
	questions := map[string]bool{} // the sockets of this test's own questions
	for _, server := range []struct {
		name   string
		daemon *realserver.Daemon
		addr   netip.AddrPort
		trace  func() string // what the server knows of clients, beside its output
	}{
		{"mariadb", mariadb, mariadb.Addr("mysql"), func() string { return abortedConnects(t, mariadb, questions) }},
		{"nginx", nginx, nginx.Addr("http"), func() string {
			lines, err := os.ReadFile(access)
			return fmt.Sprintf("%s (%v)", lines, err)
		}},
		{"sshd", nil, netip.AddrPort{}, nil},
		{"postfix", nil, netip.AddrPort{}, nil},
	} {
		t.Run(server.name, func(t *testing.T) {
			switch server.name {
			case "sshd":
				server.daemon = realserver.SSHD(t)
				server.addr = server.daemon.Addr("ssh")
			case "postfix":
				server.daemon = realserver.Postfix(t, ca.Server("mail.example.com"))
				server.addr = server.daemon.Addr("smtp")
			}
			if server.trace == nil {
				server.trace = func() string { return "" }
			}
			leavesNoTrace(t, server.addr, checks, questions, func() string { return server.daemon.Output() + server.trace() })
			// A queue that its process does not empty shows all that was put in.
			server.daemon.Pause()
			defer server.daemon.Continue()
			before := queued(t, server.addr)
			connectMany(t, checker.Connect{Addr: server.addr, HalfOpen: true}, min(checks, 100))
			if n := queued(t, server.addr); n != before {
				t.Errorf("%d connections are in the server's queue, %d before", n, before)
			}
			connectMany(t, checker.Connect{Addr: server.addr}, 1)
			if n := queued(t, server.addr); n != before+1 {
				t.Errorf("after a full connect %d connections are in the server's queue, want %d", n, before+1)
			}
		})
	}
}

// leavesNoTrace makes a number of checks; afterwards trace is unchanged and no
// socket is in TIME_WAIT but those in questions. If this process stalls for longer
// than the kernel delays an ACK, a server may see a connection: the checks of that
// round do not count.
func leavesNoTrace(t *testing.T, addr netip.AddrPort, checks int, questions map[string]bool, trace func() string) {
	t.Helper()
	const round = 50                                        // small, since one late check spoils it
	for _, other := range sockets(t, addr, "", questions) { // of those who waited for the server's start
		questions[other] = true
	}
	unseen := 0
	for range 10 * checks / round {
		before := trace()
		late := connectMany(t, checker.Connect{Addr: addr, HalfOpen: true}, round)
		if late > 0 {
			t.Logf("%d of %d checks were late", late, round)
			continue
		}
		if waiting := sockets(t, addr, timeWait, questions); len(waiting) > 0 {
			t.Errorf("%d sockets are in TIME_WAIT: %v", len(waiting), waiting)
		}
		if got := trace(); got != before {
			t.Errorf("the server knows of the checks: %q", strings.TrimPrefix(got, before))
		}
		if unseen += round; unseen >= checks {
			return
		}
	}
	t.Errorf("only %d of %d checks were made in time", unseen, checks)
}

// connectMany makes so many checks, some at a time as a schedule does, which all
// have to be up. It returns how many came late to what the kernel had answered.
func connectMany(t *testing.T, check checker.Checker, n int) (late int) {
	t.Helper()
	var slow atomic.Int32
	e := engine.New(engine.Options{})
	defer e.Close()
	var failed atomic.Int32
	var first atomic.Value
	for chunk := range slices.Chunk(make([]struct{}, n), 50) {
		var wg sync.WaitGroup
		wg.Add(len(chunk))
		batch := e.Batch()
		for range chunk {
			batch.Start(t.Context(), check, 10*time.Second, 1, func(r engine.Result) {
				if r.Took > 90*time.Millisecond { // the answer took no time at all
					slow.Add(1)
				}
				if r.Err != nil {
					failed.Add(1)
					first.CompareAndSwap(nil, r.Err.Error())
				}
				wg.Done()
			})
		}
		batch.Leave()
		wg.Wait()
	}
	if n := failed.Load(); n > 0 {
		t.Errorf("%d checks failed, first with: %v", n, first.Load())
	}
	return int(slow.Load())
}

// abortedConnects is what MariaDB counts against those that connect and do not
// log in. The socket of the question is added to questions.
func abortedConnects(t *testing.T, d *realserver.Daemon, questions map[string]bool) string {
	t.Helper()
	config := mysql.NewConfig()
	config.Net, config.Addr = "tcp", d.Addr("mysql").String()
	config.User, config.Passwd = realserver.SQLUser, realserver.SQLPasswd
	config.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err == nil {
			questions[procAddr(netip.MustParseAddrPort(conn.LocalAddr().String()))] = true
		}
		return conn, err
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	var name, value string
	if err := db.QueryRow("SHOW GLOBAL STATUS LIKE 'Aborted_connects'").Scan(&name, &value); err != nil {
		t.Fatalf("asking MariaDB after the checks: %v", err)
	}
	return value
}

// States of a socket in /proc/net/tcp (include/net/tcp_states.h).
const (
	timeWait  = "06"
	listening = "0A"
)

// sockets are the other ends of the sockets in state, "" is any, that have addr at
// one end, without those in except.
func sockets(t *testing.T, addr netip.AddrPort, state string, except map[string]bool) (others []string) {
	t.Helper()
	server := procAddr(addr)
	for _, fields := range tcpSockets(t, state) {
		local, remote := fields[1], fields[2]
		switch {
		case local == server && !except[remote]:
			others = append(others, remote)
		case remote == server && !except[local]:
			others = append(others, local)
		}
	}
	return others
}

// queued is how many connections wait for the process that listens on addr.
func queued(t *testing.T, addr netip.AddrPort) int {
	t.Helper()
	for _, fields := range tcpSockets(t, listening) {
		if fields[1] != procAddr(addr) {
			continue
		}
		_, received, _ := strings.Cut(fields[4], ":")
		n, err := strconv.ParseUint(received, 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		return int(n)
	}
	t.Fatalf("nobody listens on %s", addr)
	return 0
}

// tcpSockets are the lines of /proc/net/tcp with state, "" is any, as fields.
func tcpSockets(t *testing.T, state string) (list [][]string) {
	t.Helper()
	text, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 4 && (state == "" || fields[3] == state) {
			list = append(list, fields)
		}
	}
	return list
}

// procAddr is an IPv4 address as /proc/net/tcp has it.
func procAddr(addr netip.AddrPort) string {
	b := addr.Addr().As4()
	slices.Reverse(b[:])
	return fmt.Sprintf("%s:%04X", strings.ToUpper(hex.EncodeToString(b[:])), addr.Port())
}
