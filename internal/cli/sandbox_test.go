package cli

import (
	"os"
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/account"
	"github.com/ldirectord/ldirectord/internal/lab"
)

// Sandboxes of our units, as systemctl shows them.
var (
	defaultUnit = sandbox{"CapabilityBoundingSet": "cap_net_admin cap_setgid cap_setuid", "NoNewPrivileges": "no", "ProtectSystem": "no"}
	strictUnit  = sandbox{
		"CapabilityBoundingSet": "cap_net_admin", "NoNewPrivileges": "yes", "PrivateTmp": "yes", "ProtectHome": "yes", "ProtectKernelTunables": "yes",
		"ProtectSystem": "strict", "ReadWritePaths": "/run /var -/proc/sys/net",
	}
	userUnit = sandbox{"CapabilityBoundingSet": "cap_net_admin", "NoNewPrivileges": "yes", "User": "daemon"}
	closed   = sandbox{"CapabilityBoundingSet": "cap_net_admin", "ProtectKernelTunables": "yes"}
)

// TestDemands has what a configuration wants and a unit forbids, with the cure.
func TestDemands(t *testing.T) {
	const plain = "virtual=10.0.0.1:80\n    real=10.1.0.1:80 masq\n"
	const external = plain + "    checktype=external\n    checkcommand=/bin/true\n"
	tests := map[string]struct {
		file string
		unit sandbox
		want string // the directive, the reason and the cure; "" is none
	}{
		"nothing":                          {plain, strictUnit, ""},
		"default, checkuser":               {"checkuser=nobody\n" + external, defaultUnit, ""},
		"strict, checkuser":                {"checkuser=nobody\n" + external, strictUnit, "checkuser may not run commands as another user (CapabilityBoundingSet=) CAP_SETUID"},
		"strict, without commands":         {"checkuser=nobody\n" + plain, strictUnit, ""},
		"user, checkuser":                  {"checkuser=nobody\n" + external, userUnit, "checkuser as the user daemon (User=) remove checkuser"},
		"user, its own":                    {"checkuser=daemon\n" + external, userUnit, ""},
		"a dynamic user":                   {"checkuser=nobody\n" + external, sandbox{"DynamicUser": "yes"}, "checkuser as the user ldirectord (User=) remove checkuser"},
		"strict, vipdevice":                {"vipdevice=lvs0\n" + plain, strictUnit, ""},
		"strict, hostsetup":                {"hostsetup=noaddress\n" + plain, strictUnit, ""},
		"read-only settings, hostsetup":    {"hostsetup=noaddress\n" + plain, closed, "hostsetup (ProtectKernelTunables=) ReadWritePaths=-/proc/sys/net"},
		"strict, a log elsewhere":          {"logfile=\"/srv/l/a.log\"\n" + plain, strictUnit, "logfile may not write /srv/l/a.log (ProtectSystem=strict) ReadWritePaths=/srv/l"},
		"strict, a log in /var":            {"logfile=\"/var/log/a.log\"\n" + plain, strictUnit, ""},
		"strict, syslog":                   {"logfile=\"local0\"\n" + plain, strictUnit, ""},
		"strict, a monitor log in /tmp":    {"monitorlog=/tmp/a.log\n" + plain, strictUnit, "monitorlog (PrivateTmp=) PrivateTmp=no"},
		"strict, a monitor file at home":   {plain + "    monitorfile=/home/ops/a\n", strictUnit, "monitorfile (ProtectHome=) ProtectHome=no"},
		"strict, maintenance in /tmp":      {"maintenancedir=/tmp\n" + plain, strictUnit, "maintenancedir (PrivateTmp=) PrivateTmp=no"},
		"strict, maintenance in /etc":      {"maintenancedir=/etc\n" + plain, strictUnit, ""},
		"strict, a local mailer":           {"emailalert=root\n" + plain, strictUnit, "emailalert (NoNewPrivileges=) smtp"},
		"user, a mail server":              {"emailalert=root\nsmtp=127.0.0.1\n" + plain, userUnit, ""},
		"strict, the unit's log directory": {"monitorlog=none\nlogfile=\"/var/log/l/a.log\"\n" + plain, sandbox{"ProtectSystem": "strict", "LogsDirectory": "l"}, ""},
		"a home that is opened":            {plain + "    monitorfile=/home/ops/a\n", sandbox{"ProtectHome": "read-only", "ReadWritePaths": "/home/ops"}, ""},
		"default, all":                     {"monitorlog=/tmp/a.log\nmaintenancedir=/tmp\nemailalert=root\nvipdevice=lvs0\n" + plain, defaultUnit, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, d := range demands(sandboxed(t, tt.file)) {
				if why, cure := d.refused(tt.unit); why != "" {
					if !strings.Contains(why, ", and ") || cure == "" {
						t.Errorf("%s: %q has no effect, or no cure", d.directive, why)
					}
					got = append(got, d.directive+" "+why+" "+cure)
				}
			}
			if tt.want == "" && len(got) > 0 || tt.want != "" && len(got) != 1 {
				t.Fatalf("refused is %q, want %q", got, tt.want)
			}
			for word := range strings.FieldsSeq(tt.want) {
				if !strings.Contains(got[0], word) {
					t.Errorf("refused is %q, which lacks %q", got[0], word)
				}
			}
		})
	}
}

