package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// A Package is a Debian package and a file of it; the package is needed where
// the file is missing. A pattern of path/filepath.Match serves, too.
type Package struct {
	Name string
	File string

	use use
}

// A use is the reason why a package is in the table.
type use int

const (
	forKernel use = iota // the tests on a kernel of their own
	forTests             // other tests
	forRace              // the race detector
	forLong              // make test-long
	forHA                // make test-ha
)

// packages is the one table of the Debian packages that tests and benchmarks
// use: the smallest that serve. "make setup" installs them at once, so that a
// test finds its own there.
var packages = []Package{
	{"user-mode-linux", installedKernel, forKernel},
	{"kmod", "/usr/bin/kmod", forKernel},
	{"procps", "/usr/sbin/sysctl", forKernel},
	{"iproute2", "/usr/bin/ip", forKernel},
	{"iptables", "/usr/sbin/iptables-legacy", forKernel},
	{"ipvsadm", "/usr/sbin/ipvsadm", forKernel},
	{"conntrack", "/usr/sbin/conntrack", forKernel},
	{"tcpdump", "/usr/bin/tcpdump", forKernel},
	{"curl", "/usr/bin/curl", forKernel},
	{"nginx", "/usr/sbin/nginx", forKernel},
	{"perl", "/usr/bin/perl", forKernel},
	{"python3", "/usr/lib/python3.*/http/server.py", forKernel},

	{"bird2", "/usr/sbin/bird", forTests},
	{"chromium-headless-shell", "/usr/bin/chromium-headless-shell", forTests},
	{"dovecot-imapd", "/usr/lib/dovecot/imap", forTests},
	{"dovecot-pop3d", "/usr/lib/dovecot/pop3", forTests},
	{"fish", "/usr/bin/fish", forTests},
	{"fonts-dejavu-core", "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", forTests},
	{"freeradius", "/usr/sbin/freeradius", forTests},
	{"kamailio", "/usr/sbin/kamailio", forTests},
	{"keepalived", "/usr/sbin/keepalived", forTests},
	{"ldirectord", "/usr/sbin/ldirectord", forTests},
	{"libcanlock3", "/usr/lib/*/libcanlock.so.3", forTests},
	{"libdb5.3", "/usr/lib/*/libdb-5.3.so", forTests},
	{"libexpat1", "/usr/lib/*/libexpat.so.1", forTests},
	{"libperl5.36", "/usr/lib/*/libperl.so.5.36", forTests},
	{"libpython3.11", "/usr/lib/*/libpython3.11.so.1.0", forTests},
	{"libsasl2-2", "/usr/lib/*/libsasl2.so.2", forTests},
	{"libwww-perl", "/usr/share/perl5/LWP.pm", forTests},
	{"logrotate", "/usr/sbin/logrotate", forTests},
	{"mandoc", "/usr/bin/mandoc", forTests},
	{"mariadb-client-core", "/usr/bin/my_print_defaults", forTests}, // for mariadb-install-db
	{"mariadb-server-core", "/usr/sbin/mariadbd", forTests},
	{"openssh-server", "/usr/sbin/sshd", forTests},
	{"openssl", "/usr/bin/openssl", forTests},
	{"memcached", "/usr/bin/memcached", forTests},
	{"nftables", "/usr/sbin/nft", forTests},
	{"postfix", "/usr/lib/postfix/sbin/master", forTests},
	{"postgresql-15", "/usr/lib/postgresql/15/bin/postgres", forTests},
	{"prometheus", "/usr/bin/prometheus", forTests},
	{"redis-tools", "/usr/bin/redis-check-rdb", forTests},
	{"slapd", "/usr/sbin/slapd", forTests},
	{"systemd", "/usr/bin/systemd-analyze", forTests},
	{"tinyproxy-bin", "/usr/bin/tinyproxy", forTests},
	{"unbound", "/usr/sbin/unbound", forTests},
	{"vsftpd", "/usr/sbin/vsftpd", forTests},
	{"xinetd", "/usr/sbin/xinetd", forTests},
	{"zsh", "/usr/bin/zsh", forTests},

	{"gcc", "/usr/bin/gcc", forRace},
	{"libc6-dev", "/usr/include/stdio.h", forRace},

	{"cpio", "/usr/bin/cpio", forLong},
	{"lintian", "/usr/bin/lintian", forLong},
	{"resource-agents", "/usr/lib/ocf/lib/heartbeat/ocf-shellfuncs", forLong},
	{"rpm", "/usr/bin/rpm", forLong},
	{"rpmlint", "/usr/bin/rpmlint", forLong},

	{"corosync", "/usr/sbin/corosync", forHA},
	{"frr", "/usr/lib/frr/bgpd", forHA},
	{"gobgpd", "/usr/bin/gobgpd", forHA},
	{"pacemaker", "/usr/sbin/pacemakerd", forHA},
	{"pacemaker-cli-utils", "/usr/sbin/cibadmin", forHA},
}

// KernelPackages are the packages of the tests on a kernel of their own.
func KernelPackages() []Package { return usedFor(forKernel) }

// TestPackages are the packages of all tests.
func TestPackages() []Package { return usedFor(forKernel, forTests) }

// RacePackages are the packages of the race detector.
func RacePackages() []Package { return usedFor(forRace) }

func usedFor(uses ...use) (list []Package) {
	for _, p := range packages {
		if slices.Contains(uses, p.use) {
			list = append(list, p)
		}
	}
	return list
}

// named returns the rows of the table with these names.
func named(names []string) (list []Package, err error) {
	for _, name := range names {
		i := slices.IndexFunc(packages, func(p Package) bool { return p.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("the table in internal/lab/packages.go has no package %s", name)
		}
		list = append(list, packages[i])
	}
	return list, nil
}

// missing returns the names of those packages whose file is not there.
func missing(packages []Package) []string {
	var names []string
	for _, p := range packages {
		files, _ := filepath.Glob(p.File)
		if len(files) == 0 {
			names = append(names, p.Name)
			continue
		}
		if _, err := os.Stat(files[0]); err != nil { // a link to nothing
			names = append(names, p.Name)
		}
	}
	return names
}
