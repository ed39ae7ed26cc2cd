package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/host"
)

func parsed(t *testing.T, lines ...string) *conf.Config {
	t.Helper()
	cfg, err := conf.Parse("t.cf", []byte(strings.Join(lines, "\n")+"\n"), conf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// check warns of a service that the program was built without, where it would
// ask for it.
func TestBuildProblems(t *testing.T) {
	file := func(checktype string) *conf.Config {
		return parsed(t, "virtual=10.0.0.1:1521", "    real=10.1.0.1:1521 masq", "    service=oracle", `    login="u"`, `    passwd="p"`,
			`    database="XE"`, "    checktype="+checktype)
	}
	tests := map[string]struct {
		cfg       *conf.Config
		hasOracle bool
		want      int
	}{
		"small":                {file("negotiate"), false, 1},
		"small, every third":   {file("3"), false, 1},
		"small, connects only": {file("connect"), false, 0},
		"full":                 {file("negotiate"), true, 0},
		"a broken file":        {nil, false, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			problems := buildProblems(tt.cfg, tt.hasOracle)
			if len(problems) != tt.want {
				t.Fatalf("%d warnings, want %d: %v", len(problems), tt.want, problems)
			}
			for _, p := range problems {
				if !p.Warning || p.Line != 1 || !strings.Contains(p.Text, "built without Oracle") {
					t.Errorf("warning %+v", p)
				}
			}
		})
	}
}

// doctor proposes strict.conf where it would break nothing.
func TestSandboxFindings(t *testing.T) {
	const plain = "virtual=10.0.0.1:80\n    real=10.1.0.1:80 masq\n"
	tests := map[string]struct {
		file  string
		there []string // files
		want  int
	}{
		"no commands":      {plain, []string{strictFile}, 1},
		"in use":           {plain, []string{strictFile, strictUsed}, 0},
		"not installed":    {plain, nil, 0},
		"external check":   {plain + "    checktype=external\n    checkcommand=/bin/true\n", []string{strictFile}, 0},
		"fallback command": {"fallbackcommand=/bin/true\n" + plain, []string{strictFile}, 0},
		"local mailer":     {"emailalert=root\n" + plain, []string{strictFile}, 0},
		"mail by SMTP":     {"emailalert=root\nsmtp=127.0.0.1\n" + plain, []string{strictFile}, 1},
		"notifications":    {"notifycommand=/bin/true\n" + plain, []string{strictFile}, 0},
		"vipdevice":        {"vipdevice=lvs0\n" + plain, []string{strictFile}, 1},
		"files in /tmp":    {"maintenancedir=/tmp\n" + plain, []string{strictFile}, 0},
		"host set-up":      {"hostsetup=yes\n" + plain, []string{strictFile}, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, file := range append(tt.there, "/run/systemd/system/x") {
				if err := os.MkdirAll(filepath.Dir(dir+file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(dir+file, nil, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			got := sandboxFindings(dir, parsed(t, tt.file))
			if len(got) != tt.want || len(got) == 1 && got[0].Severity != host.Note {
				t.Errorf("findings %v, want %d", got, tt.want)
			}
		})
	}
}
