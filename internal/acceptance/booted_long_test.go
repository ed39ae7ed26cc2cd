//go:build long

package acceptance

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ldirectord/ldirectord/internal/eventually"
)

const (
	backup     = "192.168.1.14" // of rs2, too
	bootedDir  = "/opt/booted"  // of the commands
	bootedData = "/var/lib/booted"
	dropIns    = "/etc/systemd/system/ldirectord.service.d"
	logOfOurs  = "/var/log/ldirectord.log"
)

// bootedConfig has what outlives the process, what runs commands, and what writes the kernel beside
// the table. The first line is a user's.
const bootedConfig = `checkuser = nobody
checktimeout = 20
checkinterval = 1
notifycommand = ` + bootedDir + `/notify
statuslisten = 127.0.0.1:9180
vipdevice = lvs0
vipcommand = ` + bootedDir + `/vip
announcedelay = 0
withdrawdelay = 1
ipvstimeouts = 901 121 301
maintenancedir = /etc/ha.d/maintenance
maintenanceorders = yes

check = named
    checktype = external
    checkcommand = ` + bootedDir + `/named
    checkarguments = --site 'two words'

virtual = ` + vip + `:80
    real = ` + real1 + `:80 gate
    real = ` + real2 + `:80 gate
    backup = ` + backup + `:80 gate
    fallback = 127.0.0.1:80
    protocol = tcp
    checktype = connect
    alsocheck = named app
    quorum = 1
    quorumcommand = ` + bootedDir + `/quorum
    agentport = 9707
    quiescenttime = 20
    return = byhand
`

// bootedMore is for a daemon without another user for its commands.
const bootedMore = `syncdaemon = both eth0 id 7
hostsetup = noaddress
statuscert = /etc/ha.d/page.pem
statuskey = /etc/ha.d/page.key
`

// A booted is a swap whose file has commands, an agent and a backup server.
type booted struct {
	*swap
	agent   atomic.Value // the words of the agent of rs2, and of the backup server
	seen    []string     // the requests to the kernel since asked
	excused []string     // parts of lines about faults that the test has made, in the journal
}

// TestLongBooted swaps the program in under systemd with a file that has commands, an agent, a backup
// server, orders in files and what else is kept beside the table. It lives through all of it, over a restart,
// a reload and a kill, and stops; then the same with strict.conf and user.conf.
func TestLongBooted(t *testing.T) {
	t.Parallel()
	w := newSwap(t, "systemd-journald.service", "systemd-journald.socket", "systemd-journald-dev-log.socket")
	if w == nil {
		return
	}
	b := &booted{swap: w}
	b.prepare(t)
	b.swapIn(t)
	b.outlives(t)
	b.empties(t)
	b.stops(t)
	b.strict(t)
	b.normal(t)
}

// say runs a command of the machine, and logs it.
func (b *booted) say(t testing.TB, want int, words ...string) string {
	t.Helper()
	out, status := b.m.run(words...)
	t.Logf("$ %s\n%s", strings.Join(words, " "), out)
	if status != want {
		log, _ := b.m.run("sh", "-c", "tail -n 20 "+logOfOurs+"; journalctl --no-pager -u ldirectord -n 20 -o cat; ldirectord show; ldirectord doctor")
		t.Errorf("%q: exit status %d, want %d\n%s\n%s", words, status, want, out, log)
	}
	return out
}

// await is await with the state if it does not come.
func (b *booted) await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	seen := func() bool {
		b.seen = append(b.seen, b.w.taken()...) // its socket has no room for all messages of a minute
		return ok()
	}
	if !eventually.Holds(seen) {
		state, _ := b.m.run("sh", "-c", "ipvsadm -Ln; ip -o address show; cat "+bootedData+"/calls; tail -n 30 "+logOfOurs+"; journalctl --no-pager -u ldirectord -n 30 -o cat; ldirectord show; ldirectord doctor")
		t.Fatalf("%s did not come:\n%s", what, state)
	}
}

// asked are the changes that the kernel was asked for since the last call.
func (b *booted) asked() []string {
	list := append(b.seen, b.w.taken()...)
	b.seen = nil
	return list
}

