//go:build long

package acceptance

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A step is a command of docs/migration.md. Without a function it is another test's.
type step struct {
	line string
	do   func(line string)
}

// TestLongMigration types every command of docs/migration.md once, in its order, on a
// machine with systemd and the Perl daemon, under held connections.
func TestLongMigration(t *testing.T) {
	t.Parallel()
	g := &migration{t: t, dir: t.TempDir()}
	steps := []step{
		{"build/ldirectord /etc/ha.d/ldirectord.cf check", g.says("no mistakes")},
		{"build/ldirectord /etc/ha.d/ldirectord.cf check --explain", g.says("virtual service tcp " + vip + ":80, line ")},
		{"build/ldirectord --dry-run /etc/ha.d/ldirectord.cf start >dry.log", g.dryRun},
		{compareTables, g.comesTrue},
		{"build/ldirectord /etc/ha.d/ldirectord.cf plan", g.silent},
		{"make build && sudo make install", g.install},
		{"ldirectord check", g.says("no mistakes")},
		{"systemctl daemon-reload && systemctl restart ldirectord", g.changeOver},
		{"/etc/init.d/ldirectord restart", nil},   // TestManagers
		{"ldirectord ldirectord.cf restart", nil}, // TestLongManagers
		{"systemctl daemon-reload", g.restore},
		{"systemctl kill --kill-who=main --signal=KILL ldirectord && systemctl restart ldirectord", g.goBack},
		{`kill -KILL "$(cat /var/run/ldirectord.ldirectord.cf.pid)" && /etc/init.d/ldirectord start`, nil}, // TestLongManagers
		{"ldirectord import /etc/keepalived/keepalived.conf >ldirectord.cf", g.importKeepalived},
		{"ipvsadm -S -n | ldirectord import - >ldirectord.cf", g.importTable},
	}
	text, err := os.ReadFile("../../docs/migration.md")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, s := range steps {
		lines = append(lines, s.line)
	}
	if diff := cmp.Diff(lines, typed(string(text))); diff != "" {
		t.Fatalf("the commands of docs/migration.md (-known here +there):\n%s", diff)
	}
	if g.swap = newSwap(t); g.swap == nil {
		return
	}
	if err := os.Mkdir(filepath.Join(g.dir, "build"), 0o755); err != nil {
		t.Fatal(err)
	}
	copyFile(t, g.ours, filepath.Join(g.dir, "build/ldirectord"), 0o755)
	g.held = g.hold(20)
	for _, s := range steps {
		if s.do != nil {
			s.do(s.line)
		}
	}
	g.held.live(t, "all of it")
}

// compareTables is the one command of the document that has several lines.
const compareTables = `awk '/ ipvsadm -/ { sub(/^.* ipvsadm /, ""); at = $2 " " $3 ($4 == "-r" ? $5 : "")
     if (/^-[Dd]/) delete t[at]; else { sub(/^-e/, "-a"); sub(/^-E/, "-A"); t[at] = $0 } }
     END { for (at in t) print t[at] }' dry.log | sort >would
ipvsadm -Sn | sort | diff would -`

// begins is how the commands of the document begin; other indented lines are files and
// output.
var begins = regexp.MustCompile(`^(build/ldirectord|make|ldirectord|systemctl|/etc/init\.d/ldirectord|kill|ipvsadm|awk) `)

// typed are the commands in the indented blocks of a text, without the comments behind
// them. A block that begins with awk is one command.
func typed(text string) (list []string) {
	for _, block := range regexp.MustCompile(`(?m)(^    .*\n)+`).FindAllString(text, -1) {
		block = strings.TrimSuffix(strings.TrimPrefix(strings.ReplaceAll(block, "\n    ", "\n"), "    "), "\n")
		if strings.HasPrefix(block, "awk ") {
			list = append(list, block)
			continue
		}
		for line := range strings.Lines(block) {
			line, _, _ = strings.Cut(line, "  #")
			if line = strings.TrimRight(line, " \n"); begins.MatchString(line) {
				list = append(list, line)
			}
		}
	}
	return list
}

// A migration goes through the document on a booted machine.
type migration struct {
	*swap
	t   *testing.T
	dir string // where the commands are typed
	dry string // process of the dry run
}

// types types a command and returns what it prints.
func (g *migration) types(line string) string {
	g.t.Helper()
	out, status := g.run(line)
	if status != 0 {
		g.t.Errorf("%s: exit status %d\n%s", line, status, out)
	}
	return out
}

func (g *migration) run(line string) (out string, status int) {
	g.t.Helper()
	return g.m.run("sh", "-c", `cd "$0" && eval "$1"`, g.dir, line)
}

