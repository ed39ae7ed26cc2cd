package cli

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/pflag"

	"github.com/ldirectord/ldirectord/internal/daemon"
	"github.com/ldirectord/ldirectord/internal/importer"
)

// importCommand prints an ldirectord.cf made of another program's file. Standard error
// gets what could not be carried over.
func importCommand(*pflag.FlagSet) action {
	return func(s *session, arguments []string) error { return s.importFile(arguments[0]) }
}

func (s *session) importFile(path string) error {
	var err error
	var text []byte
	if path == "-" {
		text, err = io.ReadAll(os.Stdin)
	} else {
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return err
	}
	result, err := importer.Import(string(text))
	for _, note := range result.Notes {
		fmt.Fprintln(s.Stderr, note)
	}
	if err != nil {
		return err
	}
	if _, err := io.WriteString(s.Stdout, result.Config); err != nil {
		return err
	}
	if result.Lost {
		return &daemon.Exit{Status: exitLost}
	}
	return nil
}