// prepare makes commands and users, and the agent.
func (b *booted) prepare(t testing.TB) {
	t.Helper()
	b.ip("rs2", "addr add "+backup+"/24 dev eth0")
	b.agent.Store("up")
	for _, ns := range []string{"rs1", "rs2"} {
		l, err := b.Listen(ns, "tcp", ":9707")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			for conn, err := l.Accept(); err == nil; conn, err = l.Accept() {
				word := "up"
				if ns == "rs2" {
					word = fmt.Sprint(b.agent.Load())
				}
				fmt.Fprintln(conn, word)
				conn.Close()
			}
		}()
	}
	b.say(t, 0, "useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", "ldirectord")
	call := "#!/bin/sh\necho \"$(id -un) %s $*\" >>" + bootedData + "/calls\n"
	for name, text := range map[string]string{
		"vip": fmt.Sprintf(call, "vip"), "quorum": fmt.Sprintf(call, "quorum"),
		"notify": "#!/bin/sh\necho \"$(id -un) notify $(cat)\" >>" + bootedData + "/calls\n",
		"named":  "#!/bin/sh\n[ \"$1 $2 $4 $5 $6 $7\" = '" + vip + " 80 80 --site two words app' ] && [ ! -e " + bootedData + "/down.$3 ] && id -un >" + bootedData + "/new.$3 && mv " + bootedData + "/new.$3 " + bootedData + "/checked.$3\n",
	} {
		b.WriteFile("director", bootedDir+"/"+name, text, 0o755)
	}
	for _, dir := range []string{bootedData, "/etc/ha.d/maintenance"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(bootedData, 0o777); err != nil {
		t.Fatal(err)
	}
	b.forget(t)
}

// forget begins new lists of calls and checks, and a new log.
func (b *booted) forget(t testing.TB) {
	t.Helper()
	b.say(t, 0, "sh", "-c", "cd "+bootedData+" && rm -f calls checked.* && : >calls && chmod 666 calls && : >"+logOfOurs)
}

// called waits for a call that begins with text.
func (b *booted) called(t testing.TB, text string) {
	t.Helper()
	b.await(t, "the call "+text, func() bool {
		calls, _ := os.ReadFile(bootedData + "/calls")
		return strings.Contains("\n"+string(calls), "\n"+text)
	})
}

// as has every call so far be that of a user, but those of vipcommand, which are root's.
func (b *booted) as(t testing.TB, user, vipUser string) {
	t.Helper()
	calls, _ := os.ReadFile(bootedData + "/calls")
	for line := range strings.Lines(string(calls)) {
		want := user
		if strings.Contains(line, " vip ") {
			want = vipUser
		}
		if !strings.HasPrefix(line, want+" ") {
			t.Errorf("a call that is not %s's: %s", want, line)
		}
	}
	for _, r := range []string{real1, real2, backup} {
		if text, err := os.ReadFile(bootedData + "/checked." + r); err != nil || strings.TrimSpace(string(text)) != user {
			t.Errorf("the check of %s ran as %q, want %s; %v", r, text, user, err)
		}
	}
}

// weight is that of an address in the table, "-" if it is not there.
func (b *booted) weight(addr string) string {
	found := regexp.MustCompile(`-r ` + regexp.QuoteMeta(addr) + `:80 .* -w (\d+)`).FindStringSubmatch(b.Table())
	if found == nil {
		return "-"
	}
	return found[1]
}

// awaitWeights waits for the weights of both real servers, the backup server and the fallback.
func (b *booted) awaitWeights(t testing.TB, when, want string) {
	t.Helper()
	b.await(t, when+": the weights "+want, func() bool {
		var list []string
		for _, addr := range []string{real1, real2, backup, "127.0.0.1"} {
			list = append(list, b.weight(addr))
		}
		return strings.Join(list, " ") == want
	})
}

