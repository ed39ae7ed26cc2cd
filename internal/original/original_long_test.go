//go:build long

package original

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/director"
	"github.com/ldirectord/ldirectord/internal/lab"
	"github.com/ldirectord/ldirectord/internal/perlre"
	"github.com/ldirectord/ldirectord/ipvs"
)

const program = "/usr/sbin/ldirectord"

var (
	howLong = flag.Duration("original.time", 20*time.Second, "how long files are made up and compared")
	seed    = flag.Uint64("original.seed", 0, "what the files are made of; 0 is another one each time")
)

// TestLongOriginal makes up files, and has both programs read them: both take
// the file or neither does, for the same line and reason, and the tables are the
// same.
func TestLongOriginal(t *testing.T) {
	original := startOriginal(t)
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-original.seed %d", *seed)
	r := rand.New(rand.NewPCG(*seed, 0))
	files, differ := 0, 0
	for end := time.Now().Add(*howLong); time.Now().Before(end) && differ < 10; files++ {
		text := madeUp(r)
		if difference := original.compare(t, text); difference != "" {
			differ++
			t.Errorf("%s\nthe file:\n%s", difference, original.shrink(t, text))
		}
	}
	t.Logf("%d files", files)
	if files == 0 {
		t.Error("no file was compared")
	}
}

// TestLongOriginalCases compares the files that are worth a name. Those called
// differs-N-… are read differently, as docs/compatibility.md says under N.
func TestLongOriginalCases(t *testing.T) {
	original := startOriginal(t)
	files, err := filepath.Glob("testdata/*.cf")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	differences := contents(t, "../../docs/compatibility.md")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		theirs, ours, _ := original.readBoth(t, string(text))
		differ := difference(theirs, ours)
		number, _, known := strings.Cut(strings.TrimPrefix(filepath.Base(file), "differs-"), "-")
		switch known = known && strings.HasPrefix(filepath.Base(file), "differs-"); {
		case !known && differ != "":
			t.Errorf("%s: %s", file, differ)
		case known && differ == "":
			t.Errorf("%s: there is no difference, docs/compatibility.md, %s, says there is", file, number)
		case known && !strings.Contains(differences, "\n"+number+". **"):
			t.Errorf("%s: docs/compatibility.md has no %s", file, number)
		}
	}
}

// A perl is the original at work.
type perl struct {
	dir   string
	stdin io.Writer
	lines *bufio.Scanner
}

// setUp is what the original's namespaces hold: empty directories in place of
// those that it writes to, and no ipvsadm.
const setUp = `for dir in /run /var/log /etc/ha.d; do mount -t tmpfs none $dir; done
mount --bind /bin/true /sbin/ipvsadm && ip link set lo up && exec env -i PATH="$PATH" LANG=C HOSTNAME=director PERL_HASH_SEED=0 perl "$@"`

func startOriginal(t *testing.T) *perl {
	t.Helper()
	lab.Root(t, "namespaces")
	if _, err := os.Stat(program); err != nil {
		t.Skip("not installed: apt-get install ldirectord")
	}
	driver, err := filepath.Abs("testdata/driver.pl")
	if err != nil {
		t.Fatal(err)
	}
	p := &perl{dir: t.TempDir()}
	cmd := exec.Command("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc",
		"sh", "-c", setUp, "sh", driver, program, p.dir)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		_ = cmd.Wait()
	})
	p.stdin, p.lines = stdin, bufio.NewScanner(stdout)
	if !p.lines.Scan() || p.lines.Text() != "ready" {
		t.Fatalf("the driver says %q", p.lines.Text())
	}
	return p
}

// A reading is what one program makes of a file.
type reading struct {
	mistake string // "" if the file is taken
	table   string
}

// without leaves out real servers that are repeated.
func (r reading) without(repeated []netip.Addr) reading {
	var kept strings.Builder
	for line := range strings.Lines(r.table) {
		words := strings.Fields(line)
		at, err := netip.ParseAddrPort(word(words, slices.Index(words, "-r")+1))
		if err != nil || !slices.Contains(repeated, at.Addr()) {
			kept.WriteString(line)
		}
	}
	return reading{mistake: r.mistake, table: kept.String()}
}

