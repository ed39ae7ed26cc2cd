package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// namedProblems are about files that directives name and that cannot serve:
// certificates, keys, authorities and commands.
func namedProblems(path string, cfg *conf.Config) conf.Problems {
	if cfg == nil {
		return nil
	}
	l := fileList{seen: map[string]bool{}}
	for _, v := range cfg.Virtuals {
		if speaksTLS(v) {
			_, err := checker.TLSConfig(checker.TLSOptions{CAFile: v.SSLCAFile, CertFile: v.SSLCert, KeyFile: v.SSLKey})
			if err != nil {
				l.warn(v.File, v.Line, fmt.Sprintf("%s checks cannot speak TLS: %v", v.Service, err), "sslcafile, sslcert and sslkey name files in PEM")
			}
		}
		if v.CheckDevice != "" {
			if _, err := net.InterfaceByName(v.CheckDevice); err != nil {
				l.warn(v.File, v.Line, "checkdevice "+v.CheckDevice+": this host has no such device", "ip link")
			}
		}
		switch v.CheckType {
		case conf.CheckExternal:
			l.command(v.File, v.Line, "checkcommand", v.CheckCommand.Reveal(), true)
		case conf.CheckExternalPerl:
			l.command(v.File, v.Line, "checkcommand", v.CheckCommand.Reveal(), false)
		}
		l.command(v.File, v.Line, "fallbackcommand", program(v.FallbackCommand), true)
	}
	l.command(path, 0, "callback", program(cfg.Callback), true)
	l.command(path, 0, "notifycommand", program(cfg.NotifyCommand), true)
	return l.problems
}

// speaksTLS reports whether the files of TLS matter to a virtual service.
func speaksTLS(v *conf.VirtualService) bool {
	negotiates := v.CheckType == conf.CheckNegotiate || v.CheckType == conf.CheckCombined
	return negotiates && (v.StartTLS || slices.Contains([]string{"https", "imaps", "ldaps", "pops", "tls"}, v.Service))
}

// command warns of a program that cannot be run. Names that are searched for in
// PATH are left out.
func (l *fileList) command(path string, line int, directive, file string, executed bool) {
	if file == "" || file[0] != '/' {
		return
	}
	shown := secret.Command(file).String() // what follows a blank may be meant as a password
	what := directive + " " + shown
	info, err := os.Stat(file)
	switch {
	case err != nil:
		l.warn(path, line, what+" cannot be run: "+reasonOf(err), "")
		return
	case !info.Mode().IsRegular():
		l.warn(path, line, what+" cannot be run: it is no file", "")
		return
	case executed && info.Mode()&0o111 == 0:
		l.warn(path, line, what+" cannot be run: it is not executable", "chmod +x "+shown)
	}
	if interpreterHasCR(file) {
		l.warn(path, line, what+" cannot be run: its first line ends with CR LF, so that the CR is part of the interpreter's name",
			`sed -i 's/\r$//' `+shown)
	}
}

// interpreterHasCR reports whether a script's first line ends with CR LF.
func interpreterHasCR(file string) bool {
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	start, err := io.ReadAll(io.LimitReader(f, 256)) // as much as the kernel looks at
	line, _, whole := bytes.Cut(start, []byte("\n"))
	return err == nil && whole && bytes.HasPrefix(line, []byte("#!")) && bytes.HasSuffix(line, []byte("\r"))
}

// reasonOf is an error without the path that it is about.
func reasonOf(err error) string {
	if path, ok := errors.AsType[*os.PathError](err); ok {
		return path.Err.Error()
	}
	return err.Error()
}