// down has the named check fail for real servers, or succeed.
func (b *booted) down(t testing.TB, fails bool, addrs ...string) {
	t.Helper()
	for _, addr := range addrs {
		file := bootedData + "/down." + addr
		err := os.Remove(file)
		if fails {
			err = os.WriteFile(file, nil, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// answers waits for an answer of a command.
func (b *booted) answers(t testing.TB, text string, words ...string) {
	t.Helper()
	b.await(t, fmt.Sprintf("%q in %q", text, words), func() bool {
		out, _ := b.m.run(words...)
		return strings.Contains(out, text)
	})
}

// write makes text the configuration file, which the group of user.conf may read, and checks it.
func (b *booted) write(t testing.TB, text string) (warnings string) {
	t.Helper()
	if err := os.WriteFile(configFile, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return b.say(t, 0, "ldirectord", "check")
}

// well has the log and the journal be without faults, but those of the test, with one of the texts.
func (b *booted) well(t testing.TB, log string, but ...string) {
	t.Helper()
	b.excused = append(b.excused, but...)
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	journal := b.say(t, 0, "journalctl", "--no-pager", "-o", "cat", "-u", "ldirectord")
	t.Logf("%s\n%s", log, text)
	bad := regexp.MustCompile(`(?i)error|warning|fail|panic|refused|cannot|denied|read-only`)
	for line := range strings.Lines(string(text) + journal) {
		if bad.MatchString(line) && !slices.ContainsFunc(b.excused, func(s string) bool { return strings.Contains(line, s) }) {
			t.Errorf("in the log or the journal: %s", line)
		}
	}
}

// swapIn takes the place of the Perl daemon.
func (b *booted) swapIn(t testing.TB) {
	t.Helper()
	b.held = b.hold(5)
	copyFile(t, b.ours, installedFile, 0o755)
	copyFile(t, "../../packaging/ldirectord.service", unitFile, 0o644)
	if out := b.write(t, bootedConfig); !strings.Contains(out, "no mistakes") {
		t.Errorf("check has warnings")
	}
	plan := b.say(t, 3, "ldirectord", "plan")
	if !strings.Contains(plan, "-r "+backup+":80 -g -w 0") || !strings.Contains(plan, "--set 901 121 301") || strings.Contains(plan, "-D") {
		t.Errorf("the plan of the swap:\n%s", plan)
	}
	b.asked()
	b.say(t, 0, "systemctl", "daemon-reload")
	b.say(t, 0, "systemctl", "restart", "ldirectord")
	b.called(t, "nobody notify {") // the first checks are in
	b.called(t, "nobody quorum up "+vip+":80 tcp")
	b.called(t, "root vip up "+vip)
	b.awaitWeights(t, "the swap", "1 1 0 -")
	b.held.live(t, "the swap")
	if got := b.asked(); slices.Contains(got, "DEL_SERVICE") || slices.Contains(got, "DEL_DEST") || slices.Contains(got, "FLUSH") {
		t.Errorf("the swap asked the kernel for %q", got)
	}
	b.await(t, "the address of vipdevice", func() bool { return b.has() })
	for command, want := range map[string]string{
		"ipvsadm -L --timeout":                "901 121 301",
		"ldirectord show":                     "tcp 901 s",
		"ldirectord served":                   vip + " is served",
		"ldirectord why " + real1:             "named",
		"ldirectord status":                   "is running",
		"curl -s http://127.0.0.1:9180/":      "All is well",
		"sysctl net.ipv4.conf.all.arp_ignore": "= 1",
	} {
		b.answers(t, want, strings.Fields(command)...)
	}
	if plan := b.say(t, 0, "ldirectord", "plan"); plan != "" {
		t.Errorf("the plan of a reload without a change:\n%s", plan)
	}
	b.as(t, "nobody", "root")
	b.well(t, logOfOurs)
}

// has reports whether the virtual address is on the device.
func (b *booted) has() bool {
	text, _ := b.Command("director", "ip", "-o", "address", "show", "dev", "lvs0").Output()
	return strings.Contains(string(text), " "+vip+"/")
}

// outlives has an order in a file, an agent's word, and a real server that died and waits, which a restart,
// a kill and a reload leave as they are.
func (b *booted) outlives(t testing.TB) {
	t.Helper()
	b.forget(t)
	order := "/etc/ha.d/maintenance/" + real2
	if err := os.WriteFile(order, []byte("drain\nfor work\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	b.awaitWeights(t, "an order in a file", "1 0 0 -")
	b.answers(t, "for work", "ldirectord", "show")
	b.say(t, 0, "systemctl", "restart", "ldirectord")
	b.awaitWeights(t, "the order after a restart", "1 0 0 -")
	if err := os.Remove(order); err != nil {
		t.Fatal(err)
	}
	b.awaitWeights(t, "the end of the order", "1 1 0 -")
	b.agent.Store("drain")
	b.awaitWeights(t, "the agent's drain", "1 0 0 -")
	b.answers(t, "self-drained", "ldirectord", "show")
	b.agent.Store("up")
	b.awaitWeights(t, "the end of the agent's drain", "1 1 0 -")

	b.down(t, true, real1)
	b.awaitWeights(t, "a death", "0 1 0 -")
	b.say(t, 0, "systemctl", "restart", "ldirectord")
	b.awaitWeights(t, "the end of quiescenttime, after a restart", "- 1 0 -")
	b.down(t, false, real1)
	b.answers(t, "waits", "ldirectord", "why", real1)
	pid := b.m.mainPID()
	b.say(t, 0, "systemctl", "kill", "--kill-who=main", "--signal=KILL", "ldirectord")
	b.await(t, "another process", func() bool { now := b.m.mainPID(); return now != pid && now != "0" })
	b.answers(t, "waits", "ldirectord", "why", real1)
	b.awaitWeights(t, "it waits after a kill", "- 1 0 -")
	b.say(t, 0, "ldirectord", "enable", real1)
	b.awaitWeights(t, "enable", "1 1 0 -")
	b.held.live(t, "restarts and a kill")
	b.as(t, "nobody", "root")
	b.well(t, logOfOurs, "its checks fail", "status=9/KILL", "'signal'", "exit status 1")
}

// empties has all servers die and return.
func (b *booted) empties(t testing.TB) {
	t.Helper()
	b.forget(t)
	b.down(t, true, real1, real2)
	b.await(t, "the backup server", func() bool { return b.weight(backup) == "1" })
	b.down(t, true, backup)
	b.called(t, "nobody quorum down "+vip+":80 tcp")
	b.await(t, "the fallback", func() bool { return b.weight("127.0.0.1") == "1" })
	b.answers(t, "quorum lost", "ldirectord", "show")
	b.down(t, false, real1, real2, backup)
	for _, r := range []string{real1, real2, backup} {
		b.answers(t, "waits", "ldirectord", "why", r)
		b.say(t, 0, "ldirectord", "enable", r)
	}
	b.called(t, "nobody quorum up "+vip+":80 tcp")
	b.await(t, "both real servers alone", func() bool { return b.weight(real1)+b.weight(real2)+b.weight("127.0.0.1") == "11-" })
	b.await(t, "what the kernel is asked at last", func() bool { return len(b.asked()) == 0 })
	b.say(t, 0, "systemctl", "reload", "ldirectord")
	b.answers(t, "Reloading", "cat", logOfOurs)
	b.answers(t, "is served", "ldirectord", "served")
	if got := b.asked(); len(got) > 0 {
		t.Errorf("a reload without a change asked the kernel for %q", got)
	}
	b.as(t, "nobody", "root")
	b.well(t, logOfOurs)
}

// stops has the stop withdraw the address, and empty the table.
func (b *booted) stops(t testing.TB) {
	t.Helper()
	b.forget(t)
	b.say(t, 0, "systemctl", "stop", "ldirectord")
	b.called(t, "root vip down "+vip)
	b.gone(t)
	b.well(t, logOfOurs)
}

// gone has nothing left after a stop.
func (b *booted) gone(t testing.TB) {
	t.Helper()
	if table := b.Table(); table != "" || b.has() {
		t.Errorf("after the stop:\n%s%t", table, b.has())
	}
	b.say(t, 3, "ldirectord", "status")
	if out := b.say(t, 0, "ipvsadm", "-l", "--daemon"); out != "" {
		t.Errorf("the sync daemon after the stop: %s", out)
	}
}

// dropIn has the unit use one of our drop-ins, with the kernel's settings as at the boot.
func (b *booted) dropIn(t testing.TB, name string) {
	t.Helper()
	if err := os.RemoveAll(dropIns); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dropIns, 0o755); err != nil {
		t.Fatal(err)
	}
	copyFile(t, "../../packaging/"+name, filepath.Join(dropIns, name), 0o644)
	b.say(t, 0, "sysctl", "-w", "net.ipv4.conf.all.arp_ignore=0", "net.ipv4.vs.conn_reuse_mode=1")
	b.say(t, 0, "systemctl", "daemon-reload")
	b.say(t, 0, "systemctl", "enable", "ldirectord")
	b.forget(t)
}

// renew makes another certificate and key for the page.
func (b *booted) renew(t testing.TB, keyMode string) {
	t.Helper()
	b.say(t, 0, "sh", "-c", `cd /etc/ha.d && rm -f page.*
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 90 -subj /CN=localhost -keyout page.key -out page.pem 2>/dev/null
chgrp ldirectord page.key && chmod `+keyMode+` page.key`)
}

// refuses has check and doctor say what the unit forbids, and its start fail with the reason in a log.
func (b *booted) refuses(t testing.TB, why, log string) {
	t.Helper()
	if out := b.write(t, bootedConfig); !strings.Contains(out, why) {
		t.Errorf("check lacks %q", why)
	}
	if out := b.say(t, 1, "ldirectord", "doctor"); !strings.Contains(out, why) || !strings.Contains(out, "[unit-forbids]") {
		t.Errorf("the doctor lacks %q", why)
	}
	b.say(t, 1, "systemctl", "start", "ldirectord")
	b.answers(t, "Initialisation Error: checkuser = nobody", "cat", log)
	b.say(t, 0, "systemctl", "stop", "ldirectord")     // no further try
	b.m.run("systemctl", "reset-failed", "ldirectord") // its count of starts; without one there is an error
}

// withMore starts the daemon without checkuser and with more, and has it do all of it.
func (b *booted) withMore(t testing.TB, keyMode string) {
	t.Helper()
	b.renew(t, keyMode)
	if out := b.write(t, bootedMore+strings.TrimPrefix(bootedConfig, "checkuser = nobody\n")); strings.Contains(out, "ldirectord.service") {
		t.Error("check says that the unit forbids something")
	}
	b.say(t, 0, "systemctl", "start", "ldirectord")
	b.awaitWeights(t, "the start", "1 1 0 -")
	b.await(t, "the address of vipdevice", func() bool { return b.has() })
	for command, want := range map[string]string{
		"sysctl net.ipv4.conf.all.arp_ignore": "= 1",
		"sysctl net.ipv4.vs.conn_reuse_mode":  "= 3",
		"ipvsadm -l --daemon":                 "syncid=7",
		"ipvsadm -L --timeout":                "901 121 301",
		"curl -sk https://127.0.0.1:9180/":    "All is well",
		"ldirectord served":                   vip + " is served",
	} {
		b.answers(t, want, strings.Fields(command)...)
	}
	for line := range strings.Lines(b.say(t, 0, "ldirectord", "show")) {
		if strings.HasPrefix(line, "! ") && !strings.Contains(line, "within the last minute") { // a busy machine
			t.Errorf("show has a fault: %s", line)
		}
	}
}

// strict is a file that has too much for strict.conf, and one that has not.
func (b *booted) strict(t testing.TB) {
	t.Helper()
	b.dropIn(t, "strict.conf")
	b.refuses(t, "may not run commands as another user", logOfOurs)
	b.withMore(t, "600")
	b.as(t, "root", "root")
	b.say(t, 0, "systemctl", "reload", "ldirectord")
	b.say(t, 0, "systemctl", "restart", "ldirectord")
	b.awaitWeights(t, "a restart under strict.conf", "1 1 0 -")
	b.say(t, 0, "systemctl", "stop", "ldirectord")
	b.gone(t)
	b.answers(t, "= 1", "sysctl", "net.ipv4.vs.conn_reuse_mode")
	b.well(t, logOfOurs, "checkuser = nobody", "Failed with result 'exit-code'", "Failed to start", "status=1/FAILURE")
}

// normal is the same under user.conf, where a key comes that the daemon's user cannot read.
func (b *booted) normal(t testing.TB) {
	t.Helper()
	const log = "/var/log/ldirectord/ldirectord.log"
	b.dropIn(t, "user.conf")
	b.refuses(t, "runs the daemon as the user ldirectord", log)
	b.withMore(t, "640")
	b.as(t, "ldirectord", "ldirectord")
	b.renew(t, "600")
	const fault = "the last certificate of 127.0.0.1:9180 is used, not the renewed one"
	b.answers(t, fault, "ldirectord", "show")
	b.answers(t, "permission denied", "grep", "-i", fault, log)
	b.answers(t, fault, "ldirectord", "doctor")
	b.renew(t, "640")
	b.answers(t, "No longer so: "+fault, "cat", log)
	b.say(t, 0, "systemctl", "stop", "ldirectord")
	b.gone(t)
	b.well(t, log, "statuscert: open", "Failed to connect to bus") // there is no D-Bus
}
