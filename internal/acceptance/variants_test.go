package acceptance

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// A variant is the how-to's file with something changed.
type variant struct {
	name      string
	edits     []string // what is there, what is to be there instead, …
	quiescent bool     // as in the how-to; else quiescent=no

	// As the logs have them.
	v, id    string // the virtual service
	r1, r2   string // the real servers
	fallback string
	inKernel string // the fallback, if it is another there

	table  [4]string // the kernel's: the service, rs1, rs2, the fallback
	deaths []death   // of rs1

	prepare func(*site)                 // nil is nothing
	visit   func(*site) (string, error) // asks for a page; nil is as in the how-to
}

// gate is the how-to's file with quiescent=no, quiescent is the file.
var (
	gate      = over4("gate", "-g")
	quiescent = asQuiescent(gate)
)

// variants are by the way in which the real servers are connected.
var variants = map[lab.Mode][]variant{
	lab.DR: {
		gate,
		quiescent,
		{
			name:  "firewall mark",
			edits: []string{"virtual = 192.168.1.99:80", "virtual = 8", "protocol = tcp", "protocol = fwm"},
			v:     "8", id: "fwm 8", r1: real1 + ":80", r2: real2 + ":80", fallback: "127.0.0.1:80",
			table: [4]string{
				"-A -f 8 -s wrr -p 300",
				"-a -f 8 -r 192.168.1.13:80 -g -w 2",
				"-a -f 8 -r 192.168.1.100:80 -g -w 1",
				"-a -f 8 -r 127.0.0.1:80 -g -w 1",
			},
			deaths:  []death{stopped},
			prepare: mark,
		},
		{
			name: "all ports",
			edits: []string{
				"virtual = 192.168.1.99:80", "virtual = 192.168.1.99:0",
				"192.168.1.13:80", "192.168.1.13", "192.168.1.100:80", "192.168.1.100",
			},
			v: vip + ":0", id: "tcp " + vip + ":0", r1: real1 + ":0", r2: real2 + ":0",
			fallback: "127.0.0.1:80", inKernel: "127.0.0.1:0",
			table: [4]string{
				"-A -t 192.168.1.99:0 -s wrr -p 300",
				"-a -t 192.168.1.99:0 -r 192.168.1.13:0 -g -w 2",
				"-a -t 192.168.1.99:0 -r 192.168.1.100:0 -g -w 1",
				"-a -t 192.168.1.99:0 -r 127.0.0.1:0 -g -w 1",
			},
			deaths:  []death{stopped},
			prepare: serve8080,
			visit:   visitBothPorts,
		},
		{
			name:  "udp",
			edits: []string{"protocol = tcp", "protocol = udp"},
			v:     vip + ":80", id: "udp " + vip + ":80", r1: real1 + ":80", r2: real2 + ":80", fallback: "127.0.0.1:80",
			table: [4]string{
				"-A -u 192.168.1.99:80 -s wrr -p 300",
				"-a -u 192.168.1.99:80 -r 192.168.1.13:80 -g -w 2",
				"-a -u 192.168.1.99:80 -r 192.168.1.100:80 -g -w 1",
				"-a -u 192.168.1.99:80 -r 127.0.0.1:80 -g -w 1",
			},
			deaths:  []death{unplugged},
			prepare: serveUDP,
			visit:   visitUDP,
		},
		over6("gate", "-g"),
		mark6(),
	},
	lab.NAT: {over4("masq", "-m"), over6("masq", "-m")},
	lab.Tun: {over4("ipip", "-i"), over6("ipip", "-i")},
}

// over4 is the how-to's file with quiescent=no and a forwarding method, in the
// file's word and in ipvsadm's.
func over4(method, option string) variant {
	return variant{
		name:  method,
		edits: []string{"gate 2", method + " 2", "gate 1", method + " 1"},
		v:     vip + ":80", id: "tcp " + vip + ":80", r1: real1 + ":80", r2: real2 + ":80", fallback: "127.0.0.1:80",
		table: [4]string{
			"-A -t 192.168.1.99:80 -s wrr -p 300",
			"-a -t 192.168.1.99:80 -r 192.168.1.13:80 " + option + " -w 2" + tunnelType(option),
			"-a -t 192.168.1.99:80 -r 192.168.1.100:80 " + option + " -w 1" + tunnelType(option),
			"-a -t 192.168.1.99:80 -r 127.0.0.1:80 -g -w 1",
		},
		deaths: deaths,
	}
}

// tunnelType is what ipvsadm prints behind a tunnelled real server.
func tunnelType(option string) string {
	if option == "-i" {
		return " --tun-type ipip"
	}
	return ""
}

func asQuiescent(v variant) variant {
	v.name, v.quiescent, v.deaths = "quiescent", true, []death{stopped}
	return v
}

