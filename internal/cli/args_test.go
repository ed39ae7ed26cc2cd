package cli

import (
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
		"a configuration only":       {args: []string{"x.cf"}, bad: true},
		"both":                       {args: []string{"x.cf", "reload"}, want: seen{Config: "x.cf", Named: true, Verb: "reload"}},
		"further words":              {args: []string{"x.cf", "stop", "now", "-d", "--", "--debug"}, want: seen{Config: "x.cf", Named: true, Verb: "stop"}},
		"--dry-run behind start":     {args: []string{"x.cf", "start", "--dry-run"}, bad: true, err: "the option --dry-run stands before the command"},
		"--rundir behind stop":       {args: []string{"x.cf", "stop", "now", "--rundir=/x"}, bad: true, err: "the option --rundir stands before the command"},
		"an unknown command":         {args: []string{"x.cf", "frob"}, bad: true},
		"a command in capitals":      {args: []string{"x.cf", "START"}, bad: true},
		"two commands":               {args: []string{"start", "stop"}, bad: true},
		"a file called as a command": {args: []string{"--config", "start", "stop"}, want: seen{Config: "start", Named: true, Verb: "stop"}},
		"--config twice":             {args: []string{"--config=x", "y", "stop"}, bad: true},
		"-d":                         {args: []string{"-d", "x", "start"}, want: seen{Config: "x", Named: true, Verb: "start", Debug: true}},
		"--":                         {args: []string{"-d", "--", "x", "start"}, want: seen{Config: "x", Named: true, Verb: "start", Debug: true}},
		"a file like an option":      {args: []string{"--", "-x", "start"}, want: seen{Config: "-x", Named: true, Verb: "start"}},
		"options after the file":     {args: []string{"x", "-d", "start"}, bad: true},
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
		"a command with arguments":      {args: []string{"check", "--explain"}, want: seen{Config: "ldirectord.cf", Verb: "check", Args: []string{"--explain"}}},
		"and with a file":               {args: []string{"x.cf", "check", "--explain"}, want: seen{Config: "x.cf", Named: true, Verb: "check", Args: []string{"--explain"}}},
		"an empty directory":            {args: []string{"--rundir=", "stop"}, bad: true, err: "--rundir is empty: leave it out or give it a value"},
		"an empty file":                 {args: []string{"--config", "", "stop"}, bad: true, err: "--config is empty: leave it out or give it a value"},
		"an option without its value":   {args: []string{"--config"}, bad: true, err: "flag needs an argument: --config"},
		"an option with a value it has": {args: []string{"--debug=maybe", "start"}, bad: true, err: `invalid argument "maybe" for "-d, --debug" flag: strconv.ParseBool: parsing "maybe": invalid syntax`},
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
		if flags.HasFlags() && c.original {
			t.Errorf("%s has options, but they are ignored", c.name)
		}
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
