package cli

import (
	"fmt"
	"io"
	"os"

	"github.com/ldirectord/ldirectord/internal/daemon"
	"github.com/ldirectord/ldirectord/internal/importer"
)

// importFile prints an ldirectord.cf made of another program's file. What is not
// carried over is said on standard error.
func (s *session) importFile() error {
	words, err := s.words(commandFlags(), 1, 1)
	if err != nil {
		return err
	}
	var text []byte
	if words[0] == "-" {
		text, err = io.ReadAll(os.Stdin)
	} else {
		text, err = os.ReadFile(words[0])
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
