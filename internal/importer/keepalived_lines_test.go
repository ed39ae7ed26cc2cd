package importer

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ldirectord/ldirectord/internal/keepalived"
)

// namesOf are the words of the real_server lines in these blocks.
func namesOf(n *node) (names []string) {
	for _, c := range n.Block {
		if c.Name() == "real_server" {
			names = append(names, c.All())
		}
		names = append(names, namesOf(c)...)
	}
	return names
}

// lineTests are lines within a virtual_server, and the real servers that they make.
var lineTests = map[string]struct {
	lines string
	want  []string
	notes []string
}{
	"a definition, before its value changes": {
		lines: "$N=1.${M}\n$M=2\nreal_server 10.0.${N} 80 { }\n$M=3\nreal_server 10.0.${N} 80 { }",
		want:  []string{"10.0.1.2 80", "10.0.1.3 80"},
	},
	"a name without braces ends at a blank": {
		lines: "$A=10.0.0.1\n$P=80\nreal_server $A $P { }\nvirtualhost $A.example",
		want:  []string{"10.0.0.1 80"},
	},
	"conditions": {
		lines: "@main real_server 10.0.0.1 80 { }\n@other real_server 10.0.0.2 80 { }\n@^main real_server 10.0.0.3 80 { }\n@^other real_server 10.0.0.4 80 { }\n@other ops",
		want:  []string{"10.0.0.1 80", "10.0.0.4 80"},
		notes: []string{"line 4: lines of @other are left out: this is the file for @main, see import --id", "line 5: lines of @^main are"},
	},
	"a condition in a definition": {
		lines: "$A=@other\n$B=@main\n$A ops\n$B real_server 10.0.0.1 80 { }",
		want:  []string{"10.0.0.1 80"},
		notes: []string{"lines of @other"},
	},
	"a conditional definition": {
		lines: "@main $A=1\n@other $A=2\nreal_server 10.0.0.${A} 80 { }",
		want:  []string{"10.0.0.1 80"},
		notes: []string{"lines of @other"},
	},
	"sequences": {
		lines: "$RS= \\\n real_server 10.${A}.${B}.1 80 { \\\n }\n\n$LAST=2\n~SEQ(A, ${LAST}) ~SEQ(B,4,-2,1) $RS\n~SEQx(B, 0x9, 16, 25) $RS",
		want:  []string{"10.1.4.1 80", "10.1.2.1 80", "10.2.4.1 80", "10.2.2.1 80", "10.2.9.1 80", "10.2.19.1 80"},
	},
	"lists": {
		lines: "$RS= \\\n real_server 10.0.${A}.${B} 8${P} { \\\n }\n\n~LST({A, B,P}, {1,2,5},{3, 4}) $RS\n~LST(A,5) ~LST(B, 6, 7) real_server 10.0.${A}.${B} 81 { }",
		want:  []string{"10.0.1.2 85", "10.0.3.4 8", "10.0.5.6 81", "10.0.5.7 81"},
	},
	"no sequences": {
		lines: "~SEQ(A,1) ops\n~SEQ() ops\n~SEQ(A,1,-1,5) ops\n~LST(A) ops\n~LST(A, {1,2}) ops\n~SEQx(A,-1) ops\n~FOO(A) ops",
		notes: []string{"line 4: ~SEQ() ops is no ~SEQ or ~LST", "line 5:", "line 6:", "line 7:", "line 8:", "line 9:"},
	},
	"a comment within a definition": {
		lines: "$RS= \\\n real_server 10.0.0.1 80 { # web \\\n ! more \\\n }\n\n$RS",
		want:  []string{"10.0.0.1 80"},
	},
	"comments and what looks like them": {
		lines: "real_server 10.0.0.1 80 { # } {\n}\nvirtualhost a\\#b # c\nvirtualhost \"a#b\" ! c\n! real_server 10.0.0.2 80 {",
		want:  []string{"10.0.0.1 80"},
	},
	"several in a line": {
		lines: "real_server 10.0.0.1 80 { TCP_CHECK { connect_timeout 3 } } real_server 10.0.0.2 80 { }",
		want:  []string{"10.0.0.1 80", "10.0.0.2 80"},
	},
	"too long": {
		lines: "$A=$A$A\nvirtualhost $A\n$B=" + strings.Repeat("x", 600) + "\nvirtualhost ${B}${B}",
		notes: []string{"line 4: $A makes the line longer than the 1023 bytes that keepalived reads", "line 6: $B"},
	},
	"itself": {
		lines: "$A=$A\nvirtualhost $A",
		notes: []string{"line 4: $A makes the line longer"},
	},
}

func TestLines(t *testing.T) {
	for name, tt := range lineTests {
		t.Run(name, func(t *testing.T) {
			root, notes := keepalived.Parse("virtual_server 10.9.0.1 80 {\nprotocol TCP\n"+tt.lines+"\n}\n", keepalived.Source{ID: "main"})
			if diff := cmp.Diff(tt.want, namesOf(root)); diff != "" {
				t.Errorf("real servers (-want +got):\n%s", diff)
			}
			if len(notes) != len(tt.notes) {
				t.Errorf("notes %v, want %q", notes, tt.notes)
				return
			}
			for i, want := range tt.notes {
				if !strings.HasPrefix(noteOf(notes[i]).String(), want) && !strings.Contains(noteOf(notes[i]).String(), want) {
					t.Errorf("note %q, want %q", noteOf(notes[i]), want)
				}
			}
		})
	}
}

