package cli

import (
	"bytes"
	"cmp"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// program is the path of the program that a command begins with, "" if it is
// not written out.
func program(c secret.Command) string {
	first, _, _ := strings.Cut(strings.TrimSpace(c.Reveal()), " ")
	if !strings.HasPrefix(first, "/") {
		return ""
	}
	return first
}

// wholePath is a command whose whole text is a path, "" for a name.
func wholePath(c secret.Command) string {
	if !filepath.IsAbs(c.Reveal()) {
		return ""
	}
	return c.Reveal()
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9/][A-Za-z0-9._/+-]*$`)

// shellWords are the commands that the shell does not look for in PATH.
var shellWords = strings.Fields("alias bg break case cd command continue eval exec exit export false fg for function getopts hash if jobs kill local printf pwd " +
	"read readonly return set shift test time times trap true type ulimit umask unalias unset until wait while")

// shellProgram is the program that a line for the shell begins with, "" if only the shell
// can tell.
func shellProgram(c secret.Command) string {
	first := strings.TrimSpace(c.Reveal())
	if end := strings.IndexAny(first, " \t;&|<>"); end >= 0 {
		first = first[:end]
	}
	if !plainWord.MatchString(first) || slices.Contains(shellWords, first) {
		return ""
	}
	return first
}

// command warns of a program that cannot be run. A name without a slash is looked for in
// PATH.
func (l *fileList) command(v *conf.VirtualService, directive, file string, executed bool) {
	shown := secret.Command(file).String() // what follows a blank may be meant as a password
	what := directive + " " + shown
	if file != "" && executed && !strings.Contains(file, "/") {
		if _, err := exec.LookPath(file); err != nil {
			l.warn(v, directive, conf.CodeCommandNotRunnable, what+" cannot be run: it is in no directory of PATH", cmp.Or(blankInName(file), "write its whole path"))
		}
		return
	}
	if !filepath.IsAbs(file) {
		return
	}
	info, err := os.Stat(file)
	switch {
	case err != nil:
		l.warn(v, directive, conf.CodeCommandNotRunnable, what+" cannot be run: "+reasonOf(err), blankInName(file))
		return
	case !info.Mode().IsRegular():
		l.warn(v, directive, conf.CodeCommandNotRunnable, what+" cannot be run: it is no file", "")
		return
	}
	l.interpreter(v, directive, shown, interpreterOf(file))
	if executed && info.Mode()&0o111 == 0 { // which is so for the user of checkuser, too
		l.warn(v, directive, conf.CodeCommandNotRunnable, what+" cannot be run: it is not executable", "chmod +x "+shown)
		return
	}
	l.userLacks(v, directive, what, file, executed)
}

var (
	quotedText   = regexp.MustCompile(`\\.|'[^']*'|"(\\.|[^"\\])*"`)
	endOfCommand = regexp.MustCompile(`(^|[\s;&|])#|[;&|]\s*$`)
)

// takesArguments warns of a line for the shell that does not end with its command: what the daemon
// appends is then a comment, or a command of its own.
func (l *fileList) takesArguments(v *conf.VirtualService, directive string, c secret.Command) {
	end := strings.TrimSpace(endOfCommand.FindString(quotedText.ReplaceAllString(c.Reveal(), "x")))
	if end != "" {
		l.warn(v, directive, conf.CodeCommandNotRunnable, directive+" does not get its arguments, which the shell reads behind "+end, "end the line with the command")
	}
}

// blankInName is the hint for a file that is not there because its name has arguments.
func blankInName(file string) string {
	name, _, more := strings.Cut(file, " ")
	if _, err := exec.LookPath(name); more && err == nil {
		return "it is run without a shell, so that all of the line is its name: a script can call it with its arguments"
	}
	return ""
}

// interpreter warns of a script whose interpreter cannot be run.
func (l *fileList) interpreter(v *conf.VirtualService, directive, shown, interpreter string) {
	what := directive + " " + shown
	words := strings.Fields(interpreter)
	switch {
	case len(words) == 0:
		return
	case strings.HasSuffix(interpreter, "\r"):
		l.warn(v, directive, conf.CodeCommandNotRunnable, what+" cannot be run: its first line ends with CR LF, so that the CR is part of the interpreter's name",
			`sed -i 's/\r$//' `+shown)
		return
	}
	name := words[0]
	if len(words) == 2 && filepath.Base(name) == "env" && !strings.HasPrefix(words[1], "-") {
		if _, err := exec.LookPath(words[1]); err != nil {
			l.warn(v, directive, conf.CodeCommandNotRunnable, what+" cannot be run: its first line names "+words[1]+", which is in no directory of PATH", "")
		}
	}
	if info, err := os.Stat(name); err != nil || info.IsDir() || info.Mode()&0o111 == 0 {
		l.warn(v, directive, conf.CodeCommandNotRunnable, what+" cannot be run: its first line names "+name+", which is no program", "")
	}
}

// isScript reports whether an interpreter reads the file: /bin/sh, if no line names another.
// A file that cannot be read may be a program.
func isScript(file string) bool {
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	const elf = "\x7fELF"
	start := make([]byte, len(elf))
	_, err = io.ReadFull(f, start)
	return err == nil && string(start) != elf
}

// interpreterOf is the first line of a script behind "#!", "" for another file.
func interpreterOf(file string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	start, err := io.ReadAll(io.LimitReader(f, 256)) // as much as the kernel looks at
	line, _, whole := bytes.Cut(start, []byte("\n"))
	text, script := bytes.CutPrefix(line, []byte("#!"))
	if err != nil || !whole || !script {
		return ""
	}
	return string(text)
}
