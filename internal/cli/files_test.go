package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestCheckWarnsOfRights has files that others may read or change, and logs that
// cannot be written.
func TestCheckWarnsOfRights(t *testing.T) {
	lab.Root(t, "files of other users")
	dir := t.TempDir()
	file := func(name string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(path, []byte("x\n"), 0o600), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	open, script, closed := file("open", 0o644), file("script", 0o757), file("closed", 0o600)
	fifo, folder, others := filepath.Join(dir, "fifo"), filepath.Join(dir, "folder"), filepath.Join(dir, "others")
	if err := errors.Join(unix.Mkfifo(fifo, 0o600), os.Mkdir(folder, 0o755), os.Mkdir(others, 0o755), os.Symlink(closed, others+"/log"), os.Chown(others, 65534, 65534)); err != nil {
		t.Fatal(err)
	}
	crlf, plain := file("crlf", 0o755), file("plain", 0o644)
	write(t, crlf, "#!/bin/sh\r\nexit 0\r\n")
	noInterpreter, noEnv, noFirstLine, withEnv := file("python", 0o755), file("env", 0o755), file("first", 0o755), file("sh", 0o755)
	write(t, noInterpreter, "#! /none/python -u\nexit\n")
	write(t, noEnv, "#!/usr/bin/env nosuchpython\nexit\n")
	write(t, noFirstLine, "exit 0\n")
	write(t, withEnv, "#!/usr/bin/env sh\nexit\n")
	const listen = "statuslisten=127.0.0.1:9\n"
	const virtual = "virtual=10.0.0.1:80\n\treal=10.1.0.1:80 masq\n"
	tests := map[string]struct {
		mode   os.FileMode
		global string
		block  string
		want   string // "" is no warning
	}{
		"nothing secret":            {0o644, "", "", ""},
		"a password":                {0o644, "", "service=pop\n\tlogin=\"u\"\n\tpasswd=\"p\"", "t.cf can be read by everyone, and it holds passwords"},
		"a password, closed":        {0o600, "", "service=pop\n\tlogin=\"u\"\n\tpasswd=\"p\"", ""},
		"a password in a file":      {0o644, "", "service=pop\n\tlogin=\"u\"\n\tpasswdfile=" + closed, ""},
		"an open file":              {0o644, "", "service=pop\n\tlogin=\"u\"\n\tpasswdfile=" + open, "/open can be read by everyone: chmod 600"},
		"a credential":              {0o644, "", "service=pop\n\tlogin=\"u\"\n\tpasswdfile=imap", "the unit needs LoadCredential=imap:PATH"},
		"anonymous ftp":             {0o644, "", "service=ftp", ""},
		"a query":                   {0o640, "", "request=\"/?key=x\"", "t.cf can be read by its group, and it holds passwords"},
		"a query of a real":         {0o640, "", "real=10.1.0.2:80 masq 1 \"?key=x\", \"y\"", "t.cf can be read by its group"},
		"a header":                  {0o644, "", "httpheader=\"Authorization: x\"", "t.cf can be read by everyone"},
		"an ordinary header":        {0o644, "", "httpheader=\"Accept: x\"", ""},
		"a webhook":                 {0o644, "webhook=http://h/x\n", "", "t.cf can be read by everyone"},
		"a file for everyone":       {0o666, "", "", "t.cf can be changed by everyone, and root does what it says"},
		"an open checkcommand":      {0o644, "", "checktype=external\n\tcheckcommand=" + script, "/script can be changed by everyone, and root runs it"},
		"one that is not used":      {0o644, "", "checkcommand=" + script, ""},
		"an open callback":          {0o644, "callback=\"" + script + "\"\n", "", "/script can be changed by everyone"},
		"an open fallback":          {0o644, "fallbackcommand=" + script + " -x\n", "", "/script can be changed by everyone"},
		"an open notifycommand":     {0o644, "notifycommand=" + script + " -x\n", "", "/script can be changed by everyone"},
		"an open key":               {0o644, "sslcert=" + open + "\nsslkey=" + open + "\n", "", "/open can be read by everyone, and it holds the private key"},
		"an open token":             {0o644, "statustoken=" + open + "\n", "", "/open can be read by everyone, and it holds the token"},
		"a directory as log":        {0o644, "logfile=\"" + folder + "\"\n", "", "unable to open logfile"},
		"a log in no directory":     {0o644, "logfile=\"/none/x\"\n", "", "unable to open logfile"},
		"a FIFO as log":             {0o644, "logfile=\"" + fifo + "\"\n", "", "is a FIFO that no process reads"},
		"a link of another":         {0o644, "logfile=\"" + others + "/log\"\n", "", "is a symbolic link in a directory that others"},
		"a monitor directory":       {0o644, "monitorlog=" + folder + "\n", "", "the monitor log cannot be written"},
		"a monitor in nowhere":      {0o644, "monitorlog=/none/x\n", "", "the monitor log cannot be written"},
		"no authorities":            {0o644, "", "service=https\n\tsslcafile=/none/ca", "https checks cannot speak TLS: open /none/ca: no such file"},
		"authorities that are none": {0o644, "", "service=https\n\tsslcafile=" + closed, "https checks cannot speak TLS: "},
		"no key":                    {0o644, "", "service=imaps\n\tsslcert=/none/cert\n\tsslkey=/none/key", "imaps checks cannot speak TLS: "},
		"a key without TLS":         {0o644, "", "service=http\n\tsslcafile=/none/ca", "sslcafile is not used by service=http"},
		"no checkcommand":           {0o644, "", "checktype=external\n\tcheckcommand=/none/x", "checkcommand /none/x cannot be run: no such file"},
		"not executable":            {0o644, "", "checktype=external\n\tcheckcommand=" + plain, "/plain cannot be run: it is not executable"},
		"Perl need not be":          {0o644, "", "checktype=external-perl\n\tcheckcommand=" + plain, ""},
		"a directory":               {0o644, "", "checktype=external\n\tcheckcommand=" + folder, "cannot be run: it is no file"},
		"CR LF":                     {0o644, "", "checktype=external\n\tcheckcommand=" + crlf, "its first line ends with CR LF"},
		"no notifycommand":          {0o644, "notifycommand=/none/x -y\n", "", "notifycommand /none/x cannot be run: no such file"},
		"no fallbackcommand":        {0o644, "fallbackcommand=/none/x\n", "", "fallbackcommand /none/x cannot be run: no such file"},
		"no callback":               {0o644, "callback=\"/none/x\"\n", "", "callback /none/x cannot be run: no such file"},
		"a callback's arguments":    {0o644, "callback=\"/bin/true --quietly\"\n", "", "so that all of the line is its name"},
		"a callback in PATH":        {0o644, "callback=\"true\"\n", "", ""},
		"none in PATH":              {0o644, "callback=\"nosuchprogram\"\n", "", "callback nosuchprogram cannot be run: it is in no directory of PATH"},
		"no shell's program":        {0o644, "notifycommand=nosuchprogram -x\n", "", "notifycommand nosuchprogram cannot be run: it is in no directory of PATH"},
		"the shell's own words":     {0o644, "notifycommand=if true; then cat; fi\n", "", ""},
		"the shell's variables":     {0o644, "notifycommand=$TELL -x\n", "", ""},
		"arguments of a check":      {0o644, "", "checktype=external\n\tcheckcommand=/bin/true -x", "so that all of the line is its name"},
		"a comment at the end":      {0o644, "vipcommand=/bin/true # GoBGP\n", "", "vipcommand does not get its arguments, which the shell reads behind #"},
		"the end of a list":         {0o644, "", "quorumcommand=/bin/true;", "quorumcommand does not get its arguments, which the shell reads behind ;"},
		"in the background":         {0o644, "fallbackcommand=/bin/true &\n", "", "fallbackcommand does not get its arguments, which the shell reads behind &"},
		"a list":                    {0o644, "vipcommand=cd / && X='# a' true a#b \\# \"#;\"\n", "", ""},
		"no device to sync":         {0o644, "syncdaemon=both nosuchdevice\n", "", "syncdaemon nosuchdevice: this host has no such device"},
		"a device to sync":          {0o644, "syncdaemon=both lo\n", "", ""},
		"no interpreter":            {0o644, "", "checktype=external\n\tcheckcommand=" + noInterpreter, "its first line names /none/python, which is no program"},
		"no interpreter in PATH":    {0o644, "", "checktype=external\n\tcheckcommand=" + noEnv, "its first line names nosuchpython, which is in no directory of PATH"},
		"no first line":             {0o644, "", "checktype=external\n\tcheckcommand=" + noFirstLine, ""}, // the shell runs it
		"an interpreter":            {0o644, "", "checktype=external\n\tcheckcommand=" + withEnv, ""},
		"no token":                  {0o644, listen + "statusreadtoken=/none/token\n", "", "statusreadtoken lets no client in: stat /none/token: no such file"},
		"a short token":             {0o644, listen + "statuscontrol=yes\nstatustoken=" + closed + "\n", "", "/closed has a token that is too short: 16 characters or more"},
		"a monitorfile's link":      {0o644, "", "monitorfile=" + others + "/log", "is a symbolic link in a directory that others"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, "t.cf")
			text := "monitorlog=none\nlogfile=\"local0\"\n" + tt.global + virtual
			if tt.block != "" {
				text += "\t" + tt.block + "\n"
			}
			if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chmod(path, tt.mode)); err != nil {
				t.Fatal(err)
			}
			var stdout, stderr bytes.Buffer
			Main(Env{Args: []string{"ldirectord", path, "check"}, Stdout: &stdout, Stderr: &stderr, RunDir: dir, StateDir: dir})
			if got := stderr.String(); !strings.Contains(got, tt.want) || tt.want == "" && got != "" {
				t.Errorf("check says %q, want %q", got, tt.want)
			}
		})
	}
}

