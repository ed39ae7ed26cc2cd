//go:build long

package original

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// The values that files are made up of. What docs/compatibility.md lists as
// different is left out: units of time, a virtual as the last line, requests of
// real servers that begin with a slash, thresholds in the other order, a global
// fallback beside marks, masks with gaps, masq real servers without a port that
// repeat, and what else has a number there.
var (
	virtuals = []string{
		"10.0.0.1:80", "10.0.0.2:80", "10.0.0.2:http", "10.0.0.3:080", "10.0.0.4:53", "10.0.0.5:domain", "10.0.0.6:0", "10.0.0.7:65535", "10.0.0.8:65536",
		"8", "0", "4294967295", "10.0.0.9", "localhost:80", "10.0.0.10:80 x", "10.0.0.11:80,443", "10.0.0.12:nosuch", "256.0.0.1:80", "10.0.0.13:443 ", "010.0.0.14:80",
		"10.0.0.15:tftp", "10.0.0.16:", "nosuch.invalid:80", "10.0.0.17:ldap\t", "10.0.0.18:Http",
	}
	virtuals6 = []string{"[fd00::1]:80", "[fd00:0:0:0::2]:80", "[FD00::3]:53", "7", "[::1]:http", "[fd00::1:80", "[1::2::3]:80", "fd00::1:80", "[::ffff:a00:1]:80"}
	hosts     = []string{"10.1.0.1", "10.1.0.2", "10.1.0.3", "localhost", "10.1.0.1->10.1.0.3", "10.1.0.9->10.1.0.11", "10.1.0.3->10.1.0.1", "010.1.0.4", "10.1", "10.1.0.300", "http://10.1.0.5", "10.1.0.1 -> 10.1.0.3", "127.0.0.1"}
	hosts6    = []string{"[fd00::11]", "[fd00:0::12]", "[FD00::13]", "fd00::14", "[fd00::15]->[fd00::16]", "10.1.0.1", "[::ffff:a01:1]", "[::a01:1]"}
	ports     = []string{":80", ":8080", ":080", ":http", ":domain", ":0", ":65536", ":nosuch", ":443", ":tftp"}
	methods   = []string{" gate", " masq", " ipip", " gate 2", " masq 0", " masq 100", " masq -w 6", " gate weight 7", " Gate", "", " masq2", " masq -1", " masq 65536", "  masq   3  ", "\tmasq\t4", " gate 007", " masq 1 l:2 u:9", " masq 1 u:9", " masq 1 x", " masq 1 l:2", ` masq 1 "a", "b"`, ` masq 1 "a" "b" l:1 u:2`, ` masq 1 "a","b"`, ` masq 1 "a"`, ` masq "", ""`, " masq 1 u:4294967295"}
	globals   = []string{
		"checktimeout=3", "checktimeout = 0", "negotiatetimeout=-5", "checkinterval=1 # x", "checkcount=2", "failurecount=x", "autoreload=yes", "autoreload = yes ",
		"quiescent=no", "quiescent=Yes", "fork=no", "cleanstop=no", "readdquiescent=yes", "fallback=127.0.0.1:80", "fallback=127.0.0.1:80 gate", "fallback=10.1.0.9:81 masq",
		"fallback=127.0.0.1:http", "fallback6=[::1]:80", "emailalert=a@b.example", "emailalertfrom=", "emailalertstatus=all", "emailalertstatus=running,x", "emailalertfreq=0",
		"smtp=127.0.0.1", `logfile="/run/log"`, `logfile="/nosuch/log"`, `logfile="local0"`, `logfile="/run"`, "logfile=/run/log", `callback="/run/x"`, "callback=/run/x", "supervised=no",
		"maintenancedir=/run/nosuch", "timeout=3", "connecttimeout=3", " checktimeout=3", "nonsense", "# comment", "", "\t# indented", "CheckTimeout=3", "checktimeout 3", "checktimeout==3",
		"fallbackcommand=", "emailalert=", "emailalertfreq=x", "smtp=", "maintenancedir=",
	}
	directives = []string{
		"checktype=on", "checktype=off", "checktype=connect", "checktype=3", "checktype=Connect", "checktype=negotiate x", "checktype=external-perl ", "service=http", "service=dns", "service=ssh", "service=http_proxy ", "service=",
		"checkport=80", "checkport=0", "checkport=65536", "checkport=x", `request="/x"`, `request="x"`, "request=/x", `request=""`, `request = "a" b`, `receive="ok"`, `receive=""`, "httpmethod=get", "httpmethod=POST", "httpmethod=HEAD x", "virtualhost=www", `virtualhost="www"x`, "virtualhost=",
		`login="x"`, "login=x", `passwd=""`, `database="d"`, `secret="s"`, `load="x"`, `load=""`, "scheduler=rr", "scheduler=WRR", "scheduler=Xrr", "scheduler=wlc x", "scheduler=nosuch", "scheduler=sh", "scheduler=mh",
		"persistent=300", "persistent=0", "persistent=x", "persistent = 0300", "netmask=255.255.255.0", "netmask=24", "netmask=255.255.255.0 ", "netmask=64", "schedflags=sh-port", "schedflags = sh-port,sh-fallback", `schedflags="mh-port" x`, "schedflags=nosuch", "protocol=tcp", "protocol=udp", "protocol=fwm", "protocol=sctp", "protocol=", "ops=yes", "ops=no", "ops=x",
		"quiescent=yes", "quiescent=no ", "quiescent=no # c", "cleanstop=no", "checkinterval=5", "checktimeout=x", "negotiatetimeout=7", "failurecount=2", "checkcount=1", "fallback=127.0.0.1:81", "fallback=127.0.0.1", "fallback=127.0.0.1 masq", "fallback = 127.0.0.1:82 Masq", "fallback6=[::1]:81", "fallback=", "fallback=http://127.0.0.1", "fallback=a b 127.0.0.1:83 ipip", "fallbackcommand=/bin/true x",
		"emailalert=a@b.example", "emailalertfreq=5", "emailalertstatus=none", "emailalertstatus=none,all", "monitorfile=/run/mon", "monitorfile=/nosuch/mon", `monitorfile="/run/mon 2"`, "servicename=a b ", "comment=", "servicename = ", "autoreload=yes", "nonsense=1", "real", "real=", "Real=10.1.0.1:80 masq", "# comment", "connecttimeout=3", "smtp=x!", "checkcommand=", `checkcommand="/bin/true"`, "timeout=3",
	}
	indents = []string{"    ", "\t", "    ", "\t", "  \t", "        ", "   ", "  "}
	after   = []string{"", "", "", "", "", "", " ", " # c", "#c", "\r"}
)

