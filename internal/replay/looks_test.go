package replay

import (
	"bytes"
	"os"
	"regexp"
	"strings"
)

// looks is the function for a step that only looks, nil for others.
func (s *stage) looks(verb string, args []string) func() []string {
	switch verb {
	case "look":
		return func() []string { return s.look(file(args)) }
	case "table":
		return s.table
	case "thresholds":
		return s.thresholds
	case "requests":
		return s.servers.allAsked
	case "mails":
		return func() []string { return masked(strings.Join(s.servers.allMailed(), "\n")) }
	case "syslog":
		return func() []string { return masked(s.syslog.String()) }
	case "output":
		return func() []string { return masked(s.output.String()) }
	case "cat":
		return func() []string { return s.cat(args[0]) }
	}
	return nil
}

// logPath is the log unless the session's file says otherwise.
const logPath = "/var/log/ldirectord.log"

// look is whether the daemon runs, the table, and the new lines of the log.
func (s *stage) look(name string) []string {
	lines := []string{"not running"}
	if runs(s.pid(name)) {
		lines[0] = "running"
	}
	lines = append(lines, s.table()...)
	return append(lines, prefixed("log: ", s.fresh(name))...)
}

// logIs says whether the log has the new lines that a look wants.
func (s *stage) logIs(name string, want []string) bool {
	n := 0
	for _, line := range want {
		if strings.HasPrefix(line, "log: ") {
			n++
		}
	}
	return len(s.fresh(name)) == n
}

// fresh are the lines of the log that no step has looked at.
func (s *stage) fresh(name string) []string {
	if _, err := os.Stat(s.path(logPath)); err != nil {
		return nil
	}
	lines := s.cat(logPath)[s.seen:]
	s.last = len(lines)
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, "[TIME|"+name+"|PID] ")
	}
	return lines
}

// looked notes that a step has seen all there was.
func (s *stage) looked(verb string) {
	if verb == "look" {
		s.seen += s.last
	}
}

// cat is the complete lines of a file, with masks for what differs from run to run.
func (s *stage) cat(name string) []string {
	text, err := os.ReadFile(s.path(name))
	if err != nil {
		return []string{"no such file"}
	}
	return masked(string(text))
}

// headerLines is how many lines /proc/net/ip_vs has of an empty table.
const headerLines = 3

// table is the director's table as ipvsadm prints it. That it is empty is seen
// without a process: they are what costs most here.
func (s *stage) table() []string {
	var text []byte
	err := s.director.do(func() (err error) {
		text, err = os.ReadFile("/proc/thread-self/net/ip_vs")
		return err
	})
	if err == nil && bytes.Count(text, []byte("\n")) <= headerLines {
		return nil
	}
	return s.ipvsadm("-Sn")
}

// ipvsadm runs ipvsadm in the director.
func (s *stage) ipvsadm(args ...string) []string {
	cmd := s.command("/usr/sbin/ipvsadm", append([]string{"ipvsadm"}, args...)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := s.director.run(cmd); err != nil {
		s.t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(out.String()) {
		lines = append(lines, strings.TrimSpace(line))
	}
	return lines
}

// thresholds are the real servers with upper and lower thresholds.
func (s *stage) thresholds() []string {
	var lines []string
	for _, line := range s.ipvsadm("-Ln", "--thresholds") {
		w := strings.Fields(line)
		if len(w) >= 4 && w[0] == "->" && (w[2] != "0" || w[3] != "0") && w[2] != "Uthreshold" && w[1] != "RemoteAddress:Port" {
			lines = append(lines, w[1]+" upper "+w[2]+" lower "+w[3])
		}
	}
	return lines
}

func prefixed(prefix string, lines []string) []string {
	for i, line := range lines {
		lines[i] = prefix + line
	}
	return lines
}

// masks are what differs from run to run.
var masks = []struct {
	what *regexp.Regexp
	mask string
}{
	{regexp.MustCompile(`\[(Mon|Tue|Wed|Thu|Fri|Sat|Sun) \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}(\|[^|\]]*)\|\d+\]`), "[TIME$2|PID]"},
	{regexp.MustCompile(`\[(Mon|Tue|Wed|Thu|Fri|Sat|Sun) \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\]( \[\d+\])?`), "[TIME]"},
	{regexp.MustCompile(`\b(Error|Warning) \[\d+\]`), "$1 [PID]"},
	{regexp.MustCompile(`\b(pid|PID|process)([:=]? ?)\d+`), "$1${2}PID"},
	{regexp.MustCompile(`^(<\d+>)\w{3} [ \d]\d \d\d:\d\d:\d\d `), "${1}TIME "},
	{regexp.MustCompile(`ldirectord\[\d+\]`), "ldirectord[PID]"},
	{regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d, `), "TIME, "},
	{regexp.MustCompile(`down [\d.]+(m?s|m[\d.]+s)`), "down DOWN"},
	{regexp.MustCompile(`^Date: .*`), "Date: DATE"},
	{regexp.MustCompile(`^Message-ID: <\w+@`), "Message-ID: <ID@"},
	{regexp.MustCompile(`^Reason: connection reset`), "Reason: connection refused"}, // of one that was not accepted yet when the server ended
	{regexp.MustCompile(`\d+ asked, [\d.]+(µ|m)?s\)`), "N asked, TIME)"},
}

// slowness is what only a slow machine has to say.
const slowness = "Checks are late: "

// masked are the lines of a text with masks. An empty one is shown as ".".
func masked(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n \t")
		if strings.Contains(line, slowness) {
			continue
		}
		for _, m := range masks {
			line = m.what.ReplaceAllString(line, m.mask)
		}
		if line == "" {
			line = "."
		}
		lines = append(lines, line)
	}
	return lines
}
