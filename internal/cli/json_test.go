package cli

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/fleet"
	"github.com/ldirectord/ldirectord/internal/report"
)

var update = flag.Bool("update", false, "write the present names into testdata/json.golden")

// TestJSONNames pins the names on which programs rely. A name that is removed or renamed
// breaks them; a new one needs its line here (-update) and in docs/json.md.
func TestJSONNames(t *testing.T) {
	const golden = "testdata/json.golden"
	got := strings.Join(jsonNames(t), "\n") + "\n"
	if *update {
		write(t, golden, got)
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("names that programs rely on have changed (-golden +now):\n%s", diff)
	}
}

// TestJSONNamesAreDocumented wants each code and field in docs/json.md, and no other code in
// its tables.
func TestJSONNamesAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	openapi, err := os.ReadFile("../../docs/monitoring/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, reasons, _ := strings.Cut(string(openapi), "enum: [up, failing, ")
	reasons, _, _ = strings.Cut("up, failing, "+reasons, "]")
	if got, want := strings.Split(reasons, ", "), constants(t, "../report/reason.go", "Reason"); !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))) {
		t.Errorf("openapi.yaml has the reasons %q, want %q", got, want)
	}
	names := map[string]bool{}
	for _, line := range jsonNames(t) {
		what, name, _ := strings.Cut(line, " ")
		if what == "Note" || what == "Reason" || what == "kind" || what == "finding-code" { // in openapi.yaml and troubleshooting.md
			continue
		}
		names[name] = true
		if !strings.Contains(string(text), "`"+name+"`") {
			t.Errorf("docs/json.md lacks the %s `%s`", what, name)
		}
	}
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		cell, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " |")
		for name := range strings.SplitSeq(cell, ", ") {
			if name = strings.Trim(name, "`"); !names[name] {
				t.Errorf("docs/json.md has `%s`, which no command prints", name)
			}
		}
	}
}

// jsonNames are the codes, states and fields of all documents, one a line.
func jsonNames(t *testing.T) []string {
	t.Helper()
	var lines []string
	add := func(what string, names ...string) {
		for _, name := range names {
			lines = append(lines, what+" "+name)
		}
	}
	add("problem-code", constants(t, "../../conf/code.go", "Code")...)
	add("finding-code", constants(t, "../host/code.go", "Code")...)
	add("error-code", constants(t, "json.go", "error")...)
	add("state", constants(t, "json.go", "state")...)
	add("change-code", slices.Collect(maps.Values(changeCodes))...)
	add("reason-code", constants(t, "../report/reason.go", "Reason")...)
	for k := event.Kind(0); k.String() != "unknown"; k++ {
		if !k.Silent() {
			add("kind", k.String())
		}
	}
	add("field", fields("", checkDocument{})...)
	add("field", fields("", planDocument{})...)
	add("field", fields("", statusDocument{})...)
	add("field", fields("", failureDocument{})...)
	add("field", slices.DeleteFunc(fields("", fleetOrder{}), func(name string) bool { // what the API has, too, is in openapi.yaml
		return strings.HasPrefix(name, "order.") || strings.HasPrefix(name, "directors[].obeyed[]")
	})...)
	add("field", fields("", fleet.Summary{})...)
	add("field", fields("[].", directorPlan{})...)
	add("field", fields("[].", directorFindings{})...)
	add("Note", fields("", report.Note{})...)
	add("Reason", fields("", report.Reason{})...)
	slices.Sort(lines)
	return slices.Compact(lines)
}

// constants are the values of the string constants of a file whose names begin with a word.
func constants(t *testing.T, file, prefix string) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, prefix) || len(spec.Values) != 1 {
			return true
		}
		if literal, ok := spec.Values[0].(*ast.BasicLit); ok && literal.Kind == token.STRING {
			value, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			values = append(values, value)
		}
		return true
	})
	if len(values) == 0 {
		t.Fatalf("%s has no constants %s…", file, prefix)
	}
	return values
}

// fields are the paths of the fields of a document, "problems[].code" for those of a list.
func fields(path string, v any) []string {
	var names []string
	kind := reflect.TypeOf(v)
	for f := range kind.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		name = path + name
		element := f.Type
		if element.Kind() == reflect.Pointer {
			element = element.Elem()
		}
		list := element.Kind() == reflect.Slice && element.Elem().Kind() == reflect.Struct
		switch own := strings.Contains(element.PkgPath(), "ldirectord"); {
		case list && name == "error.problems": // as those of check
			names = append(names, name)
		case list:
			names = append(append(names, name), fields(name+"[].", reflect.Zero(element.Elem()).Interface())...)
		case element.Kind() == reflect.Struct && own:
			if path != "" || element.Name() != "errorDocument" {
				names = append(names, name)
			}
			names = append(names, fields(name+".", reflect.Zero(element).Interface())...)
		default:
			names = append(names, name)
		}
	}
	return names
}

