package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A work is the task of a program: real servers, ten in each virtual
// service, every second, with a timeout of two.
type work struct {
	kind     string // of the questions
	n        int
	port     uint16
	hanging  int    // as many more real servers, checked by a command that never ends
	command  string // that one's file
	interval int    // seconds between two checks, 0 is one
}

// title is what the report calls it.
func (w work) title() string {
	title := fmt.Sprintf("%s, %d", w.kind, w.n)
	if w.hanging > 0 {
		title += fmt.Sprintf(" beside %d commands that hang", w.hanging)
	}
	if w.interval > 0 {
		title += fmt.Sprintf(" every %d s", w.interval)
	}
	return title
}

// perVirtual is how many real servers a virtual service has.
const perVirtual = 10

// A peer is a program that watches real servers.
type peer struct {
	name    string
	most    int  // real servers that it can be measured with
	slow    bool // checks one server after the other
	inLog   bool // it logs the changes that it makes; others make them where they are noted
	prepare func(dir string, w work) (args, env []string, err error)
}

// asks reports whether it is measured with a kind of question.
func (p peer) asks(kind string) bool { return !p.slow || kind == "connect" || kind == "http" }

// stands are what the programs are started with.
type stands struct{ ldirectord, preload string }

// peers are the programs, ours first.
func (s stands) peers() []peer {
	return []peer{
		{"ldirectord", 100_000, false, true, func(dir string, w work) (args, env []string, err error) {
			file, err := ldirectordFile(dir, w)
			return []string{s.ldirectord, "--dry-run", file, "start"}, nil, err
		}},
		{"keepalived", 10_000, false, false, func(dir string, w work) (args, env []string, err error) {
			file, err := keepalivedFile(dir, w)
			args = []string{"/usr/sbin/keepalived", "-n", "-C", "-G", "-f", file}
			for _, pid := range []string{"p", "c", "r"} {
				args = append(args, "-"+pid, filepath.Join(dir, pid))
			}
			return args, []string{"LD_PRELOAD=" + s.preload}, err
		}},
		// With a thousand it takes minutes to start on some machines.
		{"Perl ldirectord", little, true, false, func(dir string, w work) (args, env []string, err error) {
			file, err := ldirectordFile(dir, w)
			return []string{"/usr/sbin/ldirectord", file, "start"}, nil, err
		}},
	}
}

// ldirectordFile writes the ldirectord.cf that ours and the Perl program read.
func ldirectordFile(dir string, w work) (path string, err error) {
	var b strings.Builder
	fmt.Fprintf(&b, "checkinterval=%d\nchecktimeout=2\nnegotiatetimeout=2\nquiescent=no\nautoreload=no\nsupervised=yes\n", max(w.interval, 1))
	how := questions[w.kind].ldirectord
	for i := range w.n + w.hanging {
		if i%perVirtual == 0 {
			if i >= w.n {
				how = fmt.Sprintf("\tprotocol=tcp\n\tchecktype=external\n\tcheckcommand=%s\n", w.command)
			}
			fmt.Fprintf(&b, "virtual=%s:80\n\tscheduler=wrr\n%s", virtualAddr(i/perVirtual), how)
		}
		fmt.Fprintf(&b, "\treal=%s:%d masq\n", Addr(i), w.port)
	}
	return writeFile(dir, "bench.cf", b.String())
}

// keepalivedFile writes the same for keepalived.
func keepalivedFile(dir string, w work) (path string, err error) {
	var b strings.Builder
	b.WriteString("global_defs {\n  router_id bench\n  enable_script_security\n  script_user root\n}\n")
	how := "    " + questions[w.kind].keepalived + "      connect_timeout 2\n      retry 0\n      delay_before_retry 1\n    }\n"
	for i := range w.n + w.hanging {
		if i == w.n {
			how = fmt.Sprintf("    MISC_CHECK {\n      misc_path \"%s\"\n      misc_timeout 2\n    }\n", w.command)
		}
		if i%perVirtual == 0 {
			fmt.Fprintf(&b, "virtual_server %s 80 {\n  delay_loop %d\n  lvs_sched wrr\n  lvs_method NAT\n  protocol TCP\n", virtualAddr(i/perVirtual), max(w.interval, 1))
		}
		fmt.Fprintf(&b, "  real_server %s %d {\n    weight 1\n%s  }\n", Addr(i), w.port, how)
		if i%perVirtual == perVirtual-1 || i == w.n+w.hanging-1 {
			b.WriteString("}\n")
		}
	}
	return writeFile(dir, "keepalived.conf", b.String())
}

func virtualAddr(i int) string { return fmt.Sprintf("127.200.%d.%d", i/250, 1+i%250) }

// writeFile writes a configuration.
func writeFile(dir, name, text string) (path string, err error) {
	path = filepath.Join(dir, name)
	return path, os.WriteFile(path, []byte(text), 0o600)
}
