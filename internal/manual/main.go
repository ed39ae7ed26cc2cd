// Command manual writes the manual pages ldirectord(8) and ldirectord.cf(5) in mdoc. They
// are made of the rows that also make the help, the completion and the parser: the
// commands of package cli, and the directives, services and check types of package conf.
// The example lines are those of ldirectord.cf.example.
//
// usage: manual [-date YYYY-MM-DD] [-example FILE] DIR
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

func main() {
	date := flag.String("date", "", "YYYY-MM-DD: the date of the pages; today if it is empty")
	example := flag.String("example", "ldirectord.cf.example", "the file with a line for each directive")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: manual [-date YYYY-MM-DD] [-example FILE] DIR")
		os.Exit(2)
	}
	if err := write(flag.Arg(0), *date, *example); err != nil {
		fmt.Fprintln(os.Stderr, "manual:", err)
		os.Exit(1)
	}
}

// write writes both pages to a directory, which it makes.
func write(dir, date, example string) error {
	day := time.Now()
	if date != "" {
		var err error
		if day, err = time.Parse(time.DateOnly, date); err != nil {
			return err
		}
	}
	text, err := os.ReadFile(example)
	if err != nil {
		return err
	}
	file, err := filePage(day, string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", example, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, page := range map[string]string{"ldirectord.8": commandPage(day), "ldirectord.cf.5": file} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(page), 0o644); err != nil {
			return err
		}
	}
	return nil
}
