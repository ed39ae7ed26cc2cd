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

	config  string   // the configuration file as given, or defaultConfig
	named   bool     // it was given
	words   []string // all words but the options before the command
	command *command

	dirs daemon.Wanted

	args []string // the command's options and arguments
}

// is reports whether the command has a name.
func (inv *invocation) is(name string) bool { return inv.command != nil && inv.command.name == name }

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
	case strings.HasPrefix(inv.config, "-") || commandNamed(inv.config) != nil:
		words = append(words, "--config="+inv.config)
	default:
		words = append(words, inv.config)
	}
	return append(words, "start")
}

// errUsage is a command line of a wrong form, to which the usage is the answer.
var errUsage = errors.New("")

// parse understands the words of a command line after the program's name:
//
//	[options] [CONFIG] COMMAND [arguments]
//
// Options end at the first other word, as in the original. If the first word is the name
// of a command, it is the command.
func parse(args []string) (invocation, error) {
	inv := invocation{config: defaultConfig}
	flags := inv.flags()
	if err := flags.Parse(args); err != nil {
		return inv, optionError(err)
	}
	if text := wrongOption(flags); text != "" {
		return inv, errors.New(text)
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

// combined returns which option cannot be combined with the command.
func (inv *invocation) combined() error {
	switch name := inv.command.name; {
	case inv.dryRun && slices.Contains(neverDry, name):
		return errors.New("--dry-run cannot be combined with " + name + ": a dry run is started, and ends by a signal")
	case inv.foreground && !slices.Contains(inForeground, name):
		return errors.New("--foreground cannot be combined with " + name)
	}
	return nil
}

// flags are the options before the command, bound to inv.
func (inv *invocation) flags() *pflag.FlagSet {
	flags := newFlags()
	flags.BoolVarP(&inv.debug, "debug", "d", false, "stay in the foreground; log to standard error, with every check: the data sent and received, and why it is up or down")
	flags.BoolVarP(&inv.help, "help", "h", false, "print this text; so does -?")
	flags.BoolVarP(&inv.help, "?", "?", false, "")
	flags.Lookup("?").Hidden = true
	flags.BoolVarP(&inv.version, "version", "v", false, "print the version")
	flags.StringVar(&inv.config, "config", defaultConfig, "FILE\tthe configuration file, whatever its name is")
	flags.BoolVar(&inv.dryRun, "dry-run", false, "check real servers, but keep the table in memory: nothing is written to the kernel, no mail is sent, no command but those of checks is run")
	flags.BoolVar(&inv.foreground, "foreground", false, "stay in the foreground, otherwise like a daemon (for systemd)")
	flags.StringVar(&inv.dirs.Run, "rundir", "", "DIR\tpid file, lock and sockets; else $RUNTIME_DIRECTORY, else /var/run and /var/run/ldirectord")
	flags.StringVar(&inv.dirs.State, "statedir", "", "DIR\twhat outlives the process, as orders; else $STATE_DIRECTORY, else /var/lib/ldirectord")
	flags.StringVar(&inv.dirs.Logs, "logdir", "", "DIR\tlogs that CONFIG does not name; else $LOGS_DIRECTORY, else /var/log")
	return flags
}

// newFlags is an empty set of options, parsed as the original does.
func newFlags() *pflag.FlagSet {
	flags := pflag.NewFlagSet("ldirectord", pflag.ContinueOnError)
	flags.SetInterspersed(false)
	flags.SortFlags = false
	flags.SetOutput(io.Discard)
	flags.Usage = func() {}
	return flags
}

// optionError words the error of an option, for an unknown one in the original's words.
func optionError(err error) error {
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		return errors.New("Unknown option: " + unknown.GetSpecifiedName())
	}
	return err
}

// commandOptionError words the error of an option behind a command. A request for help
// is pflag.ErrHelp, which Main answers.
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

// understand finds CONFIG, COMMAND and its arguments among words.
func (inv *invocation) understand(words []string) error {
	if len(words) == 0 {
		return errUsage
	}
	if inv.command = commandNamed(words[0]); inv.command != nil {
		inv.args = words[1:]
		if len(inv.args) > 0 && inv.command.original {
			return errUsage
		}
		return nil
	}
	if inv.named || len(words) < 2 {
		return errUsage
	}
	inv.config, inv.named = words[0], true
	if inv.command = commandNamed(words[1]); inv.command == nil {
		return errUsage
	}
	if !inv.command.original {
		inv.args = words[2:]
		return nil
	}
	return notOurs(words[2:])
}

// notOurs fails for further words of an original's command, which it ignores, if one is an
// option that only this program has: without --dry-run, start would write to the kernel.
func notOurs(words []string) error {
	flags := new(invocation).flags()
	for _, word := range words {
		name, _, _ := strings.Cut(strings.TrimPrefix(word, "--"), "=")
		if f := flags.Lookup(name); strings.HasPrefix(word, "--") && f != nil && f.Shorthand == "" {
			return errors.New("the option --" + name + " stands before the command")
		}
	}
	return nil
}
