package cli

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/conf"
)

// TestWritten finds the lines of directives in two files.
func TestWritten(t *testing.T) {
	dir := t.TempDir()
	main, part := filepath.Join(dir, "t.cf"), filepath.Join(dir, "a.cf")
	write(t, main, strings.Join([]string{
		"include = a.cf",              // 1
		"callback = \"/a\"",           // 2
		"callback = \"/b\"",           // 3
		"virtual = 10.0.0.1:80",       // 4
		"    real = 10.1.0.1:80 masq", // 5
		"# a comment",                 // 6
		"\tsslcert = /x",              // 7
		"    sslcert = /y",            // 8
		"",                            // 9
		"virtual = 10.0.0.2:80",       // 10
		"    real = 10.1.0.1:80 masq", // 11
		"sslkey = /outside",           // 12
		"virtual = 10.0.0.3:80",       // 13
		"    checkcommand = /x",       // 14
		"    real = 10.1.0.1:80 masq", // 15
	}, "\n"))
	write(t, part, "\nstatusgroup = x\nvirtual = 10.0.0.4:80\n    real = 10.1.0.1:80 masq\n    checkcommand = /x")
	sources, err := conf.Read(main)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := sources.Parse(conf.Options{TryOpen: func(string) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	block := func(name string) *conf.VirtualService {
		for _, v := range cfg.Virtuals {
			if v.Name == name {
				return v
			}
		}
		t.Fatalf("no %s", name)
		return nil
	}
	for name, tt := range map[string]struct {
		v         *conf.VirtualService
		directive string
		file      string
		line      int
	}{
		"the last one outside":    {nil, "callback", main, 3},
		"in the other file":       {nil, "statusgroup", part, 2},
		"not in a block":          {nil, "checkcommand", main, 0},
		"the last one of a block": {block("10.0.0.1:80"), "sslcert", main, 8},
		"none in this block":      {block("10.0.0.2:80"), "sslcert", main, 10},
		"inherited":               {block("10.0.0.2:80"), "sslkey", main, 12},
		"the last block":          {block("10.0.0.3:80"), "checkcommand", main, 14},
		"a block of the other":    {block("10.0.0.4:80"), "checkcommand", part, 5},
	} {
		if file, line := written(sources, tt.v, tt.directive); file != tt.file || line != tt.line {
			t.Errorf("%s: %s:%d, want %s:%d", name, file, line, tt.file, tt.line)
		}
	}
}