// TestLinesAreKeepalived has keepalived make the same real servers of them: it names each that it leaves out.
func TestLinesAreKeepalived(t *testing.T) {
	needKeepalived(t)
	for name, tt := range lineTests {
		if name == "itself" { // it never ends there
			continue
		}
		t.Run(name, func(t *testing.T) {
			// Each real server twice: keepalived says which it has already.
			var text strings.Builder
			text.WriteString("virtual_server 10.9.0.1 80 {\nprotocol TCP\nlvs_method NAT\n" + tt.lines + "\n")
			var want []string
			for _, server := range tt.want {
				address, port, _ := strings.Cut(server, " ")
				text.WriteString("real_server " + address + " " + port + " {\n}\n")
				want = append(want, "VS [10.9.0.1]:tcp:80: real server ["+address+"]:tcp:"+port+" is duplicated - removing second rs")
			}
			faults := faultsOf(t, t.TempDir(), text.String()+"}\n")
			got := slices.DeleteFunc(slices.Clone(faults), func(f string) bool { return !strings.Contains(f, "is duplicated") })
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("real servers (-want +got):\n%s\n%q", diff, faults)
			}
		})
	}
}

// endlessTexts would make large files of small ones.
var endlessTexts = map[string]string{
	"itself twice":       "$A=$A$A\n" + strings.Repeat("$A $A\n", 500),
	"itself":             "$A=$A\n" + strings.Repeat("$A\n", 500),
	"lines of itself":    "$A= \\\n x \\\n" + strings.Repeat("$A \\\n", 40) + "\n$A\n",
	"definitions alone":  "$A= \\\n$B=1 \\\n" + strings.Repeat("$A \\\n", 40) + "\n$A\n",
	"each other":         "$A= \\\n$B \\\n$B \\\n\n$B= \\\n$A \\\n$A \\\n\n$A\n",
	"sequences":          "~SEQ(A,1,1000000) ~SEQ(B,1,1000000) ~SEQ(C,1,1000000) ops\n",
	"a list of itself":   "$A=~LST(B,1,2,3) $A\n$A\n",
	"virtual servers":    "$A= \\\nvirtual_server 10.0.0.1 80 { \\\n} \\\n$A \\\n$A \\\n\n$A\n",
	"groups":             "virtual_server_group G {\n" + strings.Repeat("www 80\n", 2000) + "}\n" + strings.Repeat("virtual_server group G {\n}\n", 2000),
	"a long definition":  "$A= \\\n" + strings.Repeat("x \\\n", 100_000) + "\n$A\n",
	"virtual_servers, 2": "virtual_server_group G {\n" + strings.Repeat("10.0.0.0/24 80\n", 300) + "}\n" + strings.Repeat("virtual_server group G {\n}\n", 300),
}

// TestDefinitionsAreBounded: a small file cannot make a large one.
func TestDefinitionsAreBounded(t *testing.T) {
	for name, text := range endlessTexts {
		t.Run(name, func(t *testing.T) {
			r, err := Import("virtual_server 10.0.0.9 80 {\n}\n"+text, Source{})
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Notes) == 0 || len(r.Config) > 1<<20 {
				t.Errorf("%d notes, %d bytes", len(r.Notes), len(r.Config))
			}
		})
	}
}

// TestInclude reads files as keepalived does, which has to find no fault in them.
func TestInclude(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"keepalived.conf": "include conf.d/*.conf\nincluder {one,two}.inc\ninclude nosuch/*\nvirtual_server 10.0.0.1 80 {\n protocol TCP\n include servers/a\n}\n",
		"conf.d/2.conf":   virtualAt(12), "conf.d/1.conf": virtualAt(11), "conf.d/.3.conf": virtualAt(13), "conf.d/4.conf.bak": virtualAt(14),
		"conf.d/5.conf": virtualAt(15), "one.inc": "include sub/one\n", "two.inc": "$A=17\n", "sub/one": "include ../three\n", "three": virtualAt(16),
		"servers/a": "$D=${_PWD}\nreal_server 10.1.0.1 80 {\n MISC_CHECK {\n  misc_path \"$D /check\"\n }\n}\ninclude b\n", "servers/b": "real_server 10.1.0.2 80 {\n lb_kind DR\n}\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, "conf.d/5.conf"), 0o700); err != nil {
		t.Fatal(err)
	}
	main := filepath.Join(dir, "keepalived.conf")
	text, err := os.ReadFile(main)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Import(string(text), Source{Path: main})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, v := range load(t, r.Config).Virtuals {
		got = append(got, v.String())
	}
	if diff := cmp.Diff([]string{"10.0.0.11:80", "10.0.0.12:80", "10.0.0.16:80", "10.0.0.1:80"}, got); diff != "" {
		t.Errorf("virtual services (-want +got):\n%s", diff)
	}
	if want := "checkcommand = " + dir + "/servers\n    checkargumentsonly = yes\n"; !strings.Contains(r.Config, want) || !strings.Contains(r.Config, `check="servers /check"`) {
		t.Errorf("no %q in the file\n%s", want, r.Config)
	}
	notes := strings.Join(r.Notes, "\n")
	for _, want := range []string{
		"line 1: " + dir + "/conf.d/5.conf is not read: keepalived leaves out what", "line 3: include nosuch/* matches no file",
		"line 2 of " + dir + "/servers/b: lb_kind DR is not carried over",
	} {
		if !strings.Contains(notes, want) {
			t.Errorf("no %q in the notes\n%s", want, notes)
		}
	}

	r, err = Import(string(text), Source{})
	if err != nil || !r.Lost || !strings.Contains(strings.Join(r.Notes, "\n"), "line 1: include conf.d/*.conf is not read: that needs the name of the file") {
		t.Errorf("from standard input: %v, %q", err, r.Notes)
	}
}

func virtualAt(i int) string {
	return strings.Replace(in("", realOf(1, tcpCheck)), "10.0.0.1", "10.0.0."+string(rune('0'+i/10))+string(rune('0'+i%10)), 1)
}
