// Package replay plays sessions of an administrator with the whole program: the
// binary, its files and signals, a kernel with IPVS, and real servers that
// answer or do not. What the program prints, logs, mails and leaves in the
// kernel is written in the session. It has nothing but tests.
//
// The sessions stand in testdata/replay. "go test ./internal/replay -update"
// writes down what happens now.
package replay

import (
	"flag"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

var update = flag.Bool("update", false, "rewrite what the sessions of testdata/replay expect")

const (
	program  = "github.com/ldirectord/ldirectord/cmd/ldirectord"
	sessions = "../../testdata/replay"
)

// project is the project's directory.
var project, _ = filepath.Abs("../..")

// atOnce is how many sessions are played at the same time on one kernel: most
// of a session is waiting.
const atOnce = "4"

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", atOnce); err != nil {
		panic(err)
	}
	m.Run()
}

// TestFiles is about the meaning of a file: the messages about it, and the table
// that it makes. TestLongFiles plays all sessions.
func TestFiles(t *testing.T) { play(t, "file", oneInThree("num-", "parse-")) }

// TestLives is about what happens after the start.
func TestLives(t *testing.T) { play(t, "life", all) }

func all(string) bool { return true }

// oneInThree picks one in three of the families of sessions with these names, which
// are alike, and all others.
func oneInThree(families ...string) func(session string) bool {
	seen := 0
	return func(session string) bool {
		if !slices.ContainsFunc(families, func(family string) bool { return strings.HasPrefix(session, family) }) {
			return true
		}
		seen++
		return seen%3 == 1
	}
}

// play plays those sessions of a kind on one kernel that are picked; -update all.
func play(t *testing.T, kind string, picked func(session string) bool) {
	t.Parallel()
	lab.Need(t, "logrotate")
	binary := lab.Program(t, program)
	if !lab.Inside(t) {
		return
	}
	files, err := filepath.Glob(filepath.Join(sessions, kind, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no sessions: %v", err)
	}
	if err := prepare(binary); err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		if !*update && !picked(name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := read(t, file)
			newStage(t, binary, s).play()
			if *update {
				s.write()
			}
		})
	}
}