// sandboxed is a configuration whose files are not opened.
func sandboxed(t *testing.T, text string) *conf.Config {
	t.Helper()
	cfg, err := conf.Parse("t.cf", []byte(text), conf.Options{TryOpen: func(string) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// TestStarts recognizes the unit of a configuration by its ExecStart.
func TestStarts(t *testing.T) {
	other := t.TempDir() + "/other.cf"
	if err := os.WriteFile(other, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	const form = "{ path=/usr/sbin/ldirectord ; argv[]=/usr/sbin/ldirectord --foreground %start ; ignore_errors=no ; start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }"
	for line, want := range map[string]bool{
		strings.Replace(form, "%", other+" ", 1):             true,
		strings.Replace(form, "%", "--config="+other+" ", 1): true,
		strings.Replace(form, "%", "", 1):                    false,
		"":                                                   false,
	} {
		if got := starts(line, other); got != want {
			t.Errorf("%q starts the daemon of %s: %t, want %t", line, other, got, want)
		}
	}
}

// TestFilesOfUnit has a file that the user of the unit reads by its group, and what check says where
// that user runs the commands.
func TestFilesOfUnit(t *testing.T) {
	lab.Root(t, "files of other groups")
	dir := t.TempDir()
	key, command := dir+"/key", dir+"/command"
	for _, file := range []string{key, command} {
		if err := os.WriteFile(file, nil, 0o640); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(file, 0, 7); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(command, 0o777); err != nil {
		t.Fatal(err)
	}
	sources := &conf.Sources{Files: []conf.Source{{Path: dir + "/t.cf"}}}
	for name, tt := range map[string]struct {
		unit account.Account
		mode os.FileMode
		want []string
	}{
		"root's daemon":        {account.Account{}, 0o640, []string{"key can be read by its group, and so it is: chmod 600", "and root runs it"}},
		"the group of another": {account.Account{Name: "u", UID: 8, GID: 8}, 0o640, []string{"key can be read by its group, and so it is: chgrp u ", "and the user u runs it"}},
		"its own group":        {account.Account{Name: "u", UID: 7, GID: 7}, 0o640, []string{"and the user u runs it"}},
		"everyone":             {account.Account{Name: "u", UID: 7, GID: 7}, 0o644, []string{"key can be read by everyone, and so it is: chgrp u ", "and the user u runs it"}},
	} {
		if err := os.Chmod(key, tt.mode); err != nil {
			t.Fatal(err)
		}
		l := fileList{sources: sources, seen: map[string]bool{}, unit: func() account.Account { return tt.unit }}
		l.read(nil, "statuskey", key, "so it is")
		l.changed(nil, "vipcommand", command)
		var got []string
		for _, p := range l.problems {
			got = append(got, p.Text+": "+p.Hint)
		}
		if len(got) != len(tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
			continue
		}
		for i, want := range tt.want {
			if !strings.Contains(got[i], want) {
				t.Errorf("%s: %q lacks %q", name, got[i], want)
			}
		}
	}
}
