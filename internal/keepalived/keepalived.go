// Package keepalived reads a keepalived.conf as keepalived does: the files that it includes, conditions,
// definitions, sequences and lists become the blocks that they stand for. It knows no keyword but
// include.
package keepalived

import (
	"fmt"
	"os"
	"strings"
)

// File is keepalived's configuration, if it is started without another one.
const File = "/etc/keepalived/keepalived.conf"

// A Source is where a text comes from.
type Source struct {
	Path string // of the file; "" is none, so that nothing can be included
	ID   string // what keepalived's -i is there: lines of @ID count
}

// HostID is keepalived's -i of this host, if it is started without one: the name of the host up to the
// first dot.
func HostID() string {
	name, _ := os.Hostname()
	name, _, _ = strings.Cut(name, ".")
	return name
}

// Read reads a file of this host, with the included files that can be read. It fails only where the file
// itself cannot be read.
func Read(source Source) (root *Node, err error) {
	text, err := os.ReadFile(source.Path)
	if err != nil {
		return nil, err
	}
	root, _ = Parse(string(text), source)
	return root, nil
}

// A Position is a line of the input.
type Position struct {
	File   string // that is included, "" is the input itself
	Number int    // from 1
}

// String is the position as notes have it.
func (p Position) String() string {
	if p.File == "" {
		return fmt.Sprint("line ", p.Number)
	}
	return fmt.Sprintf("line %d of %s", p.Number, p.File)
}

// A Note is about a line that has no part in the blocks.
type Note struct {
	Line Position
	Text string
	Lost bool // it would have had a part for keepalived
}

func lost(line Position, format string, args ...any) Note {
	return Note{line, fmt.Sprintf(format, args...), true}
}

func leftOut(line Position, format string, args ...any) Note {
	return Note{line, fmt.Sprintf(format, args...), false}
}
