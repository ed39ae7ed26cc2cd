package cli

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/pflag"
)

// parseOptions parses a command's options. An empty value is an error, and so is a time
// of 0: in a script whose variable is empty, the command must not have the effect that it
// has without the option.
func parseOptions(flags *pflag.FlagSet, args []string) error {
	if err := flags.Parse(args); err != nil {
		return usageError(optionFault(err))
	}
	if text := wrongOption(flags); text != "" {
		return usageError(text)
	}
	for _, word := range flags.Args() {
		if strings.TrimSpace(word) == "" {
			return usageError(emptyArgument)
		}
	}
	return nil
}

// optionFault words an error of package pflag about an option, for an unknown one in the
// original's words.
func optionFault(err error) string {
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		return "Unknown option: " + unknown.GetSpecifiedName()
	}
	if missing, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return needsValue(missing.GetFlag())
	}
	if wrong, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return invalidValue(wrong.GetFlag(), wrong.GetValue())
	}
	return err.Error()
}

// needsValue is the error of an option without its value.
func needsValue(f *pflag.Flag) string {
	value, _, _ := strings.Cut(f.Usage, "\t")
	return fmt.Sprintf("--%s needs a value: --%s %s", f.Name, f.Name, value)
}

var plainDuration = regexp.MustCompile(`^[+-]?[0-9.]+(ms|s|m|h)?$`)

// invalidValue is the error of an option with a value that it does not take.
func invalidValue(f *pflag.Flag, value string) string {
	if strings.TrimSpace(value) == "" {
		return fmt.Sprintf("--%s is empty: leave it out or give it a value", f.Name)
	}
	fault := fmt.Sprintf("--%s is %q, ", f.Name, value)
	switch m := plainDuration.FindStringSubmatch(value); f.Value.Type() {
	case "duration":
		switch {
		case strings.HasPrefix(value, "-"):
			return fault + "and must be above 0"
		case m == nil:
			return fault + "which is no time: 90s, 30m and 12h are"
		case m[1] == "":
			return fault + "which has no unit: " + value + "s are seconds, " + value + "m minutes, " + value + "h hours"
		}
		return fault + "which is too long"
	case "int":
		return fault + "and must be a whole number above 0"
	case "bool":
		return fault + "and takes no value"
	}
	return fault + "which it does not take"
}

const emptyArgument = "an argument is empty: leave it out or give it a value"

// wrongOption is the error of the first given option whose value is empty or not above 0,
// "" if there is none.
func wrongOption(flags *pflag.FlagSet) (text string) {
	flags.Visit(func(f *pflag.Flag) {
		if what := wrongValue(f); what != "" && text == "" {
			text = fmt.Sprintf("--%s %s: leave it out or give it a value", f.Name, what)
		}
	})
	return text
}

// wrongValue is the fault of an option's value, "" for a good one.
func wrongValue(f *pflag.Flag) string {
	text := f.Value.String()
	switch f.Value.Type() {
	case "string":
		if strings.TrimSpace(text) == "" {
			return "is empty"
		}
	case "stringSlice":
		list := f.Value.(pflag.SliceValue).GetSlice()
		for _, one := range list {
			if strings.TrimSpace(one) == "" {
				return "has an empty value"
			}
		}
		if len(list) == 0 {
			return "is empty"
		}
	case "duration":
		if d, err := time.ParseDuration(text); err == nil && d <= 0 {
			return "is " + text + ", and must be above 0"
		}
	case "int":
		if strings.HasPrefix(text, "-") || text == "0" {
			return "is " + text + ", and must be above 0"
		}
	}
	return ""
}

// helpWidth is the width of a line of help.
const helpWidth = 80

// optionHelp describes options, one after another in the order of their definition, ""
// for none. The usage of an option with a value is the value's name, a tab and the text.
func optionHelp(flags *pflag.FlagSet) string {
	var left, right []string
	width, short := 0, false
	options := optionTexts(flags)
	for _, o := range options {
		short = short || o.Short != ""
	}
	for _, o := range options {
		name := "--" + o.Name
		if o.Short != "" {
			name = "-" + o.Short + ", " + name
		} else if short {
			name = "    " + name
		}
		if o.Optional {
			name += "[=" + o.Value + "]"
		} else if o.Value != "" {
			name += " " + o.Value
		}
		left, right, width = append(left, name), append(right, o.Help), max(width, len(name))
	}
	var b strings.Builder
	for i, name := range left {
		indent := strings.Repeat(" ", width+5)
		fmt.Fprintf(&b, "  %-*s%s\n", width+3, name, wrap(right[i], indent, helpWidth))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// wrap breaks text into lines of a width, all but the first indented.
func wrap(text, indent string, width int) string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(indent)+utf8.RuneCountInString(line+" "+word) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return strings.Join(append(lines, line), "\n"+indent)
}

// optionNames are the names of options, as completion offers them.
func optionNames(flags *pflag.FlagSet) []string {
	var names []string
	flags.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, "--"+f.Name)
		}
	})
	slices.Sort(names)
	return names
}
