package cli

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

func TestParse(t *testing.T) {
	type seen struct {
		Config     string
		Named      bool
		Verb       string
		Args       []string
		Debug      bool
		DryRun     bool
		Foreground bool
		Help       bool
		Version    bool
	}
	tests := map[string]struct {
		args []string
		want seen
		err  string
		bad  bool
	}{
		"nothing":                    {args: nil, bad: true},
		"a command":                  {args: []string{"start"}, want: seen{Config: "ldirectord.cf", Verb: "start"}},
		"a configuration only":       {args: []string{"x.cf"}, bad: true, err: "a command is missing behind the file x.cf, for example: ldirectord x.cf check"},
		"both":                       {args: []string{"x.cf", "reload"}, want: seen{Config: "x.cf", Named: true, Verb: "reload"}},
		"further words":              {args: []string{"x.cf", "stop", "now", "-d", "--", "--debug"}, want: seen{Config: "x.cf", Named: true, Verb: "stop"}},
		"--dry-run behind start":     {args: []string{"x.cf", "start", "--dry-run"}, want: seen{Config: "x.cf", Named: true, Verb: "start", DryRun: true}},
		"--rundir behind stop":       {args: []string{"x.cf", "stop", "now", "--rundir", "", "-d"}, bad: true, err: "--rundir is empty: leave it out or give it a value"},
		"a second file behind start": {args: []string{"x.cf", "start", "--config=y.cf"}, bad: true, err: "the configuration file is given twice: x.cf and y.cf"},
		"--config behind start":      {args: []string{"start", "--config", "y.cf", "--foreground"}, want: seen{Config: "y.cf", Named: true, Verb: "start", Foreground: true}},
		"-d behind start":            {args: []string{"start", "-d"}, want: seen{Config: "ldirectord.cf", Verb: "start", Debug: true}},
		"--config behind check":      {args: []string{"check", "--config", "y.cf", "--explain"}, want: seen{Config: "y.cf", Named: true, Verb: "check", Args: []string{"--explain=true"}}},
		"a file behind check":        {args: []string{"check", "y.cf", "--explain"}, want: seen{Config: "y.cf", Named: true, Verb: "check", Args: []string{"--explain=true"}}},
		"a file before and behind":   {args: []string{"x.cf", "check", "y.cf"}, bad: true, err: `check is about one configuration file, and "y.cf" is one more`},
		"a file behind plan":         {args: []string{"plan", "y.cf"}, bad: true, err: `plan takes no arguments, and "y.cf" is one: a configuration file has its place before the command`},
		"a value like an option":     {args: []string{"drain", "web1", "--comment", "--config", "--for=1h"}, want: seen{Config: "ldirectord.cf", Verb: "drain", Args: []string{"--comment=--config", "--for=1h", "--", "web1"}}},
		"--dry-run of host":          {args: []string{"host", "director", "up", "--dry-run"}, want: seen{Config: "ldirectord.cf", Verb: "host", Args: []string{"--dry-run=true", "--", "director", "up"}}},
		"--dry-run behind reload":    {args: []string{"x.cf", "reload", "--dry-run"}, bad: true, err: "--dry-run cannot be combined with reload: a dry run is started, and ends by a signal"},
		"a negative weight":          {args: []string{"weight", "web1", "-5"}, bad: true, err: "the weight -5 is negative: a weight is a whole number from 0 to 2147483647, or 0% to 25600% of the file's"},
		"a misspelled option":        {args: []string{"check", "--explian"}, bad: true, err: "Unknown option: explian; did you mean --explain?"},
		"an option without value":    {args: []string{"history", "--limit"}, bad: true, err: "--limit needs a value: --limit N"},
		"an unknown command":         {args: []string{"x.cf", "frob"}, bad: true, err: `there is no command "frob"`},
		"a misspelled command":       {args: []string{"chek"}, bad: true, err: `there is no command "chek": did you mean check?`},
		"misspelled, with a file":    {args: []string{"x.cf", "statsu"}, bad: true, err: `there is no command "statsu": did you mean status?`},
		"misspelled, before a file":  {args: []string{"chek", "x.cf"}, bad: true, err: `there is no command "chek": did you mean check?`},
		"misspelled, with --config":  {args: []string{"--config=x.cf", "relaod"}, bad: true, err: `there is no command "relaod": did you mean reload?`},
		"a command in capitals":      {args: []string{"x.cf", "START"}, bad: true, err: `there is no command "START": did you mean start?`},
		"two commands":               {args: []string{"start", "stop"}, bad: true, err: `start takes no arguments, and "stop" is one: a configuration file has its place before the command`},
		"a file called as a command": {args: []string{"--config", "start", "stop"}, want: seen{Config: "start", Named: true, Verb: "stop"}},
		"--config twice":             {args: []string{"--config=x", "y", "stop"}, bad: true, err: `there is no command "y"`},
		"-d":                         {args: []string{"-d", "x", "start"}, want: seen{Config: "x", Named: true, Verb: "start", Debug: true}},
		"--":                         {args: []string{"-d", "--", "x", "start"}, want: seen{Config: "x", Named: true, Verb: "start", Debug: true}},
		"a file like an option":      {args: []string{"--", "-x", "start"}, want: seen{Config: "-x", Named: true, Verb: "start"}},
		"options after the file":     {args: []string{"x", "-d", "start"}, bad: true, err: "the option -d has its place before the file, or behind the command"},
		"help behind a file":         {args: []string{"x.cf", "--help"}, want: seen{Config: "ldirectord.cf", Help: true}},
		"--config without a command": {args: []string{"--config=x.cf"}, bad: true, err: "a command is missing, for example: ldirectord --config x.cf check"},
		"an empty name":              {args: []string{"", "check"}, bad: true, err: "the name of the configuration file is empty: leave it out or give it a value"},
		"an empty argument":          {args: []string{"check", " "}, bad: true, err: "an argument is empty: leave it out or give it a value"},
		"as tail has it":             {args: []string{"history", "-f", "-n", "3"}, want: seen{Config: "ldirectord.cf", Verb: "history", Args: []string{"--follow=true", "--limit=3"}}},
		"an unknown option":          {args: []string{"-x", "x", "start"}, bad: true, err: "Unknown option: x"},
		"an unknown long option":     {args: []string{"--frob", "x", "start"}, bad: true, err: "Unknown option: frob"},
		"an abbreviated option":      {args: []string{"--deb", "x", "start"}, bad: true, err: "Unknown option: deb"},
		"bundled options":            {args: []string{"-dv"}, want: seen{Config: "ldirectord.cf", Debug: true, Version: true}},
		"-?":                         {args: []string{"-?"}, want: seen{Config: "ldirectord.cf", Help: true}},
		"--help with rubbish":        {args: []string{"--help", "frob"}, want: seen{Config: "ldirectord.cf", Help: true}},
		"long options": {
			args: []string{"--dry-run", "--foreground", "--debug", "start"},
			want: seen{Config: "ldirectord.cf", Verb: "start", DryRun: true, Foreground: true, Debug: true},
		},
		"a command with arguments":      {args: []string{"check", "--explain"}, want: seen{Config: "ldirectord.cf", Verb: "check", Args: []string{"--explain=true"}}},
		"and with a file":               {args: []string{"x.cf", "check", "--explain"}, want: seen{Config: "x.cf", Named: true, Verb: "check", Args: []string{"--explain=true"}}},
		"an empty directory":            {args: []string{"--rundir=", "stop"}, bad: true, err: "--rundir is empty: leave it out or give it a value"},
		"an empty file":                 {args: []string{"--config", "", "stop"}, bad: true, err: "--config is empty: leave it out or give it a value"},
		"an option without its value":   {args: []string{"--config"}, bad: true, err: "--config needs a value: --config FILE"},
		"an option with a value it has": {args: []string{"--debug=maybe", "start"}, bad: true, err: `--debug is "maybe", and takes no value`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inv, err := parse(test.args)
			if (err != nil) != test.bad {
				t.Fatalf("error is %v, want one: %v", err, test.bad)
			}
			if err != nil {
				if err.Error() != test.err {
					t.Errorf("error is %q, want %q", err, test.err)
				}
				return
			}
			got := seen{
				Config: inv.config, Named: inv.named, Debug: inv.debug, DryRun: inv.dryRun,
				Foreground: inv.foreground, Help: inv.help, Version: inv.version,
			}
			if inv.command != nil {
				got.Verb = inv.command.name
			}
			if len(inv.args) > 0 {
				got.Args = inv.args
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("invocation differs (-want +got):\n%s", diff)
			}
		})
	}
}

