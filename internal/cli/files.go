package cli

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/account"
	"github.com/ldirectord/ldirectord/internal/host"
	"github.com/ldirectord/ldirectord/internal/rights"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// withoutCredentials are options for a check of the file at path by hand, which has no credentials
// of the systemd service: their absence is no mistake of the file. Secrets that the user of the
// service reads by its group are no fault.
func withoutCredentials(path string, o conf.Options) conf.Options {
	o.ReadSecret = func(name string) (text, warning string, err error) {
		if !strings.Contains(name, "/") && os.Getenv(rights.CredentialsDirectory) == "" {
			return "", "only the service can read " + name + ", a credential of systemd: the unit needs LoadCredential=" + name + ":PATH", nil
		}
		text, warning, err = rights.ReadSecret(name)
		if warning != "" && mayRead(unitAccount(path), name) {
			warning = ""
		}
		return text, warning, err
	}
	return o
}

// fileProblems are warnings about other users who may read or change the files of a
// configuration, and about a monitor log that cannot be written. With a cfg of nil, they
// are about sources alone.
func fileProblems(sources *conf.Sources, cfg *conf.Config) conf.Problems {
	path := sources.Files[0].Path
	l := fileList{sources: sources, seen: map[string]bool{}, unit: sync.OnceValue(func() account.Account { return unitAccount(path) })}
	for _, f := range sources.Files {
		l.changedAt(f.Path, f.Path, "root does what it says")
	}
	for _, p := range sources.Patterns {
		l.changedAt(sources.Files[0].Path, filepath.Dir(p.String()), "root does what the files in it say")
	}
	if cfg == nil {
		return l.problems
	}
	lines := secretLines(cfg, sources)
	for _, file := range slices.Sorted(maps.Keys(lines)) {
		l.readAt(file, lines[file], file, "it holds passwords or keys")
	}
	l.user = cfg.CheckUser
	l.changed(nil, "callback", wholePath(cfg.Callback))
	l.changed(nil, "notifycommand", program(cfg.NotifyCommand))
	l.changed(nil, "vipcommand", program(cfg.VIPCommand))
	l.read(nil, "statustoken", cfg.StatusToken, "it holds the token for orders")
	l.read(nil, "statusreadtoken", cfg.StatusReadToken, "it holds the token for reading")
	l.read(nil, "statuskey", cmp.Or(cfg.StatusKey, cfg.StatusCert), "it holds the private key")
	if cfg.MonitorLog != "" {
		if err := rights.CanAppend(cfg.MonitorLog); err != nil {
			code, text, cure := notWritten("monitor log", err, os.Geteuid())
			l.warn(nil, "monitorlog", code, text, cure)
		}
	}
	for _, v := range cfg.EachCheck() {
		if v.CheckType == conf.CheckExternal || v.CheckType == conf.CheckExternalPerl {
			l.changed(v, "checkcommand", v.CheckCommand.Reveal())
		}
		l.changed(v, "fallbackcommand", program(v.FallbackCommand))
		l.changed(v, "quorumcommand", program(v.QuorumCommand))
		l.read(v, "sslkey", v.SSLKey, "it holds the private key")
	}
	return l.problems
}

// secretLines are the files of the configuration that contain a secret, each with the
// line of its webhook, else of the first block or header that has one.
func secretLines(cfg *conf.Config, sources *conf.Sources) map[string]int {
	found := map[string]int{}
	if cfg.Webhook != "" && strings.HasSuffix(cfg.Webhook.String(), secret.Mask) {
		file, line := directiveLine(sources, "webhook")
		found[file] = line
	}
	note := func(file string, line int) {
		if _, ok := found[file]; !ok {
			found[file] = line
		}
	}
	for _, v := range cfg.EachCheck() {
		if holdsSecret(v) {
			note(v.File, v.Line)
		}
		if !slices.ContainsFunc(v.HTTPHeader.All(), func(h conf.Header) bool { return secret.Named(h.Name) }) {
			continue
		}
		if own, _ := sources.File(v.File); lineOf(own.Text, "httpheader") != 0 {
			note(v.File, v.Line)
		} else {
			note(directiveLine(sources, "httpheader"))
		}
	}
	return found
}