// says returns a step whose command succeeds and prints a text.
func (g *migration) says(want string) func(line string) {
	return func(line string) {
		g.t.Helper()
		if out := g.types(line); !strings.Contains(out, want) {
			g.t.Errorf("%s: no %q in\n%s", line, want, out)
		}
	}
}

// silent is a step whose command succeeds and prints nothing.
func (g *migration) silent(line string) {
	g.t.Helper()
	if out := g.types(line); out != "" {
		g.t.Errorf("%s: prints\n%s", line, out)
	}
}

// dryRun starts the dry run, which goes on.
func (g *migration) dryRun(line string) {
	g.t.Helper()
	g.dry = strings.TrimSpace(g.types(line + " 2>dry.err & echo $!"))
}

// comesTrue waits until the command succeeds and prints nothing, and ends the dry run.
func (g *migration) comesTrue(line string) {
	g.t.Helper()
	var out string
	var status int
	if !within(startLimit, func() bool {
		out, status = g.run(line)
		return status == 0 && out == ""
	}) {
		g.t.Errorf("the tables stay different, exit status %d:\n%s", status, out)
	}
	g.m.must("kill", g.dry)
	if text, err := os.ReadFile(filepath.Join(g.dir, "dry.err")); err != nil || len(text) > 0 {
		g.t.Errorf("the dry run complains: %s%v", text, err)
	}
	if asked := g.w.taken(); slices.Contains(asked, "DEL_SERVICE") || slices.Contains(asked, "FLUSH") {
		g.t.Errorf("beside the Perl daemon the kernel was asked for %q", asked)
	}
}

// install installs what was built outside of the lab, over Debian's package.
func (g *migration) install(line string) {
	g.t.Helper()
	repository, err := filepath.Abs("../..")
	if err != nil {
		g.t.Fatal(err)
	}
	line = strings.Replace(line, "make build && sudo make install", "make -C "+repository+" install PROGRAM="+g.dir+"/build/ldirectord", 1)
	if out, status := g.run(line); status == 0 || !strings.Contains(out, "belongs to the package ldirectord") {
		g.t.Errorf("over the files of a package, make install: exit status %d\n%s", status, out)
	}
	g.types(line + " FORCE=yes")
	g.m.refused("systemctl daemon-reload && systemctl restart ldirectord.service", "ldirectord", "restart")
}

// changeOver has ours take the place of the Perl daemon.
func (g *migration) changeOver(line string) {
	g.t.Helper()
	g.w.taken()
	g.types(line)
	g.m.isOurs(g.t, true)
	g.held.live(g.t, line)
	if asked := g.w.taken(); slices.Contains(asked, "DEL_SERVICE") || slices.Contains(asked, "DEL_DEST") || slices.Contains(asked, "FLUSH") {
		g.t.Errorf("%s: the kernel was asked for %q", line, asked)
	}
}

// restore puts the copies of the Perl script and its unit in their places.
func (g *migration) restore(line string) {
	g.t.Helper()
	copyFile(g.t, g.perl, installedFile, 0o755)
	copyFile(g.t, g.debianUnit, unitFile, 0o644)
	g.types(line)
}

// goBack has the Perl daemon take the place of ours. systemd may not have seen the end of
// what it has killed: a start would then have nothing to do, a restart has.
func (g *migration) goBack(line string) {
	g.t.Helper()
	g.w.taken()
	g.types(line)
	g.m.isOurs(g.t, false)
	g.comesFull(g.t, "the way back")
	g.held.live(g.t, "the way back")
	if asked := g.w.taken(); slices.Contains(asked, "DEL_SERVICE") || slices.Contains(asked, "FLUSH") {
		g.t.Errorf("the way back asked the kernel for %q", asked)
	}
	copyFile(g.t, g.ours, installedFile, 0o755) // for what follows in the document
}

// importKeepalived imports a file, which can be loaded.
func (g *migration) importKeepalived(line string) {
	g.t.Helper()
	const file = "/etc/keepalived/keepalived.conf"
	const text = "virtual_server " + vip + " 80 {\n lb_algo wlc\n lb_kind DR\n protocol TCP\n real_server " + real1 + " 80 {\n TCP_CHECK {\n }\n }\n}\n"
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		g.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		g.t.Fatal(err)
	}
	g.types(line)
	g.loads(real1)
}

// importTable imports the table, which can be loaded and is the table.
func (g *migration) importTable(line string) {
	g.t.Helper()
	g.types(line)
	g.loads(real1, real2)
	g.silent("ldirectord --config ldirectord.cf plan")
}

// loads sees that the imported file is one, with the real servers.
func (g *migration) loads(reals ...string) {
	g.t.Helper()
	out := g.types("ldirectord --config ldirectord.cf check --explain")
	for _, real := range reals {
		if !strings.Contains(out, real+":80 gate") {
			g.t.Errorf("the imported file has no %s:\n%s", real, out)
		}
	}
}
