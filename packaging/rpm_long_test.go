//go:build long

package packaging

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// rpmRoot makes a directory with enough of a system for scriptlets: a shell, and a
// systemctl that records its arguments.
const rpmRoot = `
set -e
mkdir -p "$1/bin" "$1/run/systemd/system"
cp /bin/dash "$1/bin/sh"
ldd /bin/dash | grep -o '/[^ ]*' | while read -r file; do mkdir -p "$1${file%/*}"; cp -L "$file" "$1$file"; done
printf '#!/bin/sh\necho "$@" >>/calls\n[ "$1" != show ] || echo 0\n' >"$1/bin/systemctl"
chmod 755 "$1/bin/systemctl"
rpm --root "$1" --initdb
`

// testRPMRoot installs, upgrades and removes the package below a directory: there is no
// distribution with rpm to try it on.
func testRPMRoot(t *testing.T, rpm string) {
	root := t.TempDir()
	output(t, "sh", "-c", rpmRoot, "sh", root)
	config := filepath.Join(root, "etc/ha.d/ldirectord.cf")
	const edited = "checkinterval = 3\n"
	for _, step := range []struct {
		name  string
		args  []string
		calls string
		check func()
	}{
		{
			"installation",
			[]string{"-i", rpm},
			"daemon-reload\n--no-reload preset ldirectord.service\ndaemon-reload\ntry-restart ldirectord.service\n", func() {
				for _, file := range []string{"usr/sbin/ldirectord", "usr/lib/systemd/system/ldirectord.service", "usr/lib/ocf/resource.d/heartbeat/ldirectord"} {
					if _, err := os.Stat(filepath.Join(root, file)); err != nil {
						t.Error(err)
					}
				}
				if err := os.WriteFile(config, []byte(edited), 0o644); err != nil {
					t.Fatal(err)
				}
			},
		},
		{
			"upgrade",
			[]string{"-U", "--force", rpm},
			"daemon-reload\ndaemon-reload\ndaemon-reload\ntry-restart ldirectord.service\n", func() {
				if text, err := os.ReadFile(config); err != nil || string(text) != edited {
					t.Errorf("after an upgrade the edited ldirectord.cf is %q, %v", text, err)
				}
			},
		},
		{
			"removal",
			[]string{"-e", "ldirectord"},
			"show --property=MainPID --value ldirectord.service\n--no-reload disable --now ldirectord.service\ndaemon-reload\n", func() {
				if text, err := os.ReadFile(config + ".rpmsave"); err != nil || string(text) != edited {
					t.Errorf("after a removal the edited ldirectord.cf is kept as %q, %v", text, err)
				}
			},
		},
	} {
		calls := filepath.Join(root, "calls")
		if err := os.WriteFile(calls, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		output(t, "rpm", append([]string{"--root", root, "--force-debian", "--nodeps", "--nosignature"}, step.args...)...)
		got, err := os.ReadFile(calls)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.calls, string(got)); diff != "" {
			t.Errorf("%s: systemctl is called for (-want +got):\n%s", step.name, diff)
		}
		step.check()
	}
}
