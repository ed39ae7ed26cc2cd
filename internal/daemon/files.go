package daemon

import (
	"fmt"
	"os"
	"strings"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/host"
	"github.com/ldirectord/ldirectord/internal/rights"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// withoutCredentials are options for a check by hand: the credentials that
// systemd hands to the service are not there, which is no mistake of the file.
func withoutCredentials(o conf.Options) conf.Options {
	o.ReadSecret = func(name string) (text, warning string, err error) {
		if !strings.Contains(name, "/") && os.Getenv(rights.CredentialsDirectory) == "" {
			return "", "only the service can read " + name + ", a credential of systemd: the unit needs LoadCredential=" + name + ":PATH", nil
		}
		return rights.ReadSecret(name)
	}
	return o
}

// fileProblems are warnings about who else may read or change the files of a
// configuration, and about a monitor log that cannot be written. A cfg of nil
// names none but the file itself.
func fileProblems(path string, cfg *conf.Config) conf.Problems {
	l := fileList{path: path, seen: map[string]bool{}}
	l.changed(0, path, "root does what it says")
	if cfg == nil {
		return l.problems
	}
	if line, found := secretLine(cfg); found {
		l.read(line, path, "it holds passwords or keys")
	}
	l.changed(0, program(cfg.Callback), "root runs it")
	l.changed(0, program(cfg.NotifyCommand), "root runs it")
	l.read(0, cfg.StatusToken, "it holds the token for orders")
	l.read(0, cfg.StatusReadToken, "it holds the token for reading")
	if cfg.MonitorLog != "" {
		if err := rights.CanAppend(cfg.MonitorLog); err != nil {
			l.warn(0, fmt.Sprintf("the monitor log cannot be written: %v", err), "")
		}
	}
	for _, v := range cfg.Virtuals {
		if v.CheckType == conf.CheckExternal || v.CheckType == conf.CheckExternalPerl {
			l.changed(v.Line, v.CheckCommand.Reveal(), "root runs it")
		}
		l.changed(v.Line, program(v.FallbackCommand), "root runs it")
		l.read(v.Line, v.SSLKey, "it holds the private key")
	}
	return l.problems
}

// program is the path of the program that a command begins with, "" if it is
// not written out.
func program(c secret.Command) string {
	first, _, _ := strings.Cut(strings.TrimSpace(c.Reveal()), " ")
	if !strings.HasPrefix(first, "/") {
		return ""
	}
	return first
}

// secretLine is the line of the first block with a secret that stands in the
// configuration itself, 0 if that is outside blocks.
func secretLine(cfg *conf.Config) (line int, found bool) {
	if cfg.Webhook != "" && strings.HasSuffix(cfg.Webhook.String(), secret.Mask) {
		return 0, true
	}
	for _, v := range cfg.Virtuals {
		ownPasswd := v.Passwd != "" && v.PasswdFile == "" && v.Login != "anonymous" // whose password is everyone's
		masked := v.Request.String() != v.Request.Reveal()
		for _, r := range v.Reals {
			masked = masked || r.Request.String() != r.Request.Reveal()
		}
		for _, h := range v.HTTPHeader.All() {
			masked = masked || secret.Named(h.Name)
		}
		if ownPasswd || masked || v.Secret != "" && v.SecretFile == "" {
			return v.Line, true
		}
	}
	return 0, false
}

// A fileList collects warnings about files, one of a kind for each file.
type fileList struct {
	path     string // of the configuration
	seen     map[string]bool
	problems conf.Problems
}

func (l *fileList) warn(line int, text, cure string) {
	if l.seen[text] {
		return
	}
	l.seen[text] = true
	l.problems = append(l.problems, &conf.Problem{Path: l.path, Line: line, Warning: true, Text: text, Hint: cure})
}

// changed warns if others may change a file; why says why that matters.
func (l *fileList) changed(line int, file, why string) {
	if file == "" {
		return
	}
	if who := rights.Writers(file); who != "" {
		l.warn(line, fmt.Sprintf("%s can be changed by %s, and %s", file, who, why),
			"root has to own it and its directories, and no one else may write there: chown root and chmod go-w")
	}
}

// read warns if others may read a file; why says why that matters.
func (l *fileList) read(line int, file, why string) {
	info, err := os.Stat(file)
	if err != nil {
		return // who needs the file says so
	}
	if who := rights.Readers(info); who != "" {
		l.warn(line, fmt.Sprintf("%s can be read by %s, and %s", file, who, why), "chmod 600 "+file)
	}
}

// fileFindings are the warnings as doctor has them.
func fileFindings(problems conf.Problems) []host.Finding {
	var list []host.Finding
	for _, p := range problems {
		what, why, _ := strings.Cut(p.Text, ", and ")
		list = append(list, host.Finding{Severity: host.Warning, What: what, Why: why, Cure: p.Hint})
	}
	return list
}
