// Command notices prints the licences of all parts of a program: the Go library and
// runtime, and the modules of its build information.
//
// usage: notices PROGRAM
package main

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: notices PROGRAM")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "notices:", err)
		os.Exit(1)
	}
}

func run(program string, out io.Writer) error {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return err
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("go env GOROOT: %w", err)
	}
	var text bytes.Buffer
	fmt.Fprint(&text, "ldirectord is linked with the following software, whose source is at the named module paths.\n")
	if err := section(&text, "the Go standard library and runtime, "+info.GoVersion, strings.TrimSpace(string(root))); err != nil {
		return err
	}
	for _, m := range info.Deps {
		dir, err := moduleDir(m)
		if err != nil {
			return err
		}
		if err := section(&text, m.Path+" "+m.Version, dir); err != nil {
			return err
		}
	}
	_, err = out.Write(text.Bytes())
	return err
}

// moduleDir is where the go command has a module's files.
func moduleDir(m *debug.Module) (string, error) {
	if m.Replace != nil {
		m = m.Replace
	}
	cmd := exec.Command("go", "mod", "download", "-json", m.Path+"@"+m.Version)
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%v: %w", cmd.Args, err)
	}
	var module struct{ Dir string }
	return module.Dir, json.Unmarshal(text, &module)
}

// section writes all licences and notices in a module's directory. It is an
// error if there is none.
func section(out io.Writer, name, dir string) error {
	found := false
	for _, pattern := range []string{"LICEN[CS]E*", "COPYING*", "NOTICE*", "PATENTS*"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return err
		}
		for _, file := range files {
			if info, err := os.Stat(file); err != nil || info.IsDir() {
				continue // LICENSES has the texts once more, by name
			}
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			found = true
			fmt.Fprintf(out, "\n%s\n%s: %s\n\n%s\n", strings.Repeat("=", 78), name, filepath.Base(file), bytes.TrimSpace(text))
		}
	}
	if !found {
		return sourceNotice(out, name, dir)
	}
	return nil
}

// sourceNotice is section for a module whose licence is only in the comments
// at the top of its source files.
func sourceNotice(out io.Writer, name, dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(bytes.ToLower(text), []byte("licen")) {
			continue
		}
		head, _, _ := bytes.Cut(text, []byte("\npackage "))
		fmt.Fprintf(out, "\n%s\n%s: the top of %s\n\n%s\n", strings.Repeat("=", 78), name, filepath.Base(file), bytes.TrimSpace(head))
		return nil
	}
	return errors.New(name + " has no licence in " + dir)
}
