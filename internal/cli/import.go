package cli

import (
	"cmp"
	"fmt"
	"io"
	"os"

	"github.com/spf13/pflag"

	"github.com/ldirectord/ldirectord/internal/daemon"
	"github.com/ldirectord/ldirectord/internal/importer"
	"github.com/ldirectord/ldirectord/internal/keepalived"
)

// importCommand prints an ldirectord.cf made of another program's file. Standard error
// gets what could not be carried over.
func importCommand(flags *pflag.FlagSet) action {
	id := flags.String("id", "", "ID\tkeepalived's -i: lines of @ID count; the host's name, as there, if not given")
	return func(s *session, arguments []string) error { return s.importFile(arguments[0], *id) }
}

func (s *session) importFile(path, id string) error {
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
	from := importer.Source{Path: path, ID: cmp.Or(id, keepalived.HostID())}
	if path == "-" {
		from.Path = ""
	}
	result, err := importer.Import(string(text), from)
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
