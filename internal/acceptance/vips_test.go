package acceptance

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/lab"
)

// A announced is a director with a command and a device for its virtual address.
type announced struct {
	*cluster
	log string // of the command: each call with the number of routes in the table, and whether the device has the address
}

const routedVIP = "10.80.0.80"

func newAnnounced(t *testing.T, more string) *announced {
	a := &announced{cluster: newCluster(t, lab.DR, 2, ""), log: filepath.Join(t.TempDir(), "calls")}
	script := filepath.Join(t.TempDir(), "announce")
	text := "#!/bin/sh\necho \"$* $(ipvsadm -Ln | grep -c Route) $(ip -o address show dev lvs0 | grep -c " + routedVIP + "/32)\" >>" + a.log + "\n"
	if err := os.WriteFile(script, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	a.write("checkinterval=1\nannouncedelay=0\nvipcommand=" + script + "\nvipdevice=lvs0\n" + more + "virtual=" + routedVIP +
		":80\n    real=RS1:80 gate\n    real=RS2:80 gate\n    checktype=connect\n")
	return a
}

// calls are the calls of the command so far, without repetitions.
func (a *announced) calls() []string {
	text, _ := os.ReadFile(a.log) // none yet
	var lines []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); len(lines) == 0 || lines[len(lines)-1] != line {
			lines = append(lines, line)
		}
	}
	return lines
}

// forget begins a new list of calls.
func (a *announced) forget() { _ = os.Remove(a.log) }

func (a *announced) await(when, want string) {
	a.t.Helper()
	if !eventually.Holds(func() bool { return strings.Join(a.calls(), "; ") == want }) {
		a.t.Errorf("%s: the calls are %q, want %q", when, strings.Join(a.calls(), "; "), want)
	}
}

func (a *announced) has(addr string) bool {
	text, _ := a.Command("director", "ip", "-o", "address", "show", "dev", "lvs0").Output() // which is not there at first
	return strings.Contains(string(text), " "+addr+"/")
}

// status is the exit status of a command of the program.
func (a *announced) status(words ...string) int {
	cmd := a.Command("director", a.binary, append([]string{a.file}, words...)...)
	_ = cmd.Run()
	return cmd.ProcessState.ExitCode()
}

// TestAddressFollows has a command and a device follow whether the address is served: from the start,
// over a restart and the death of the real servers, to the stop, where the address goes before
// the table.
func TestAddressFollows(t *testing.T) {
	t.Parallel()
	lab.Program(t, program)
	if !lab.Inside(t) {
		return
	}
	a := newAnnounced(t, "")
	up, down := "up "+routedVIP+" 2 1", "down "+routedVIP
	a.start()
	await(t, "the address", func() bool { return a.status("served", routedVIP) == 0 && a.has(routedVIP) })
	await(t, "the call", func() bool { return len(a.calls()) > 0 && a.calls()[len(a.calls())-1] == up })
	for _, call := range a.calls()[:len(a.calls())-1] { // none, if the first checks were faster
		if !strings.HasPrefix(call, down) {
			t.Errorf("a call of the start, before the table is complete: %s", call)
		}
	}
	if got := strings.TrimSpace(a.Output("director", "cat", "/proc/sys/net/ipv4/conf/all/arp_ignore")); got != "1" {
		t.Errorf("arp_ignore is %s: the director answers ARP for the address of its dummy", got)
	}
	a.Output("director", "ip", "address", "add", "10.80.0.99/32", "dev", "lvs0")

	a.forget()
	a.Output("director", a.binary, a.file, "restart")
	a.await("a restart", up)

	a.Web("rs1").Stop()
	a.Web("rs2").Stop()
	await(t, "the withdrawal", func() bool { return a.status("served") == 1 && !a.has(routedVIP) })
	a.await("all real servers are dead", up+"; "+down+" 0 0")
	a.must(a.Web("rs1").Start())
	a.must(a.Web("rs2").Start())
	await(t, "the return", func() bool { return a.status("served") == 0 && a.has(routedVIP) })
	await(t, "the table", func() bool { return strings.Count(a.Output("director", "ipvsadm", "-Ln"), "Route") == 2 })

	pid := a.pid()
	a.must(syscall.Kill(pid, syscall.SIGSTOP))
	began := time.Now()
	if got := a.status("served"); got != 1 {
		t.Errorf("served of a stopped process: exit status %d", got)
	}
	eventually.InTime(t, "served", began, 2*time.Second)
	a.must(syscall.Kill(pid, syscall.SIGCONT))
	await(t, "the answer", func() bool { return a.status("served") == 0 })

	a.forget()
	a.Output("director", a.binary, a.file, "stop")
	a.await("the stop", down+" 2 0")
	if a.Output("director", "ipvsadm", "-Sn") != "" || a.has(routedVIP) || !a.has("10.80.0.99") {
		t.Errorf("after the stop:\n%s%s", a.Output("director", "ipvsadm", "-Sn"), a.Output("director", "ip", "address"))
	}
	if got := a.status("served"); got != 3 {
		t.Errorf("served without a daemon: exit status %d", got)
	}
}

// TestAddressOfAHungDaemon has a stop kill a daemon that hangs: it withdraws the address before it
// cleans the table.
func TestAddressOfAHungDaemon(t *testing.T) {
	t.Parallel()
	lab.Program(t, program)
	if !lab.Inside(t) {
		return
	}
	a := newAnnounced(t, "withdrawdelay=none\n")
	a.start()
	await(t, "the address", func() bool { return a.has(routedVIP) })
	await(t, "the table", func() bool { return strings.Count(a.Output("director", "ipvsadm", "-Ln"), "Route") == 2 })
	await(t, "the call", func() bool { return len(a.calls()) > 0 && a.calls()[len(a.calls())-1] == "up "+routedVIP+" 2 1" })
	a.forget()
	halt(t, a.pid())
	a.Output("director", a.binary, a.file, "stop")
	a.await("the stop", "down "+routedVIP+" 2 0")
	if a.Output("director", "ipvsadm", "-Sn") != "" || a.has(routedVIP) {
		t.Errorf("after the stop:\n%s%s", a.Output("director", "ipvsadm", "-Sn"), a.Output("director", "ip", "address"))
	}
}

// pid is the daemon's process.
func (a *announced) pid() int {
	a.t.Helper()
	files, _ := filepath.Glob("/var/run/ldirectord.*.pid") // the pattern is valid
	if len(files) != 1 {
		a.t.Fatalf("pid files: %q", files)
	}
	text, err := os.ReadFile(files[0])
	a.must(err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	a.must(err)
	return pid
}