// TestDoctorWarnsOfRights shows that the warnings are findings, too.
func TestDoctorWarnsOfRights(t *testing.T) {
	list := fileFindings(conf.Problems{{Warning: true, Text: "/x can be read by everyone, and it holds passwords", Hint: "chmod 600 /x"}})
	if len(list) != 1 || list[0].What != "/x can be read by everyone" || list[0].Why != "it holds passwords" || list[0].Cure != "chmod 600 /x" {
		t.Errorf("the finding is %+v", list)
	}
}

// TestNotWritten blames no daemon of root's for what a normal user may not do.
func TestNotWritten(t *testing.T) {
	denied, full := &fs.PathError{Op: "open", Path: "/log", Err: fs.ErrPermission}, errors.New("no space")
	for _, tt := range []struct {
		err  error
		user int
		code conf.Code
		want string
	}{
		{denied, 1000, conf.CodeNeedsRoot, "the monitor log cannot be written by user 1000: open /log: permission denied"},
		{denied, 0, conf.CodeLogUnwritable, "the monitor log cannot be written: open /log: permission denied"},
		{full, 1000, conf.CodeLogUnwritable, "the monitor log cannot be written: no space"},
	} {
		if code, got, _ := notWritten("monitor log", tt.err, tt.user); code != tt.code || got != tt.want {
			t.Errorf("user %d: %s %q, want %s %q", tt.user, code, got, tt.code, tt.want)
		}
	}
}