// TestJSONIsOneDocument runs commands with and without --json: the exit status is the same,
// and standard output is one document, whatever is wrong.
func TestJSONIsOneDocument(t *testing.T) {
	const (
		good     = "virtual=10.0.0.1:80\n    real=10.1.0.1:80 gate\n    checktype=connect\n"
		warned   = good + "    ops=yes\n"
		mistaken = "supervised=yes\ncheckinterval=0\nfrob\n" + good
	)
	for name, tt := range map[string]struct {
		file, args string
		status     int
		has        string
	}{
		"check":                     {good, "check", exitOK, `{"config":"FILE","mistakes":0,"warnings":0,"virtual_services":1,"real_servers":1,"problems":[]}`},
		"check, a warning":          {warned, "check", exitOK, `"severity":"warning","code":"unused-directive","file":"FILE","line":`},
		"check, mistakes":           {mistaken, "check", exitConfig, `"severity":"mistake","code":"unknown-directive","file":"FILE","line":`},
		"check, no file":            {"", "check", exitFailed, `"code":"file-not-found"`},
		"plan, mistakes":            {mistaken, "plan", exitConfig, `{"error":{"code":"mistakes","message":"reading file FILE at line `},
		"plan, no file":             {"", "plan", exitFailed, `{"error":{"code":"file-not-found",`},
		"status, stopped":           {good, "status", exitStopped, `{"config":"FILE","state":"stopped","message":"ldirectord is stopped for FILE"}`},
		"status, mistakes":          {mistaken, "status", exitStopped, `"state":"stopped"`},
		"status, supervised":        {"supervised=yes\n" + good, "status", exitStopped, `"state":"stopped"`},
		"status, no file":           {"", "status", exitFailed, `{"error":{"code":"file-not-found",`},
		"why, not running":          {good, "why 10.1.0.1", exitStopped, `{"error":{"code":"not-running",`},
		"history, not running":      {good, "history", exitStopped, `{"error":{"code":"not-running",`},
		"following, not running":    {good, "history --follow", exitStopped, `{"error":{"code":"not-running",`},
		"show, not running":         {good, "show", exitStopped, `{"error":{"code":"not-running",`},
		"doctor, mistakes":          {mistaken, "doctor", exitConfig, `{"error":{"code":"mistakes",`},
		"a wrong command line":      {good, "why", exitUsage, ""},
		"an option without meaning": {good, "check --frob", exitUsage, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "t.cf")
			if tt.file != "" {
				write(t, file, fmt.Sprintf("logfile=\"%s/log\"\nmonitorlog=none\n", dir)+tt.file)
			}
			status, plain := runJSON(t, dir, append([]string{file}, strings.Fields(tt.args)...))
			if status != tt.status {
				t.Errorf("exit status %d, want %d: %s", status, tt.status, plain)
			}
			status, text := runJSON(t, dir, append(append([]string{file}, strings.Fields(tt.args)...), "--json"))
			if status != tt.status {
				t.Errorf("exit status %d with --json, want %d: %s", status, tt.status, text)
			}
			if tt.has == "" && len(text) == 0 {
				return
			}
			var compact bytes.Buffer
			if err := json.Compact(&compact, text); err != nil {
				t.Fatalf("it is not one document: %v\n%s", err, text)
			}
			if got := strings.ReplaceAll(compact.String(), file, "FILE"); !strings.Contains(got, tt.has) {
				t.Errorf("the document is\n%s\nwithout %s", got, tt.has)
			}
		})
	}
}

// A lockedBuffer is written to by a command and its log at the same time (supervised = yes).
type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

// runJSON runs a command, and returns its exit status and its standard output.
func runJSON(t *testing.T, dir string, args []string) (status int, stdout []byte) {
	t.Helper()
	var out, errs lockedBuffer
	status = Main(Env{
		Args: append([]string{"ldirectord"}, args...), Stdout: &out, Stderr: &errs, RunDir: dir, StateDir: dir,
		Signals: func() (<-chan os.Signal, func()) { return nil, func() {} },
	})
	return status, out.Bytes()
}
