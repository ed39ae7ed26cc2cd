package lab

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// machineInit makes the mount, process, host name and IPC namespaces that it runs in those of a machine:
// a copy of all files that only it changes, with /run and /dev/shm of its own. Its arguments are the name
// and the directory for the changes.
const machineInit = `set -e
mount -t overlay -o "lowerdir=/,upperdir=$2/upper,workdir=$2/work" overlay "$2/root"
cd "$2/root"
mount --rbind /dev dev
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs dev/shm
mkdir run/lock
mount -t sysfs sysfs sys
mkdir -p lib/modules
mount --rbind /lib/modules lib/modules
pivot_root . mnt
mount -t proc proc /proc
umount -l /mnt
hostname "$1"
echo "127.0.0.1 localhost" >/etc/hosts
echo ready
exec </dev/null >/dev/null 2>&1
trap : TERM HUP INT
while :; do sleep 3600 & wait; done
`

// Machine makes a namespace a machine of its own, until the end of the test: Command runs in it, with
// processes and files that other namespaces do not see. The files of the test are there as they are now.
func (n *Net) Machine(ns string) {
	n.t.Helper()
	s, err := n.space(ns)
	n.check("making a machine", err)
	dir := filepath.Join("/run/machines", ns)
	for _, part := range []string{"upper", "work", "root"} {
		n.check("making a machine", os.MkdirAll(filepath.Join(dir, part), 0o755))
	}
	cmd := exec.CommandContext(n.t.Context(), "nsenter", "--net=/run/netns/"+ns, "--", "unshare", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child",
		"/bin/sh", "-c", machineInit, "sh", ns, dir)
	out, err := cmd.StdoutPipe()
	n.check("making a machine", err)
	var failure strings.Builder
	cmd.Stderr = &failure
	n.check("making a machine", cmd.Start())
	n.t.Cleanup(func() {
		_ = cmd.Wait() // killed with the test
		for end := time.Now().Add(turnOff); os.RemoveAll(dir) != nil && time.Now().Before(end); time.Sleep(pollTime) {
		}
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		_ = cmd.Wait()
		n.check("making a machine", fmt.Errorf("%q, %w\n%s", line, err, failure.String()))
	}
	pid, err := exec.Command("pgrep", "-P", fmt.Sprint(cmd.Process.Pid)).Output()
	n.check("finding the machine", err)
	s.machine = strings.TrimSpace(string(pid))
}

// pollTime is the time between two tries of what has to wait for other processes.
const pollTime = 20 * time.Millisecond

// WriteFile writes a file of a machine, and makes its directory.
func (n *Net) WriteFile(ns, path, text string, mode os.FileMode) {
	n.t.Helper()
	n.run(ns, text, "/bin/sh", "-c", `mkdir -p "${1%/*}" && cat >"$1" && chmod "$2" "$1"`, "sh", path, fmt.Sprintf("%o", mode))
}
