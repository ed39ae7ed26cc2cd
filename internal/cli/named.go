package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/account"
	"github.com/ldirectord/ldirectord/internal/fleet"
	"github.com/ldirectord/ldirectord/internal/rights"
	"github.com/ldirectord/ldirectord/internal/status"
)

// namedProblems are about files that directives name and that cannot serve:
// certificates, keys, authorities, commands and tokens.
func namedProblems(sources *conf.Sources, cfg *conf.Config) conf.Problems {
	if cfg == nil {
		return nil
	}
	l := fileList{sources: sources, seen: map[string]bool{}, user: cfg.CheckUser}
	for _, v := range cfg.EachCheck() {
		if speaksTLS(v) {
			_, err := checker.TLSConfig(checker.TLSOptions{CAFile: v.SSLCAFile, CertFile: v.SSLCert, KeyFile: v.SSLKey})
			if err != nil {
				l.warn(v, tlsDirective(v, err), conf.CodeTLSFiles, fmt.Sprintf("%s checks cannot speak TLS: %v", v.Service, err), "sslcafile, sslcert and sslkey name files in PEM")
			}
		}
		l.device(v, "checkdevice", v.CheckDevice)
		switch v.CheckType {
		case conf.CheckExternal:
			l.command(v, "checkcommand", v.CheckCommand.Reveal(), true)
		case conf.CheckExternalPerl:
			l.command(v, "checkcommand", v.CheckCommand.Reveal(), false)
		}
		l.command(v, "fallbackcommand", shellProgram(v.FallbackCommand), true)
		l.command(v, "quorumcommand", shellProgram(v.QuorumCommand), true)
		l.takesArguments(v, "fallbackcommand", v.FallbackCommand)
		l.takesArguments(v, "quorumcommand", v.QuorumCommand)
	}
	l.device(nil, "syncdaemon", cfg.SyncDaemon.Device)
	l.takesArguments(nil, "vipcommand", cfg.VIPCommand)
	l.command(nil, "callback", cfg.Callback.Reveal(), true)
	l.command(nil, "notifycommand", shellProgram(cfg.NotifyCommand), true)
	root := l
	root.user = account.Account{} // it is run by the daemon's user
	root.command(nil, "vipcommand", shellProgram(cfg.VIPCommand), true)
	l.problems = root.problems
	l.token("statustoken", cfg.StatusToken)
	l.token("statusreadtoken", cfg.StatusReadToken)
	return append(l.problems, certificateProblems(sources, cfg)...)
}

// device warns of a network device that this host does not have; "" is none.
func (l *fileList) device(v *conf.VirtualService, directive, name string) {
	if name == "" {
		return
	}
	if _, err := net.InterfaceByName(name); err != nil {
		l.warn(v, directive, conf.CodeUnknownDevice, directive+" "+name+": this host has no such device", "ip link")
	}
}

// certificateProblems are about files with which statuslisten cannot speak TLS, or no director
// can be asked, now or soon.
func certificateProblems(sources *conf.Sources, cfg *conf.Config) conf.Problems {
	l := fileList{sources: sources, seen: map[string]bool{}}
	warn := func(directive string, err error, cure string) {
		if err != nil && !errors.Is(err, fs.ErrPermission) { // the daemon may have more rights
			l.warn(nil, directive, conf.CodeTLSFiles, err.Error(), cure)
		}
	}
	if cfg.StatusCert != "" {
		warn("statuscert", status.CheckCertificate(cfg.StatusCert, cmp.Or(cfg.StatusKey, cfg.StatusCert)),
			"statuscert and statuskey name files in PEM; renewed ones are used without a reload")
	}
	if cfg.StatusCA != "" {
		warn("statusca", status.CheckAuthorities(cfg.StatusCA), "statusca names a file of certificates in PEM")
	}
	if len(l.problems) == 0 {
		warn("statuscert", fleet.CheckOwn(cfg.StatusServer), "openssl x509 -in "+cfg.StatusCert+" -noout -issuer -ext subjectAltName")
	}
	return l.problems
}

// speaksTLS reports whether the files of TLS matter to a virtual service.
func speaksTLS(v *conf.VirtualService) bool {
	negotiates := v.CheckType == conf.CheckNegotiate || v.CheckType == conf.CheckCombined
	service, _ := conf.LookupService(v.Service)
	return negotiates && (v.StartTLS || service.TLS == conf.OverTLS)
}

// tlsDirective is the directive that names the file of an error.
func tlsDirective(v *conf.VirtualService, err error) string {
	for directive, file := range map[string]string{"sslcert": v.SSLCert, "sslkey": v.SSLKey} {
		if file != "" && strings.Contains(err.Error(), file) {
			return directive
		}
	}
	return "sslcafile"
}

// token warns of a file without a token. Who else may read it is a warning of its own.
func (l *fileList) token(directive, file string) {
	if file == "" {
		return
	}
	if info, err := os.Stat(file); err == nil && rights.Readers(info) != "" {
		return
	}
	err := status.CheckToken(file)
	if err != nil && !errors.Is(err, fs.ErrPermission) { // the daemon may have more rights
		l.warn(nil, directive, conf.CodeTokenUnusable, directive+" lets no client in: "+err.Error(), "openssl rand -hex 16 makes a token")
	}
}

// reasonOf is an error without its path.
func reasonOf(err error) string {
	if path, ok := errors.AsType[*os.PathError](err); ok {
		return path.Err.Error()
	}
	return err.Error()
}