// TestCommands has every command in the table once, with what help and completion need.
func TestCommands(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range commands() {
		if seen[c.name] {
			t.Errorf("%s is there twice", c.name)
		}
		seen[c.name] = true
		if c.summary == "" {
			t.Errorf("%s has no summary", c.name)
		}
		flags, run := c.flags()
		if run == nil {
			t.Errorf("%s has no action", c.name)
		}
		flags.VisitAll(func(f *pflag.Flag) {
			if c.original && f.Shorthand != "" {
				t.Errorf("-%s of %s is ignored, as in the original", f.Shorthand, c.name)
			}
		})
		if strings.Contains(c.arguments, "[options]") && !flags.HasFlags() {
			t.Errorf("%s has no options, but its usage is %q", c.name, c.usage())
		}
		checkFlags(t, c.name, flags)
		if text := c.explanation(); strings.Contains(text, "\t") {
			t.Errorf("the help of %s has a tab:\n%s", c.name, text)
		}
		checkWidth(t, c.explanation())
	}
	checkFlags(t, "ldirectord", new(invocation).flags())
	checkWidth(t, usage())
}

// checkWidth fails for lines that are too long.
func checkWidth(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if len(line) > helpWidth+1 {
			t.Errorf("a line of help is longer than %d: %s", helpWidth, line)
		}
	}
}

