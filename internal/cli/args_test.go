package cli

import (
	"testing"

	"github.com/google/go-cmp/cmp"
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
		"further words":              {args: []string{"x.cf", "stop", "now"}, want: seen{Config: "x.cf", Named: true, Verb: "stop"}},
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
			if inv.verb != nil {
				got.Verb = inv.verb.name
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

func TestVerbsAreSaid(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range verbs() {
		if seen[v.name] {
			t.Errorf("%s is there twice", v.name)
		}
		seen[v.name] = true
		if v.summary == "" || v.run == nil {
			t.Errorf("%s lacks its summary or function", v.name)
		}
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
