package cli

import (
	"strings"

	"github.com/spf13/pflag"
)

// A CommandText is what users read of one command: the row from which its help is made.
type CommandText struct {
	Usage   string // the name and the arguments
	Summary string // one line, without a full stop
	Help    string // before the options, "" is none
	Options []OptionText
	Footer  string // behind the options, "" is none
}

// An OptionText is what users read of one option.
type OptionText struct {
	Name     string // "debug"
	Short    string // "d", "" is none
	Value    string // "FILE", "" for an option without a value
	Optional bool   // the value may be left out
	Help     string // one line, without a full stop
}

// Commands returns the texts of all commands, in the order of help.
func Commands() []CommandText {
	var list []CommandText
	for _, c := range commands() {
		flags, _ := c.flags()
		list = append(list, CommandText{
			Usage: c.usage(), Summary: c.summary, Help: c.help, Options: optionTexts(flags), Footer: c.footer,
		})
	}
	return list
}

// ProgramOptions returns the texts of the options before the command.
func ProgramOptions() []OptionText { return optionTexts(new(invocation).flags()) }

// optionTexts are the options that help lists, in the order of their definition.
func optionTexts(flags *pflag.FlagSet) (list []OptionText) {
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		o := OptionText{Name: f.Name, Short: f.Shorthand, Help: f.Usage}
		if value, text, ok := strings.Cut(f.Usage, "\t"); ok {
			o.Value, o.Help, o.Optional = value, text, f.NoOptDefVal != ""
		}
		list = append(list, o)
	})
	return list
}
