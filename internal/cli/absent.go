package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// parseOptions parses a command's options. An option that is there has a value:
// a script whose variable is empty must not mean all, nor a duration of 0 for
// ever, which is what the same command without the option does.
func parseOptions(flags *pflag.FlagSet, args []string) error {
	if err := flags.Parse(args); err != nil {
		return commandOptionError(err)
	}
	var err error
	flags.Visit(func(f *pflag.Flag) {
		if what := wrongValue(f); what != "" && err == nil {
			err = usageError(fmt.Sprintf("--%s %s: leave it out or give it a value", f.Name, what))
		}
	})
	if err != nil {
		return err
	}
	for _, word := range flags.Args() {
		if strings.TrimSpace(word) == "" {
			return usageError("an argument is empty: leave it out or give it a value")
		}
	}
	return nil
}

// wrongValue says what is wrong with the value of an option that is there.
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