// holdsSecret reports whether the block of a virtual service contains a secret. It
// ignores headers, which may be from outside of blocks.
func holdsSecret(v *conf.VirtualService) bool {
	ownPasswd := v.Passwd != "" && v.PasswdFile == "" && v.Login != "anonymous" // whose password is public
	masked := v.Request.String() != v.Request.Reveal()
	for _, r := range v.Reals {
		masked = masked || r.Request.String() != r.Request.Reveal()
	}
	return ownPasswd || masked || v.Secret != "" && v.SecretFile == ""
}

// A fileList collects warnings about files, each text once.
type fileList struct {
	sources  *conf.Sources
	seen     map[string]bool
	user     account.Account        // that runs the commands, zero is the daemon's
	unit     func() account.Account // of the daemon's unit, zero is root; nil as well
	problems conf.Problems
}

// daemonUser is the user of the daemon's unit, zero is root.
func (l *fileList) daemonUser() account.Account {
	if l.unit == nil {
		return account.Account{}
	}
	return l.unit()
}

// warn warns at the line of a directive, in v's block or outside of blocks. v may be nil.
func (l *fileList) warn(v *conf.VirtualService, directive string, code conf.Code, text, cure string) {
	if !l.seen[text] { // looking for the line takes time
		path, line := written(l.sources, v, directive)
		l.warnAt(path, line, code, text, cure)
	}
}

func (l *fileList) warnAt(path string, line int, code conf.Code, text, cure string) {
	if l.seen[text] {
		return
	}
	l.seen[text] = true
	l.problems = append(l.problems, &conf.Problem{Path: path, Line: line, Warning: true, Code: code, Text: text, Hint: cure})
}

// changed warns if others may change the program of a directive.
func (l *fileList) changed(v *conf.VirtualService, directive, file string) {
	if text := changedBy(file, l.runner(directive)+" runs it"); text != "" && !l.changesOwn(directive, rights.Writers(file)) {
		l.warn(v, directive, conf.CodeWritableByOthers, text, cureChanged)
	}
}

// changedAt warns likewise of a file of the configuration itself.
func (l *fileList) changedAt(path, file, why string) {
	if text := changedBy(file, why); text != "" {
		l.warnAt(path, 0, conf.CodeWritableByOthers, text, cureChanged)
	}
}

const cureChanged = "root has to own it and its directories, and no one else may write there: chown root and chmod go-w"

// changedBy says who else may change a file, "" if no one may.
func changedBy(file, why string) string {
	if file == "" {
		return ""
	}
	who := rights.Writers(file)
	if who == "" {
		return ""
	}
	return fmt.Sprintf("%s can be changed by %s, and %s", file, who, why)
}

// read warns if others may read the file of a directive; why says why that matters.
func (l *fileList) read(v *conf.VirtualService, directive, file, why string) {
	if text := readBy(file, why); text != "" && !mayRead(l.daemonUser(), file) {
		l.warn(v, directive, conf.CodeReadableByOthers, text, l.closing(file))
	}
}

// readAt warns likewise of a file of the configuration itself.
func (l *fileList) readAt(path string, line int, file, why string) {
	if text := readBy(file, why); text != "" && !mayRead(l.daemonUser(), file) {
		l.warnAt(path, line, conf.CodeReadableByOthers, text, l.closing(file))
	}
}

// closing is the cure for a file that others can read: the daemon still can.
func (l *fileList) closing(file string) string {
	if unit := l.daemonUser(); !unit.IsZero() {
		return "chgrp " + unit.Name + " " + file + " && chmod 640 " + file
	}
	return "chmod 600 " + file
}

// readBy says who else may read a file, "" if no one may, or if there is no file: who
// needs it says so.
func readBy(file, why string) string {
	info, err := os.Stat(file)
	if err != nil {
		return ""
	}
	who := rights.Readers(info)
	if who == "" {
		return ""
	}
	return fmt.Sprintf("%s can be read by %s, and %s", file, who, why)
}

// fileFindings are the warnings as findings of doctor.
func fileFindings(problems conf.Problems) []host.Finding {
	var list []host.Finding
	for _, p := range problems {
		what, why, _ := strings.Cut(p.Text, ", and ")
		list = append(list, host.Finding{Code: host.Code(p.Code), Severity: host.Warning, What: what, Why: why, Cure: p.Hint})
	}
	return list
}
