package cli

import (
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/ldirectord/ldirectord/internal/daemon"
)

// defaultConfig is the configuration file when none is named.
const defaultConfig = "ldirectord.cf"

// An invocation is a command line that was understood.
type invocation struct {
	debug      bool
	dryRun     bool
	foreground bool
	help       bool
	version    bool

	config string   // the configuration file as given, or defaultConfig
	named  bool     // it was given
	words  []string // all words that are no options
	verb   *verb

	dirs daemon.Wanted

	args []string // the command's own
}

// is says whether the command is that of a name.
func (inv *invocation) is(name string) bool { return inv.verb != nil && inv.verb.name == name }

// instance is the name of the daemon, in its pid file and log.
func (inv *invocation) instance() string {
	if !inv.named {
		return "ldirectord"
	}
	return filepath.Base(inv.config)
}

// childWords is a command line, without the program's name, that starts the same instance
// with directories of options.
func (inv *invocation) childWords(options []string) []string {
	words := slices.Clone(options)
	switch {
	case !inv.named:
	case strings.HasPrefix(inv.config, "-") || verbNamed(inv.config) != nil:
		words = append(words, "--config="+inv.config)
	default:
		words = append(words, inv.config)
	}
	return append(words, "start")
}

// errUsage is a command line that is no form of ldirectord's, and nothing more
// is to be said about it than how it is used.
var errUsage = errors.New("")

// parse understands the words of a command line after the program's name:
//
//	[options] [CONFIG] COMMAND [arguments]
//
// Options end at the first word that is none, as in the original. A first word
// that is a command's name is the command.
func parse(args []string) (invocation, error) {
	inv := invocation{config: defaultConfig}
	flags := inv.flags()
	if err := flags.Parse(args); err != nil {
		return inv, optionError(err)
	}
	inv.named = flags.Changed("config")
	inv.words = flags.Args()
	if inv.help || inv.version {
		return inv, nil
	}
	if err := inv.understand(inv.words); err != nil {
		return inv, err
	}
	return inv, inv.combined()
}

// The commands with which an option of the program would be ignored, or worse.
var (
	neverDry     = []string{"stop", "restart", "try-restart", "reload", "force-reload", "status"}
	inForeground = []string{"start", "restart", "try-restart"}
)

// combined says which option the command cannot be combined with.
func (inv *invocation) combined() error {
	switch name := inv.verb.name; {
	case inv.dryRun && slices.Contains(neverDry, name):
		return errors.New("--dry-run cannot be combined with " + name + ": a dry run is started, and ends by a signal")
	case inv.foreground && !slices.Contains(inForeground, name):
		return errors.New("--foreground cannot be combined with " + name)
	}
	return nil
}

// flags are the options, bound to inv.
func (inv *invocation) flags() *pflag.FlagSet {
	flags := newFlags()
	flags.BoolVarP(&inv.debug, "debug", "d", false, "")
	flags.BoolVarP(&inv.help, "help", "h", false, "")
	flags.BoolVarP(&inv.help, "?", "?", false, "")
	flags.BoolVarP(&inv.version, "version", "v", false, "")
	flags.BoolVar(&inv.dryRun, "dry-run", false, "")
	flags.BoolVar(&inv.foreground, "foreground", false, "")
	flags.StringVar(&inv.config, "config", defaultConfig, "")
	flags.StringVar(&inv.dirs.Run, "rundir", "", "")
	flags.StringVar(&inv.dirs.State, "statedir", "", "")
	flags.StringVar(&inv.dirs.Logs, "logdir", "", "")
	return flags
}

// newFlags is an empty set of options that behaves as the original's.
func newFlags() *pflag.FlagSet {
	flags := pflag.NewFlagSet("ldirectord", pflag.ContinueOnError)
	flags.SetInterspersed(false)
	flags.SetOutput(io.Discard)
	flags.Usage = func() {}
	return flags
}

// optionError says what is wrong with an option, an unknown one in the
// original's words.
func optionError(err error) error {
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		return errors.New("Unknown option: " + unknown.GetSpecifiedName())
	}
	return err
}

// commandOptionError says what is wrong with an option behind a command. To ask
// for help is pflag.ErrHelp, which Main answers.
func commandOptionError(err error) error {
	if errors.Is(err, pflag.ErrHelp) {
		return pflag.ErrHelp
	}
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return usageError(err.Error())
	}
	flags := new(invocation).flags()
	switch name := unknown.GetSpecifiedName(); {
	case name == "?":
		return pflag.ErrHelp
	case len(name) == 1 && flags.ShorthandLookup(name) != nil:
		return usageError("the option -" + name + " stands before the command")
	case flags.Lookup(name) != nil:
		return usageError("the option --" + name + " stands before the command")
	}
	return usageError(optionError(err).Error())
}

// asksForHelp says whether there is an option among words that asks for help, where
// no option has an argument that may look so.
func asksForHelp(words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return w == "-h" || w == "-?" || w == "--help" })
}

// understand tells CONFIG, COMMAND and arguments apart.
func (inv *invocation) understand(words []string) error {
	if len(words) == 0 {
		return errUsage
	}
	if inv.verb = verbNamed(words[0]); inv.verb != nil {
		inv.args = words[1:]
		if len(inv.args) > 0 && inv.verb.arguments == "" {
			return errUsage
		}
		return nil
	}
	if inv.named || len(words) < 2 {
		return errUsage
	}
	inv.config, inv.named = words[0], true
	if inv.verb = verbNamed(words[1]); inv.verb == nil {
		return errUsage
	}
	if inv.verb.arguments != "" {
		inv.args = words[2:] // the original's commands ignore further words
	}
	return nil
}
