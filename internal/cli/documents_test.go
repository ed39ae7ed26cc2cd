package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/ldirectord/ldirectord/ipvs"
)

// A written command is a command line of this program in a document.
type writtenCommand struct {
	document string
	text     string   // as it is written
	words    []string // behind the program's name
}

// documents are README.md and docs/*.md by their names.
func documents(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(files) < 5 {
		t.Fatalf("the documents are %v, %v", files, err)
	}
	texts := map[string]string{}
	for _, file := range append(files, "../../README.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts[filepath.Base(file)] = string(text)
	}
	return texts
}

var (
	indented  = regexp.MustCompile(`(?m)^    +(.*)$`)
	backticks = regexp.MustCompile("`([^`\n]+)`")
	chain     = regexp.MustCompile(`\s*(?:&&|;|\|\||>\(|<\()\s*`)
	ours      = regexp.MustCompile(`^(?:sudo |ip netns exec \S+ |source )*(?:build/|/usr/sbin/|\./)?ldirectord (.+)$`)
	redirect  = regexp.MustCompile(`\s*[0-9]?[<>].*$`)
	comment   = regexp.MustCompile(`\s{3,}\S.*$|\s+# .*$`)
	inBracket = regexp.MustCompile(`\[([^][]*)\]`)
	quotes    = regexp.MustCompile(`"[^"]*"|'[^']*'|\S+`)
)

// commandsIn finds the commands of this program in a text: in its code blocks, and between
// backticks.
func commandsIn(document, text string) (list []writtenCommand) {
	var lines []string
	for _, m := range indented.FindAllStringSubmatch(text, -1) {
		lines = append(lines, m[1])
	}
	blocks := len(lines)
	for _, m := range backticks.FindAllStringSubmatch(text, -1) {
		lines = append(lines, m[1])
	}
	for i, line := range lines {
		for _, part := range chain.Split(line, -1) {
			for _, one := range alternatives(part) {
				m := ours.FindStringSubmatch(one)
				if m == nil || isSpeech(m[1]) {
					continue
				}
				if i >= blocks && commandNamed(m[1]) != nil {
					continue // only its name
				}
				list = append(list, writtenCommand{document, line, wordsOf(m[1])})
			}
		}
	}
	return list
}

// isSpeech reports whether a line that begins with the program's name is no command: its
// output, or its usage.
func isSpeech(rest string) bool {
	return strings.HasPrefix(rest, "for ") || strings.HasPrefix(rest, "… is ") || strings.Contains(rest, "[CONFIG] COMMAND") || strings.HasPrefix(rest, "started")
}

// alternatives expands the notation of a usage: "show --json | --stats" and "up|down". A
// real pipe is cut off.
func alternatives(part string) []string {
	part = comment.ReplaceAllString(part, "")
	parts := strings.Split(part, " | ")
	base, list := parts[0], []string{parts[0]}
	if i := strings.Index(base, " --"); i > 0 {
		for _, p := range parts[1:] {
			if strings.HasPrefix(p, "--") {
				list = append(list, base[:i+1]+p)
			}
		}
	}
	for _, p := range parts[1:] {
		if ours.MatchString(p) {
			list = append(list, p) // behind a pipe
		}
	}
	var all []string
	for _, one := range list {
		all = append(all, spread(one)...)
	}
	return all
}

var choice = regexp.MustCompile(`(\S*[^\s|])\|([^\s|]\S*)`)

// spread makes a line of each word of "up|down".
func spread(line string) []string {
	at := choice.FindStringIndex(line)
	if at == nil {
		return []string{line}
	}
	var all []string
	for word := range strings.SplitSeq(line[at[0]:at[1]], "|") {
		all = append(all, spread(line[:at[0]]+word+line[at[1]:])...)
	}
	return all
}

// stand are values for names in a usage.
var stand = map[string]string{
	"COMMAND": "show", "…": "x", "CONFIG": "ldirectord.cf", "TIME": "1h", "N": "2", "VIP": "192.0.2.80", "WHAT": "director", "N%": "2", "ADDRESS": "192.0.2.80", "ADDRESS,...": "192.0.2.80",
}

