package cli

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/ldirectord/ldirectord/internal/daemon"
	"github.com/ldirectord/ldirectord/internal/similar"
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

	args    []string // the command's options and arguments
	explain bool     // the command's help is wanted
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
//	[options] [CONFIG] COMMAND [options and arguments]
//
// If the first word is the name of a command, it is the command. Options of the program may
// follow the command as well, except that the original's commands ignore what the original
// ignores.
func parse(args []string) (invocation, error) {
	inv := invocation{config: defaultConfig}
	flags := inv.flags()
	if err := flags.Parse(args); err != nil {
		return inv, errors.New(optionFault(err))
	}
	inv.named = flags.Changed("config")
	inv.words = flags.Args()
	if !inv.help && !inv.version {
		if err := inv.understand(flags); err != nil {
			return inv, err
		}
	}
	if text := wrongOption(flags); text != "" {
		return inv, usageError(text)
	}
	if inv.help || inv.version {
		return inv, nil
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
		return usageError("--dry-run cannot be combined with " + name + ": a dry run is started, and ends by a signal")
	case inv.foreground && !slices.Contains(inForeground, name):
		return usageError("--foreground cannot be combined with " + name)
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

// understand finds CONFIG, COMMAND and its arguments among the words. flags are the options
// of the program.
func (inv *invocation) understand(flags *pflag.FlagSet) error {
	words := inv.words
	switch {
	case len(words) == 0 && inv.named:
		return errors.New("a command is missing, for example: ldirectord --config " + inv.config + " check")
	case len(words) == 0 && flags.NFlag() > 0:
		return errors.New("a command is missing")
	case len(words) == 0:
		return errUsage
	case strings.TrimSpace(words[0]) == "":
		return usageError("the name of the configuration file is empty: leave it out or give it a value")
	case len(words) == 2 && slices.Contains([]string{"-h", "-?", "--help"}, words[1]) && commandNamed(words[0]) == nil:
		inv.help = true
		return nil
	}
	if inv.command = commandNamed(words[0]); inv.command != nil {
		return inv.behind(flags, words[1:])
	}
	if inv.named || len(words) < 2 {
		return unknownCommand(words, inv.named)
	}
	inv.config, inv.named = words[0], true
	if inv.command = commandNamed(words[1]); inv.command == nil {
		return unknownCommand(words, false)
	}
	if inv.command.original {
		return inv.behindOriginal(flags, words[2:])
	}
	return inv.behind(flags, words[2:])
}

// unknownCommand is the error of words without a command. named says that they have no file.
func unknownCommand(words []string, named bool) error {
	word := words[0]
	switch {
	case named, len(words) == 1 && !looksLikeFile(word):
	case len(words) == 1:
		return fmt.Errorf("a command is missing behind the file %s, for example: ldirectord %s check", word, word)
	case strings.HasPrefix(words[1], "-"):
		return fmt.Errorf("the option %s has its place before the file, or behind the command", words[1])
	case looksLikeFile(words[1]) && !looksLikeFile(word): // in the wrong order, and misspelled
	default:
		word = words[1]
	}
	return errors.New(noCommand(word))
}

// noCommand is the error of a word that is no command.
func noCommand(word string) string {
	text := fmt.Sprintf("there is no command %q", word)
	if near := similar.Nearest(strings.ToLower(word), commandNames()); near != "" {
		text += ": did you mean " + near + "?"
	}
	return text
}

// looksLikeFile reports whether a word is rather the name of a file than of a command.
func looksLikeFile(word string) bool { return strings.ContainsAny(word, "./") }
