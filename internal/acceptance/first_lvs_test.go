package acceptance

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestFirstLVS types docs/first-lvs.md, every block in its order, as root on a kernel, and
// compares what is printed with what the document prints. Before the end it types the
// commands of docs/troubleshooting.md on the same director.
func TestFirstLVS(t *testing.T) {
	t.Parallel()
	binary := lab.Program(t, program)
	if !lab.Inside(t) {
		return
	}
	copyFile(t, binary, "/usr/sbin/ldirectord", 0o755)
	shell := newTypist(t)
	blocks := codeBlocks(document(t, "first-lvs.md"))
	typed := 0
	for i, block := range blocks {
		if !typedBlock.MatchString(block) {
			continue // what the block before prints
		}
		if strings.Contains(block, " stop\n") {
			shell.troubleshoot(document(t, "troubleshooting.md"))
		}
		want := ""
		if i+1 < len(blocks) && !typedBlock.MatchString(blocks[i+1]) {
			want = blocks[i+1]
		}
		shell.follow(block, want)
		typed++
	}
	if typed < 15 {
		t.Errorf("%d blocks were typed, which are too few", typed)
	}
	if left, err := exec.CommandContext(t.Context(), "ip", "netns").Output(); err != nil || len(left) > 0 {
		t.Errorf("at the end there are the namespaces %q, %v", left, err)
	}
}

func document(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// typedBlock is how blocks begin that are typed; others are output and pictures.
var typedBlock = regexp.MustCompile(`^(mkdir|modprobe|ip|for|cat|ldirectord first.cf) `)

// codeBlocks are the indented blocks of a document, without the indentation. A here
// document with empty lines is one block.
func codeBlocks(text string) (blocks []string) {
	inHere, open := false, false
	for line := range strings.Lines(text) {
		code, ok := strings.CutPrefix(line, "    ")
		switch {
		case !ok && (line != "\n" || !inHere):
			open, inHere = false, false
			continue
		case !ok:
			code = "\n"
		case !open:
			blocks = append(blocks, "")
			open = true
		}
		blocks[len(blocks)-1] += code
		inHere = strings.Contains(code, "<<'EOF'") || inHere && code != "EOF\n"
	}
	return blocks
}

// A typist types into one shell.
type typist struct {
	t   *testing.T
	in  io.Writer
	out *bufio.Reader
}

func newTypist(t *testing.T) *typist {
	t.Helper()
	if err := os.RemoveAll("/tmp/lvs"); err != nil {
		t.Fatal(err)
	}
	shell := exec.CommandContext(t.Context(), "sh", "-c", "exec bash 2>&1")
	shell.Env = append(os.Environ(), "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8")
	in, err := shell.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := shell.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		shell.Process.Kill()
		shell.Wait()
	})
	return &typist{t: t, in: in, out: bufio.NewReader(out)}
}

// typed types a block and returns what it prints and its exit status.
func (s *typist) typed(block string) (output string, status int) {
	s.t.Helper()
	const mark = "\x01status "
	if _, err := fmt.Fprintf(s.in, "%sprintf '\\001status %%d\\n' $?\n", block); err != nil {
		s.t.Fatal(err)
	}
	var b strings.Builder
	for {
		line, err := s.out.ReadString('\n')
		if before, after, ok := strings.Cut(line, mark); ok {
			b.WriteString(before)
			status, err = strconv.Atoi(strings.TrimSpace(after))
			if err != nil {
				s.t.Fatal(err)
			}
			return b.String(), status
		}
		b.WriteString(line)
		if err != nil {
			s.t.Fatalf("after\n%s\nthe shell ends: %v\n%s", block, err, b.String())
		}
	}
}

// Blocks that only look are typed until they print what is wanted, as a reader does who is
// quicker than a check.
var (
	looksOnly = regexp.MustCompile(` (curl|show|history|why|status)\b`)
	acts      = regexp.MustCompile(` (start|stop|kill|drain|enable)\b`)

	availability = regexp.MustCompile(`; up for [0-9.]+% of [0-9a-z.]+`)
)

// follow types a block of the document, which prints a text.
func (s *typist) follow(block, want string) {
	s.t.Helper()
	output, status := s.typed(block)
	s.t.Logf("%s%s", block, output)
	good := func() bool {
		planned := strings.Contains(block, " plan\n") && status == 3
		if !strings.Contains(want, "up for ") { // a busy machine has failed a check of one second
			output = availability.ReplaceAllString(output, "")
		}
		return (status == 0 || planned) && (want == "" && output == "" || like(want).MatchString(output))
	}
	if !good() && looksOnly.MatchString(block) && !acts.MatchString(block) {
		await(s.t, "what the document prints after "+block, func() bool {
			output, status = s.typed(block)
			return good()
		})
	}
	if !good() {
		s.t.Errorf("%s\nexit status %d, prints\n%s\nwant\n%s", block, status, output, want)
	}
}

var (
	// An address or a name such as rs1 is exact, other numbers and times are not.
	varying = regexp.MustCompile(`(?:[0-9]+\.){3}[0-9]+(?::[0-9]+)?|\b[0-9]+(?:\.[0-9]+)?(?:ms|µs|h[0-9]+m[0-9]+s|m[0-9]+s|s|m|h)?\b`)
	blanks  = regexp.MustCompile(` +`)
)

// like is a pattern for an output in which numbers, times and the width of columns may
// differ.
func like(output string) *regexp.Regexp {
	var pattern strings.Builder
	output = strings.TrimSpace(output)
	end := 0
	for _, at := range varying.FindAllStringIndex(output, -1) {
		found := output[at[0]:at[1]]
		pattern.WriteString(regexp.QuoteMeta(output[end:at[0]]))
		if strings.Count(found, ".") == 3 {
			pattern.WriteString(regexp.QuoteMeta(found))
		} else {
			pattern.WriteString(`[0-9.]+(?:ms|µs|h[0-9]+m[0-9]+s|m[0-9]+s|s|m|h)?`)
		}
		end = at[1]
	}
	pattern.WriteString(regexp.QuoteMeta(output[end:]))
	return regexp.MustCompile(`^\s*` + blanks.ReplaceAllString(pattern.String(), ` +`) + `\s*$`)
}

// troubleshoot types each command of a document that begins with ldirectord, on the
// director. None may be unknown, or be refused for its options.
func (s *typist) troubleshoot(text string) {
	s.t.Helper()
	s.follow("mkdir -p /etc/ha.d && ln -sf /tmp/lvs/first.cf /etc/ha.d/ldirectord.cf\n", "")
	typed := map[string]bool{}
	for _, block := range codeBlocks(text) {
		for line := range strings.Lines(block) {
			command, _, _ := strings.Cut(line, "  #")
			if command = strings.TrimSpace(command); !strings.HasPrefix(command, "ldirectord ") || typed[command] {
				continue
			}
			typed[command] = true
			if output, status := s.typed("ip netns exec director " + line); status > 3 {
				s.t.Errorf("%sexit status %d\n%s", line, status, output)
			}
		}
	}
	if len(typed) < 8 {
		s.t.Errorf("%d commands of docs/troubleshooting.md were typed, which are too few", len(typed))
	}
}
