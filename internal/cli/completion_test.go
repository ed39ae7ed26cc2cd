package cli

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// Bash itself completes what the script says.
func TestBashCompletion(t *testing.T) {
	bash, err := exec.LookPath("bash") // .ci/run needs it, too
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct{ line, want string }{
		"a command":              {"ldirectord dr", "drain"},
		"after a file":           {"ldirectord my.cf rec", "recheck"},
		"two":                    {"ldirectord my.cf re", "restart reload recheck"},
		"a command's options":    {"ldirectord drain 10.1.0.1 --w", "--wait"},
		"all of them":            {"ldirectord weight 10.1.0.1 5 --", "--all --comment --for --json --virtual"},
		"none that is refused":   {"ldirectord enable 10.1.0.1 --f", ""},
		"those of host":          {"ldirectord host director up --ma", "--masquerade"},
		"the kinds of host":      {"ldirectord host re", "realserver"},
		"what host does":         {"ldirectord host director u", "up"},
		"the file of import":     {"ldirectord import dump", "dump.txt"},
		"show's":                 {"ldirectord show --p", "--persistent"},
		"a shell":                {"ldirectord completion z", "zsh"},
		"what to explain":        {"ldirectord help comp", "completion"},
		"the program's options":  {"ldirectord --dry", "--dry-run"},
		"none for this command":  {"ldirectord stop --", ""},
		"no option that is none": {"ldirectord show --exa", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			script := bashCompletion() + `
COMP_WORDS=(` + tt.line + `)
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_ldirectord
echo "${COMPREPLY[*]}"`
			cmd := exec.Command(bash, "-c", script)
			cmd.Dir = t.TempDir()
			write(t, filepath.Join(cmd.Dir, "dump.txt"), "")
			out, err := cmd.CombinedOutput()
			if got := strings.TrimSpace(string(out)); got != tt.want || err != nil {
				t.Errorf("%q is completed to %q, %v, want %q", tt.line, got, err, tt.want)
			}
		})
	}
}

func TestZshCompletion(t *testing.T) {
	script := zshCompletion()
	for _, want := range []string{"#compdef ldirectord", "'drain:no new connections to a real server; others run out'", "drain) compadd -- --all --comment --for --json --virtual --wait ;;"} {
		if !strings.Contains(script, want) {
			t.Errorf("no %q in\n%s", want, script)
		}
	}
	t.Run("syntax", func(t *testing.T) {
		lab.Need(t, "zsh")
		if out, err := exec.Command("zsh", "-n", "-c", script).CombinedOutput(); err != nil {
			t.Errorf("zsh: %v\n%s", err, out)
		}
	})
}

// fish is given commands, what they do, and their options.
func TestFishCompletion(t *testing.T) {
	script := fishCompletion()
	for _, want := range []string{" -a drain -d 'no new connections", "'__fish_seen_subcommand_from drain' -l wait -d 'return when", "'__fish_seen_subcommand_from drain' -l for -r -d 'its duration", " -l dry-run -d 'check real", " -a 'bash zsh fish'\n"} {
		if !strings.Contains(script, want) {
			t.Errorf("no %q in\n%s", want, script)
		}
	}
	if quoted := fishQuote(`it's \ so`); quoted != `'it\'s \\ so'` {
		t.Errorf("fishQuote = %s", quoted)
	}
	t.Run("syntax", func(t *testing.T) {
		lab.Need(t, "fish")
		if out, err := exec.Command("fish", "-n", "-c", script).CombinedOutput(); err != nil {
			t.Errorf("fish: %v\n%s", err, out)
		}
	})
}
