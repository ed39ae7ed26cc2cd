package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/ldirectord/ldirectord/internal/similar"
)

// beforeOnly are the options of the program that a command answers in its own way, or not at
// all.
var beforeOnly = []string{"help", "?", "version"}

// behind sorts the words behind a command: options of the program are set in flags, the
// options and arguments of the command remain for it.
func (inv *invocation) behind(flags *pflag.FlagSet, words []string) error {
	own, _ := inv.command.flags()
	all := newFlags()
	all.SetInterspersed(true)
	all.AddFlagSet(own)
	flags.VisitAll(func(f *pflag.Flag) {
		if all.Lookup(f.Name) == nil && !slices.Contains(beforeOnly, f.Name) {
			all.AddFlag(f)
		}
	})
	var options []string
	err := all.ParseAll(words, func(f *pflag.Flag, value string) error {
		if own.Lookup(f.Name) != nil {
			options = append(options, "--"+f.Name+"="+value)
			return nil
		}
		return inv.set(flags, f.Name, value)
	})
	if err != nil {
		return inv.behindError(err, all)
	}
	arguments := all.Args()
	switch c := inv.command; {
	case len(arguments) == 0:
	case c.takesFile && !inv.named && len(arguments) == 1 && strings.TrimSpace(arguments[0]) != "":
		inv.config, inv.named, arguments = arguments[0], true, nil
	case strings.TrimSpace(arguments[0]) == "":
		return usageError(emptyArgument)
	case c.takesFile:
		return usageError(fmt.Sprintf("%s is about one configuration file, and %q is one more", c.name, arguments[len(arguments)-1]))
	case c.most == 0:
		text := fmt.Sprintf("%s takes no arguments, and %q is one: a configuration file has its place before the command", c.name, arguments[0])
		if all.Lookup("real") != nil {
			text += fmt.Sprintf(", and a real server is --real %s", arguments[0])
		}
		if c.original {
			return errors.New(text) // with the usage, as in the original
		}
		return usageError(text)
	}
	if len(arguments) > 0 {
		options = append(append(options, "--"), arguments...)
	}
	inv.args = options
	return nil
}

// behindOriginal reads the words behind FILE and a command of the original, which ignores
// them: only options that this program alone has count, because start without --dry-run
// would write to the kernel.
func (inv *invocation) behindOriginal(flags *pflag.FlagSet, words []string) error {
	own, _ := inv.command.flags()
	for i := 0; i < len(words) && words[i] != "--"; i++ {
		text, long := strings.CutPrefix(words[i], "--")
		name, value, valued := strings.Cut(text, "=")
		f := own.Lookup(name)
		if f == nil {
			f = flags.Lookup(name)
		}
		if !long || f == nil || f.Shorthand != "" || name == "?" {
			continue
		}
		switch {
		case valued:
		case f.NoOptDefVal != "":
			value = f.NoOptDefVal
		case i+1 == len(words):
			return usageError(needsValue(f))
		default:
			i++
			value = words[i]
		}
		if own.Lookup(name) != nil {
			inv.args = append(inv.args, "--"+name+"="+value)
		} else if err := inv.set(flags, name, value); err != nil {
			return err
		}
	}
	return nil
}

// set sets an option of the program behind the command.
func (inv *invocation) set(flags *pflag.FlagSet, name, value string) error {
	if name == "config" && inv.named {
		return usageError(fmt.Sprintf("the configuration file is given twice: %s and %s", inv.config, value))
	}
	if err := flags.Set(name, value); err != nil {
		return usageError(invalidValue(flags.Lookup(name), value))
	}
	inv.named = inv.named || name == "config"
	return nil
}

// behindError words the error of an option behind a command, whose options all are. A request
// for help is none.
func (inv *invocation) behindError(err error, all *pflag.FlagSet) error {
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	switch {
	case errors.Is(err, pflag.ErrHelp), ok && unknown.GetSpecifiedName() == "?":
		inv.explain = true
		return nil
	case !ok:
		return usageError(optionFault(err))
	}
	name := unknown.GetSpecifiedName()
	if name[0] >= '0' && name[0] <= '9' {
		return usageError(inv.command.negative(unknown.GetSpecifiedShortnames()))
	}
	var words []string
	for _, option := range optionNames(all) {
		words = append(words, strings.TrimPrefix(option, "--"))
	}
	text := "Unknown option: " + name
	if near := similar.Nearest(name, words); near != "" {
		text += "; did you mean --" + near + "?"
	}
	return usageError(text)
}

// negative is the error of a number with a minus, which looks like an option.
func (c *command) negative(digits string) string {
	if c.name == "weight" {
		return fmt.Sprintf("the weight -%s is negative: %s", digits, weightRange)
	}
	return fmt.Sprintf("-%s is negative, and %s takes no such number", digits, c.name)
}