// wordsOf are the words of a command line, without redirections and quotes.
func wordsOf(line string) (words []string) {
	line = inBracket.ReplaceAllString(redirect.ReplaceAllString(line, ""), "$1")
	for _, word := range quotes.FindAllString(line, -1) {
		word = strings.Trim(strings.TrimRight(word, ",:)"), `"'`)
		if value, ok := stand[word]; ok {
			word = value
		}
		if word != "" && word != "&" && word != "options" {
			words = append(words, word)
		}
	}
	return words
}

// understood returns why a command line is not one, nil if it is.
func understood(words []string) error {
	inv, err := parse(words)
	if err != nil {
		return err
	}
	if inv.help || inv.version {
		return nil
	}
	_, arguments, err := inv.command.read(inv.args)
	if err != nil {
		return err
	}
	flags, _ := inv.command.flags()
	if err := flags.Parse(inv.args); err != nil {
		return err
	}
	return argumentsOf(inv.command.name, flags, arguments)
}

// argumentsOf tests the arguments that only the action of a command tests.
func argumentsOf(name string, flags *pflag.FlagSet, arguments []string) error {
	if mode := flags.Lookup("mode"); mode != nil && !slices.Contains([]string{"gate", "ipip", "masq"}, mode.Value.String()) {
		return fmt.Errorf("the mode is %s", mode.Value)
	}
	switch name {
	case "host":
		if len(arguments) < 2 || !slices.Contains([]string{"up", "down", "status"}, arguments[1]) {
			return fmt.Errorf("host is followed by what, and by up, down or status, not by %q", arguments)
		}
		return hostKind(flags, arguments[0], arguments)
	case "doctor", "show":
		if len(arguments) > 0 {
			return fmt.Errorf("%s takes no %q", name, arguments)
		}
	case "help":
		if len(arguments) > 0 && arguments[0] != "help" && commandNamed(arguments[0]) == nil {
			return fmt.Errorf("there is no command %q", arguments[0])
		}
	}
	return nil
}

// TestDocumentedCommands parses each command of this program that README.md and docs/*.md
// have: no command, option or argument is unknown.
func TestDocumentedCommands(t *testing.T) {
	found, used := 0, map[string]bool{}
	for name, text := range documents(t) {
		for _, c := range commandsIn(name, text) {
			found++
			if err := understood(c.words); err != nil {
				t.Errorf("%s: %s\n%q: %v", c.document, c.text, c.words, err)
			}
			for _, word := range c.words {
				used[word] = true
			}
		}
	}
	if found < 100 {
		t.Errorf("%d commands were found, which are too few", found)
	}
	for _, c := range commands() {
		if !used[c.name] && !strings.Contains(documents(t)["README.md"], "`"+c.name+"`") {
			t.Errorf("no document has the command %s", c.name)
		}
	}
}

// TestCommandsInDocuments sees that mistakes are found.
func TestCommandsInDocuments(t *testing.T) {
	for _, line := range []string{
		"    ldirectord shwo", "    ldirectord show --jason", "`ldirectord host realservers up`", "    make build && ldirectord chek", "    cat x | ldirectord import --force -",
		"    ldirectord [CONFIG] show --json | --statz", "    ldirectord host director up|dwon   # comment", "    ldirectord drain", "`ldirectord drain --for 1h`", "    ldirectord doctor --mode nat", "    sudo ldirectord help shwo",
	} {
		wrong := 0
		for _, c := range commandsIn("x", line+"\n") {
			if understood(c.words) != nil {
				wrong++
			}
		}
		if wrong != 1 {
			t.Errorf("%s has %d wrong commands, want 1: %q", line, wrong, commandsIn("x", line+"\n"))
		}
	}
}