func one(r *rand.Rand, list []string) string { return list[r.IntN(len(list))] }

// madeUp is a file of a few blocks, most of whose lines are sound.
func madeUp(r *rand.Rand) string {
	var b strings.Builder
	for range r.IntN(3) {
		b.WriteString(one(r, globals) + "\n")
	}
	for range 1 + r.IntN(3) {
		block(r, &b)
	}
	if r.IntN(4) == 0 {
		b.WriteString("\n" + one(r, globals) + "\n")
	}
	return b.String()
}

func block(r *rand.Rand, b *strings.Builder) {
	name, reals, virtual := "", hosts, one(r, virtuals[:8])
	if r.IntN(2) == 0 {
		virtual = one(r, virtuals)
	}
	if r.IntN(4) == 0 {
		name, reals, virtual = "6", hosts6, one(r, virtuals6)
	}
	fmt.Fprintf(b, "virtual%s%s%s\n", name, one(r, []string{"=", " = ", "= "}), virtual)
	indent := one(r, indents)
	line := func(text string) {
		if r.IntN(20) == 0 {
			indent = one(r, indents)
		}
		b.WriteString(indent + text + one(r, after) + "\n")
	}
	for range r.IntN(4) {
		host := one(r, reals[:3])
		if r.IntN(4) == 0 {
			host = one(r, reals)
		}
		port := ""
		if r.IntN(5) > 0 {
			port = one(r, ports)
		}
		line("real" + name + one(r, []string{"=", " = "}) + host + port + one(r, methods))
	}
	for range r.IntN(4) {
		line(one(r, directives))
	}
}
