package cli

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/account"
	external "github.com/ldirectord/ldirectord/internal/command"
	"github.com/ldirectord/ldirectord/internal/state"
)

const (
	unitName     = "ldirectord.service"
	unitPatience = 2 * time.Second // for an answer of systemd
)

// A sandbox is what a unit permits the daemon, by the names of systemd.exec(5).
type sandbox map[string]string

// sandboxSettings are the settings that count.
var sandboxSettings = []string{
	"CacheDirectory", "CapabilityBoundingSet", "DynamicUser", "LogsDirectory", "NoNewPrivileges", "PrivateTmp", "ProtectHome", "ProtectKernelTunables", "ProtectSystem",
	"ReadWritePaths", "RuntimeDirectory", "StateDirectory", "User",
}

// strictSandbox is that of strict.conf.
var strictSandbox = sandbox{
	"NoNewPrivileges": "yes", "PrivateTmp": "yes", "ProtectHome": "yes", "ProtectKernelTunables": "yes", "ProtectSystem": "strict",
	"ReadWritePaths": "/run /var -/proc/sys/net",
}

// sandboxProblems are warnings of what a configuration wants and the daemon's unit forbids. There
// are none where systemd does not answer, or runs no daemon for this file.
func sandboxProblems(sources *conf.Sources, cfg *conf.Config) conf.Problems {
	if cfg == nil || len(demands(cfg)) == 0 {
		return nil
	}
	unit := installedSandbox(cfg.Path)
	if unit == nil {
		return nil
	}
	l := fileList{sources: sources, seen: map[string]bool{}}
	for _, d := range demands(cfg) {
		if why, cure := d.refused(unit); why != "" {
			l.warn(d.virtual, d.directive, conf.CodeUnitForbids, d.directive+": "+unitName+" "+why, cure)
		}
	}
	return l.problems
}

// installedSandbox is that of the installed unit, nil if it is not for the configuration at path,
// or neither enabled nor ever started.
func installedSandbox(path string) sandbox {
	if _, err := os.Stat("/run/systemd/system"); err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), unitPatience)
	defer cancel()
	words := []string{"show", "--property=ActiveState,ExecStart,UnitFileState," + strings.Join(sandboxSettings, ","), unitName}
	result, err := external.Run(ctx, external.Command{Path: "systemctl", Args: words})
	if err != nil || result.Err() != nil {
		return nil
	}
	unit := sandbox{}
	for line := range strings.Lines(string(result.Output)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		unit[name] = value
	}
	if unit["UnitFileState"] != "enabled" && unit["ActiveState"] == "inactive" || !starts(unit["ExecStart"], path) {
		return nil
	}
	return unit
}

// starts reports whether an ExecStart, as systemctl shows it, starts the daemon for the
// configuration at path.
func starts(execStart, path string) bool {
	_, line, _ := strings.Cut(execStart, "argv[]=")
	line, _, _ = strings.Cut(line, " ;")
	words := strings.Fields(line)
	if len(words) == 0 {
		return false
	}
	name := "ldirectord.cf"
	for _, word := range words[1:] {
		if file, is := strings.CutPrefix(word, "--config="); is {
			name = file
		} else if !strings.HasPrefix(word, "-") && word != "start" {
			name = word
		}
	}
	file, err := conf.Search(name)
	return err == nil && state.Canonical(file) == state.Canonical(path)
}

// A demand is what the daemon needs a right for.
type demand struct {
	directive string
	virtual   *conf.VirtualService // nil outside of blocks
	// refused is what forbids it in a unit, and the cure; "" if nothing does.
	refused func(unit sandbox) (why, cure string)
}

// demands are those of a configuration that some unit may forbid.
func demands(cfg *conf.Config) (list []demand) {
	add := func(directive string, v *conf.VirtualService, refused func(sandbox) (string, string)) {
		list = append(list, demand{directive, v, refused})
	}
	if !cfg.CheckUser.IsZero() && cfg.RunsAs() {
		add("checkuser", nil, func(unit sandbox) (string, string) { return unit.forbidsUser(cfg.CheckUser.String()) })
	}
	if cfg.VIPDevice != "" {
		add("vipdevice", nil, func(unit sandbox) (string, string) { return unit.forbidsSetting("net/ipv4/conf/all/arp_ignore", "1") })
	}
	if cfg.HostSetup.On() {
		add("hostsetup", nil, func(unit sandbox) (string, string) { return unit.forbidsSetting("", "") })
	}
	writes := func(directive string, v *conf.VirtualService, file string) {
		if filepath.IsAbs(file) {
			add(directive, v, func(unit sandbox) (string, string) { return unit.forbidsFile(file, true) })
		}
	}
	writes("logfile", nil, cfg.LogFile)
	writes("monitorlog", nil, cfg.MonitorLog)
	if cfg.MaintenanceDir != "" {
		add("maintenancedir", nil, func(unit sandbox) (string, string) { return unit.forbidsFile(cfg.MaintenanceDir, false) })
	}
	for _, v := range cfg.EachCheck() {
		writes("monitorfile", v, v.MonitorFile)
		if v.EmailAlert != "" && v.SMTP == "" {
			add("emailalert", v, func(unit sandbox) (string, string) { return unit.forbidsMailer() })
		}
	}
	return list
}