// TestLogsOfRoot has check of a normal user warn of logs that it may not write, at their
// directives; what hinders root as well is a mistake.
func TestLogsOfRoot(t *testing.T) {
	file := filepath.Join(t.TempDir(), "t.cf")
	write(t, file, "logfile = \"/root.log\"\nvirtual=10.0.0.1:80\n    real=10.1.0.1:80 gate\n    checktype=on\n    monitorfile = /root.monitor\n")
	denied := &fs.PathError{Op: "open", Path: "/root.log", Err: fs.ErrPermission}
	for user, tt := range map[int]struct {
		err  error
		want string
	}{
		1000: {denied, "1 needs-root the logfile cannot be written by user 1000: open /root.log: permission denied; " +
			"5 needs-root the monitorfile cannot be written by user 1000: open /root.log: permission denied; "},
		0:    {denied, "mistake"},
		1001: {errors.New("no space"), "mistake"},
	} {
		sources, err := conf.Read(file)
		if err != nil {
			t.Fatal(err)
		}
		closed := logsClosedTo(user)
		cfg, err := sources.Parse(conf.Options{TryOpen: closed.tryOpen(func(string) error { return tt.err })})
		var got strings.Builder
		for _, p := range closed.problems(sources, cfg) {
			fmt.Fprintf(&got, "%d %s %s; ", p.Line, p.Code, p.Text)
		}
		if err != nil {
			got.WriteString("mistake")
		}
		if got.String() != tt.want {
			t.Errorf("user %d: %q, want %q", user, got.String(), tt.want)
		}
	}
}