// checkFlags fails for options whose help lacks the text or the name of the value.
func checkFlags(t *testing.T, command string, flags *pflag.FlagSet) {
	t.Helper()
	flags.VisitAll(func(f *pflag.Flag) {
		value, text, valued := strings.Cut(f.Usage, "\t")
		switch {
		case f.Hidden:
		case valued == (f.Value.Type() == "bool"):
			t.Errorf("%s --%s: %q names a value, or none, against its type %s", command, f.Name, f.Usage, f.Value.Type())
		case value == "" || valued && text == "":
			t.Errorf("%s --%s has no help", command, f.Name)
		}
	})
}

// TestOptionHelp wraps the help of options beside their names.
func TestOptionHelp(t *testing.T) {
	flags := newFlags()
	flags.BoolP("debug", "d", false, strings.Repeat("word ", 20))
	flags.String("config", "", "FILE\tthe file")
	flags.Duration("wait", 0, "TIME\tat most")
	flags.Lookup("wait").NoOptDefVal = "1s"
	want := `  -d, --debug         word word word word word word word word word word word
                      word word word word word word word word word
      --config FILE   the file
      --wait[=TIME]   at most`
	if diff := cmp.Diff(want, optionHelp(flags)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := optionHelp(newFlags()); got != "" {
		t.Errorf("without options: %q", got)
	}
}

func TestChildWords(t *testing.T) {
	tests := map[string]struct{ args, want []string }{
		"no file":                {[]string{"--foreground", "restart"}, []string{"start"}},
		"a file":                 {[]string{"/etc/x.cf", "restart"}, []string{"/etc/x.cf", "start"}},
		"a file like a command":  {[]string{"--config", "stop", "start"}, []string{"--config=stop", "start"}},
		"a file like an option":  {[]string{"--", "-x", "start"}, []string{"--config=-x", "start"}},
		"a file with equals":     {[]string{"a=b", "start"}, []string{"a=b", "start"}},
		"a file named otherwise": {[]string{"--config", "/etc/x.cf", "start"}, []string{"/etc/x.cf", "start"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inv, err := parse(test.args)
			if err != nil {
				t.Fatal(err)
			}
			words := inv.childWords(nil)
			if diff := cmp.Diff(test.want, words); diff != "" {
				t.Errorf("words differ (-want +got):\n%s", diff)
			}
			child, err := parse(words)
			if err != nil || child.instance() != inv.instance() || child.config != inv.config {
				t.Errorf("the child is another instance: %+v, %v", child, err)
			}
		})
	}
}

// TestOptionsBehindCommands has every option of the program behind every command, in both
// orders, except where the command has an option of that name.
func TestOptionsBehindCommands(t *testing.T) {
	for _, c := range commands() {
		own, _ := c.flags()
		words := slices.Repeat([]string{"1"}, c.least)
		for _, behind := range [][]string{
			append([]string{c.name, "--config", "x.cf", "--statedir=/s", "--rundir", "/r"}, words...),
			append(append([]string{c.name}, words...), "--config=x.cf", "--statedir", "/s", "--rundir=/r"),
			append([]string{"x.cf", c.name, "--statedir=/s", "--rundir", "/r"}, words...),
			append([]string{"--config=x.cf", c.name, "--statedir", "/s", "--rundir=/r"}, words...),
		} {
			inv, err := parse(behind)
			if err != nil || inv.config != "x.cf" || inv.dirs.State != "/s" || inv.dirs.Run != "/r" || inv.command.name != c.name {
				t.Errorf("%q: %+v, %v", behind, inv, err)
			}
		}
		if inv, err := parse(append([]string{c.name, "--dry-run"}, words...)); own.Lookup("dry-run") == nil && (err == nil) != (inv.dryRun && !slices.Contains(neverDry, c.name)) {
			t.Errorf("%s --dry-run: %v, %v", c.name, inv.dryRun, err)
		}
	}
}