// dropIn is the cure that a setting of the unit is.
func dropIn(setting string) string {
	return "[Service] " + setting + " in a drop-in behind the others: systemctl edit --drop-in=zz-local " + unitName
}

// user is that of the daemon.
func (u sandbox) user() string {
	return cmp.Or(u["User"], map[bool]string{true: "ldirectord", false: "root"}[u["DynamicUser"] == "yes"])
}

func (u sandbox) forbidsUser(user string) (why, cure string) {
	if own := u.user(); own != "root" && own != "0" {
		if own == user {
			return "", ""
		}
		return "runs the daemon as the user " + own + " (User=), and only root's can run commands as another one: it does not start",
			"remove checkuser: the commands run as " + own
	}
	allowed := strings.Fields(u["CapabilityBoundingSet"])
	if slices.Contains(allowed, "cap_setuid") && slices.Contains(allowed, "cap_setgid") {
		return "", ""
	}
	cure = dropIn("CapabilityBoundingSet=CAP_SETUID CAP_SETGID CAP_KILL")
	if _, err := os.Stat(strictUsed); err == nil {
		cure = "rm " + strictUsed + " && systemctl daemon-reload: strict.conf is for files without commands"
	}
	return "may not run commands as another user (CapabilityBoundingSet=), and the daemon does not start", cure
}

// forbidsSetting is about a setting of the kernel below /proc/sys, "" for several; one that has
// its value is not written.
func (u sandbox) forbidsSetting(name, value string) (why, cure string) {
	if u["ProtectKernelTunables"] != "yes" || u.opens("/proc/sys/net") {
		return "", ""
	}
	what, so, by := "the kernel's settings", "the host is not set up", "ldirectord host director up as root"
	if name != "" {
		if text, err := os.ReadFile("/proc/sys/" + name); err == nil && strings.TrimSpace(string(text)) != "0" {
			return "", ""
		}
		what = strings.ReplaceAll(name, "/", ".")
		so, by = "addresses are not added", "sysctl -w "+what+"="+value+" at boot"
	}
	return "may not write " + what + " (ProtectKernelTunables=), and " + so, dropIn("ReadWritePaths=-/proc/sys/net") + ", or " + by
}

// ownDirectories are where the directories of a unit are, by their settings.
var ownDirectories = map[string]string{
	"CacheDirectory": "/var/cache", "LogsDirectory": "/var/log", "RuntimeDirectory": "/run", "StateDirectory": "/var/lib",
}

// opens reports whether ReadWritePaths has a path or a directory above, or the unit has that as its own.
func (u sandbox) opens(path string) bool {
	for setting, parent := range ownDirectories {
		for name := range strings.FieldsSeq(u[setting]) {
			if isBelow(path, filepath.Join(parent, name)) {
				return true
			}
		}
	}
	return slices.ContainsFunc(strings.Fields(u["ReadWritePaths"]), func(open string) bool {
		return isBelow(path, strings.TrimLeft(open, "-+"))
	})
}

// isBelow reports whether a path is a directory or below it.
func isBelow(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, "/")+"/")
}

// forbidsFile is about a file that the daemon reads, or writes.
func (u sandbox) forbidsFile(file string, writes bool) (why, cure string) {
	in := func(dirs ...string) bool {
		return slices.ContainsFunc(dirs, func(dir string) bool { return isBelow(file, dir) })
	}
	private, home := u["PrivateTmp"] == "yes" && in("/tmp", "/var/tmp"), u["ProtectHome"]
	reads := home == "yes" || home == "tmpfs" || home == "read-only" && writes && !u.opens(file)
	switch {
	case private:
		return "has directories /tmp and /var/tmp of its own (PrivateTmp=), and " + file + " is another file there", dropIn("PrivateTmp=no")
	case reads && in("/home", "/root", "/run/user"):
		return "closes " + file + " (ProtectHome=), and the daemon cannot open it", dropIn("ProtectHome=no")
	case writes && u["ProtectSystem"] == "strict" && !u.opens(file) && !in("/dev", "/proc", "/sys"):
		return "may not write " + file + " (ProtectSystem=strict), and the daemon cannot open it", dropIn("ReadWritePaths=" + filepath.Dir(file))
	}
	return "", ""
}

func (u sandbox) forbidsMailer() (why, cure string) {
	if u["NoNewPrivileges"] != "yes" {
		return "", ""
	}
	return "permits no set-user-ID or set-group-ID program (NoNewPrivileges=), and the local mailer may be one", "smtp = ADDRESS, or " + dropIn("NoNewPrivileges=no")
}

// unitAccount is the user of the installed unit for the configuration at path. It is zero for
// root's, and without one.
func unitAccount(path string) account.Account {
	unit := installedSandbox(path)
	if unit == nil || unit.user() == "root" {
		return account.Account{}
	}
	user, err := account.Lookup(unit.user())
	if err != nil { // a dynamic user that does not run
		return account.Account{}
	}
	return user
}

// mayRead reports whether a file can be read by its group for the user of the unit alone, by which
// that user reads it.
func mayRead(unit account.Account, file string) bool {
	info, err := os.Stat(file)
	if err != nil || unit.IsZero() || info.Mode().Perm()&0o004 != 0 {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && st.Gid == unit.GID
}