// over6 is over4 over IPv6.
func over6(method, option string) variant {
	return variant{
		name: "IPv6",
		edits: []string{
			"fallback=127.0.0.1:80", "fallback6=[::1]:80",
			"virtual = 192.168.1.99:80", "virtual6 = [fd00::80]:80",
			"real = 192.168.1.13:80 gate", "real6 = [fd00:0:0:1::11]:80 " + method,
			"real = 192.168.1.100:80 gate", "real6 = [fd00:0:0:1::12]:80 " + method,
		},
		v: "[fd00::80]:80", id: "tcp [fd00::80]:80",
		r1: "[fd00:0:0:1::11]:80", r2: "[fd00:0:0:1::12]:80", fallback: "[::1]:80",
		table: [4]string{
			"-A -t [fd00::80]:80 -s wrr -p 300",
			"-a -t [fd00::80]:80 -r [fd00:0:0:1::11]:80 " + option + " -w 2" + tunnelType(option),
			"-a -t [fd00::80]:80 -r [fd00:0:0:1::12]:80 " + option + " -w 1" + tunnelType(option),
			"-a -t [fd00::80]:80 -r [::1]:80 -g -w 1",
		},
		deaths: []death{stopped},
		visit: func(s *site) (string, error) {
			return s.get(s.visitor(true), "http://["+lab.VIP6+"]/lvs.html")
		},
	}
}

// mark6 is a firewall mark for IPv6: to the kernel another service than the same
// mark for IPv4.
func mark6() variant {
	v := over6("gate", "-g")
	v.edits = append(v.edits, "virtual6 = [fd00::80]:80", "virtual6 = 8", "protocol = tcp", "protocol = fwm")
	v.name, v.v, v.id, v.prepare = "IPv6 firewall mark", "8", "fwm6 8", mark6In
	for i := range v.table {
		v.table[i] = strings.Replace(v.table[i], "-t [fd00::80]:80", "-f 8 -6", 1)
	}
	return v
}

// holding is the kernel's table when these serve.
func (v variant) holding(who ...string) string {
	lines := []string{v.table[0]}
	for i, name := range []string{"rs1", "rs2", "director"} {
		line := v.table[i+1]
		switch {
		case slices.Contains(who, name):
			lines = append(lines, line)
		case v.quiescent && name != "director":
			lines = append(lines, weightless.ReplaceAllLiteralString(line, " -w 0"))
		}
	}
	return strings.Join(lines, "\n")
}

var weightless = regexp.MustCompile(` -w \d+`)

// in is the log's line when a real server comes in, out when it goes out.
func (v variant) in(r, weight string) string {
	verb := "Added"
	if v.quiescent {
		verb = "Restored"
	}
	return verb + " real server: " + r + " (" + v.v + ") (Weight set to " + weight + ")"
}

func (v variant) out(r string) string {
	if v.quiescent {
		return "Quiescent real server: " + r + " (" + v.v + ") (Weight set to 0)"
	}
	return "Deleted real server: " + r + " (" + v.v + ")"
}

// reset is the log's line when a real server that was out answers.
func (v variant) reset(r string) string {
	return "Resetting soft failure count: " + r + " (" + strings.Replace(v.id, " ", ":", 1) + ")"
}

// The lines of the monitor log.

func (v variant) started(what string) string { return "started: " + what + " (" + v.id + ")" }

func (v variant) isGone(r, cause string) string {
	return r + " is gone. (" + v.id + ": " + cause + ", 1 attempt)"
}

func (v variant) isBack(r, why string) string {
	return r + " is back. (" + v.id + ": " + why + ")"
}

func (v variant) fallbackTakesOver() string {
	return "all real servers of " + v.v + " are gone. (" + v.id + ": fallback " + v.fallback + " takes over)"
}

func (v variant) areBack() string {
	return "real servers of " + v.v + " are back. (" + v.id + ": fallback " + v.fallback + " leaves, down DOWN)"
}

func (v variant) fallbackInKernel() string {
	if v.inKernel != "" {
		return v.inKernel + " mapped from " + v.fallback
	}
	return v.fallback
}

func (v variant) visitor(s *site) func() (string, error) {
	if v.visit != nil {
		return func() (string, error) { return v.visit(s) }
	}
	return s.visitHowto
}

// config is the variant's file, made quick so that a test is.
func (v variant) config(t testing.TB) string {
	t.Helper()
	edits := append([]string{"checkinterval = 10", "checkinterval = 500ms", "checktimeout = 5", "checktimeout = 10"}, v.edits...)
	if !v.quiescent {
		edits = append(edits, "quiescent=yes", "quiescent=no")
	}
	return howto(t, edits...)
}