// TestDocumentedCommandsRun runs the commands of the documents that change nothing, in a
// directory of its own: with the file of docs/first-lvs.md, and without a daemon.
func TestDocumentedCommandsRun(t *testing.T) {
	dir := t.TempDir()
	_, file, _ := strings.Cut(documents(t)["first-lvs.md"], "<<'EOF'\n")
	file, _, ok := strings.Cut(file, "    EOF\n")
	if !ok {
		t.Fatal("docs/first-lvs.md has no file")
	}
	config := filepath.Join(dir, "ldirectord.cf")
	write(t, config, strings.ReplaceAll("\n"+file, "\n    ", "\n")+"\nlogfile = \""+dir+"/log\"\nmonitorlog = none\n")
	status := map[string]int{
		"check": 0, "completion": 0, "help": 0, "plan": 3, "status": 3,
		"show": 3, "history": 3, "why": 3, "drain": 3, "disable": 3, "enable": 3, "weight": 3, "recheck": 3,
	}
	ran := map[string]bool{}
	for name, text := range documents(t) {
		for _, c := range commandsIn(name, text) {
			inv, err := parse(c.words)
			if err != nil || inv.command == nil || inv.is("check") && len(inv.args) > 0 && !strings.HasPrefix(inv.args[0], "-") {
				continue
			}
			want, ok := status[inv.command.name]
			line := inv.command.name + " " + strings.Join(inv.args, " ")
			if !ok || ran[line] {
				continue
			}
			ran[line] = true
			var out bytes.Buffer
			got := Main(Env{
				Args: append([]string{"ldirectord", "--config", config, inv.command.name}, inv.args...), RunDir: dir, StateDir: dir, Stdout: &out, Stderr: &out,
				OpenTable: func(context.Context) (ipvs.Table, error) { return ipvs.NewMemory(), nil },
			})
			if got != want {
				t.Errorf("%s: %s: exit status %d, want %d\n%s", c.document, c.text, got, want, out.String())
			}
		}
	}
	if len(ran) < 25 {
		t.Errorf("%d commands were run, which are too few: %v", len(ran), ran)
	}
}

// TestDocumentedFiles wants each target of make, and each package and file of the project
// that a document has in a code block.
func TestDocumentedFiles(t *testing.T) {
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for name, text := range documents(t) {
		for _, m := range indented.FindAllStringSubmatch(text, -1) {
			for _, target := range regexp.MustCompile(`(?:^|&& |sudo )make ((?:[a-z-]+\b ?)+)`).FindAllStringSubmatch(m[1], -1) {
				for target := range strings.FieldsSeq(target[1]) {
					found++
					if !regexp.MustCompile(`(?m)^` + target + `:`).Match(makefile) {
						t.Errorf("%s: %s: the Makefile has no target %s", name, m[1], target)
					}
				}
			}
			for _, path := range regexp.MustCompile(`(?:^|\s)(?:\./)?((?:internal|packaging|docs|conf|checker|ipvs|\.ci)/[\w./-]*\w)`).FindAllStringSubmatch(m[1], -1) {
				found++
				if _, err := os.Stat("../../" + path[1]); err != nil {
					t.Errorf("%s: %s: %v", name, m[1], err)
				}
			}
		}
	}
	if found < 5 {
		t.Errorf("%d targets and files were found, which are too few", found)
	}
}

// TestMessagesAreReal wants each message in the list of docs/troubleshooting.md to be one
// of the program: each part of it between dots is in the source.
func TestMessagesAreReal(t *testing.T) {
	var source strings.Builder
	for _, pattern := range []string{"../../*/*.go", "../../internal/*/*.go", "../../internal/*/*/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if text, err := os.ReadFile(file); err == nil && !strings.HasSuffix(file, "_test.go") {
				source.Write(text)
			}
		}
	}
	_, list, _ := strings.Cut(documents(t)["troubleshooting.md"], "\n## By message\n")
	found := 0
	for _, row := range regexp.MustCompile("(?m)^\\| (`.*?) \\| ").FindAllStringSubmatch(list, -1) {
		for _, message := range backticks.FindAllStringSubmatch(row[1], -1) {
			for part := range strings.SplitSeq(message[1], "…") {
				found++
				if part = strings.Trim(part, " "); part != "" && part != ":" && !strings.Contains(source.String(), part) {
					t.Errorf("the program does not say %q, of the message %s", part, message[1])
				}
			}
		}
	}
	if found < 20 {
		t.Errorf("%d messages were found, which are too few", found)
	}
}