func (p *perl) file() string { return filepath.Join(p.dir, "t.cf") }

// read has the original read a file.
func (p *perl) read(t *testing.T, text string) (r reading) {
	t.Helper()
	if err := os.WriteFile(p.file(), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(p.stdin, "%s start\n", p.file()); err != nil {
		t.Fatal(err)
	}
	if !p.lines.Scan() || strings.HasSuffix(p.lines.Text(), " 9") {
		t.Fatalf("the driver has ended with\n%s", text)
	}
	if strings.HasPrefix(p.lines.Text(), "2 ") {
		r.mistake = mistakeIn(contents(t, p.dir+"/stderr"))
		return r
	}
	table := ipvs.NewMemory()
	for line := range strings.Lines(contents(t, p.dir+"/commands")) {
		words := strings.Fields(line)
		if change, ok := parseCommand(words); ok {
			if change.Op == ipvs.AddDestination && listed(table, change, words) {
				change.Op = ipvs.EditDestination
			}
			_ = table.Apply(change) // what the kernel refuses is not in the table
		}
	}
	r.table = table.String()
	return r
}

// listed is whether the original finds in the table what it is about to add, by
// the text that ipvsadm prints. It edits the entry then.
func listed(table *ipvs.Memory, c ipvs.Change, words []string) bool {
	text := word(words, slices.Index(words, "-r")+1)
	entries, _ := table.Read()
	return slices.ContainsFunc(entries, func(e ipvs.Entry) bool {
		return e.Service.Key == c.Service.Key && slices.ContainsFunc(e.Destinations, func(d ipvs.Destination) bool {
			return d.AddrPort.String() == text
		})
	})
}

func contents(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// blankEnd is blanks at the end of a monitorfile, also the CR of a line's end:
// docs/compatibility.md, 45.
var blankEnd = regexp.MustCompile(`\s+: `)

// mistakeIn finds the line of a mistake, without the process that writes it.
func mistakeIn(stderr string) string {
	for line := range strings.Lines(stderr) {
		if rest, ok := strings.CutPrefix(line, "Error ["); ok {
			_, rest, _ = strings.Cut(rest, "]")
			return blankEnd.ReplaceAllString(strings.TrimSpace(rest), ": ")
		}
	}
	return "no reason: " + stderr
}

// read is what this program makes of the file at path.
func read(path, text string) (r reading, repeated []netip.Addr) {
	options := conf.Options{
		Hostname: "director", TryOpen: couldOpen,
		ValidPattern: func(pattern string) error {
			_, err := perlre.Compile(pattern)
			return err
		},
	}
	c, err := conf.Parse(path, []byte(text), options)
	if err != nil {
		problem, _ := errors.AsType[*conf.Problem](err)
		r.mistake = mistakeIn(problem.Diagnostic(1) + "\n")
		return r, nil
	}
	lines := strings.Split(text, "\n")
	for _, v := range c.Virtuals {
		if f := v.Fallback; f != nil && v.Protocol == conf.FWM && strings.HasPrefix(lines[f.Line-1], "fallback") {
			v.Fallback = nil // docs/compatibility.md, 7: there is no global one for marks
		}
		if v.CheckType == conf.CheckOn { // a start does not even add the fallback, which is compared here
			v.CheckType = conf.CheckNegotiate
		}
	}
	_, problems := conf.CheckFile(path, []byte(text), options) // Parse gives no advice
	for _, w := range problems {
		if m := repetition.FindStringSubmatch(w.Text); m != nil {
			repeated = append(repeated, netip.MustParseAddrPort(m[1]).Addr())
		}
	}
	r.table = tableOf(c)
	return r, append(repeated, zeros(c, lines)...)
}

// zeros are the addresses of real servers that share one and are told apart by the zeros before a port.
func zeros(c *conf.Config, lines []string) (list []netip.Addr) {
	for _, v := range c.Virtuals {
		for i, r := range v.Reals {
			shared := slices.ContainsFunc(v.Reals, func(o *conf.RealServer) bool { return o != v.Reals[i] && o.Addr == r.Addr })
			if shared && zeroPort.MatchString(lines[r.Line-1]) {
				list = append(list, r.Addr)
			}
		}
	}
	return list
}

var zeroPort = regexp.MustCompile(`:0[0-9]`)

var repetition = regexp.MustCompile(`^real server (\S+) is in line [0-9]+ already`)

// tableOf is the table with all real servers in service, and with the fallback.
func tableOf(c *conf.Config) string {
	table := ipvs.NewMemory()
	plan(table, c)
	for _, v := range c.Virtuals {
		key := ipvs.MarkKey(v.Mark, v.IPv6)
		if v.Protocol != conf.FWM {
			key = ipvs.AddrKey(map[conf.Protocol]ipvs.Protocol{conf.TCP: ipvs.TCP, conf.UDP: ipvs.UDP}[v.Protocol], netip.AddrPortFrom(v.Addr, v.Port))
		}
		for _, r := range v.Reals { // in the table before a start means in service until the first check
			d := ipvs.Destination{Forward: forwards[r.Forward], Weight: 1, Upper: r.Upper, Lower: r.Lower} // thresholds may be refused
			d.AddrPort = netip.AddrPortFrom(r.Addr, key.DestinationPort(d.Forward, r.Port))
			change := ipvs.Change{Op: ipvs.AddDestination, Service: ipvs.Service{Key: key}, Destination: d}
			if err := table.Apply(change); errors.Is(err, fs.ErrExist) { // with weight 0: quiescent
				change.Op = ipvs.EditDestination
				_ = table.Apply(change)
			}
		}
	}
	plan(table, c)
	return table.String()
}

// plan does what a start does, but for the fallback, which stays.
func plan(table *ipvs.Memory, c *conf.Config) {
	p, err := director.PlanStart(director.Options{Table: table}, c)
	if err != nil {
		panic(err)
	}
	for _, change := range p.Changes {
		if change.Op != ipvs.DeleteDestination {
			_ = table.Apply(change)
		}
	}
}

var forwards = map[conf.Forward]ipvs.Forward{conf.Gate: ipvs.Route, conf.Masq: ipvs.Masq, conf.IPIP: ipvs.Tunnel}

// couldOpen is whether the original could open a log file where it runs.
func couldOpen(path string) error {
	switch {
	case path == "/run":
		return syscall.EISDIR
	case path == "" || strings.HasPrefix(path, "/nosuch/"):
		return syscall.ENOENT
	}
	return nil
}

// compare says how the two readings of a file differ, but for what is no surprise
// in a made-up file.
func (p *perl) compare(t *testing.T, text string) string {
	t.Helper()
	theirs, ours, repeated := p.readBoth(t, text)
	return difference(theirs.without(repeated), ours.without(repeated)) // docs/compatibility.md, 61
}

func (p *perl) readBoth(t *testing.T, text string) (theirs, ours reading, repeated []netip.Addr) {
	t.Helper()
	text += "# the end: a virtual line that is the last is a mistake to the original\n"
	theirs = p.read(t, text)
	ours, repeated = read(p.file(), text)
	if theirs != ours && theirs.table == "" {
		theirs = p.read(t, text) // a machine at its limits may have ended it by its alarm
	}
	return theirs, ours, repeated
}

func difference(theirs, ours reading) string {
	shown, _, masked := strings.Cut(ours.mistake, "***") // what may be a password is not shown here
	if theirs == ours || masked && strings.HasPrefix(theirs.mistake, shown) {
		return ""
	}
	return fmt.Sprintf("the original: %s\n%s\nhere: %s\n%s", theirs.mistake, theirs.table, ours.mistake, ours.table)
}

// shrink leaves out lines of a file as long as the readings differ.
func (p *perl) shrink(t *testing.T, text string) string {
	t.Helper()
	lines := strings.SplitAfter(text, "\n")
	for i := 0; i < len(lines); {
		fewer := slices.Delete(slices.Clone(lines), i, i+1)
		if p.compare(t, strings.Join(fewer, "")) != "" {
			lines = fewer
		} else {
			i++
		}
	}
	text = strings.Join(lines, "")
	return text + p.compare(t, text)
}
