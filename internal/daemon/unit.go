package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/internal/command"
)

// systemctlTime bounds a request to systemd.
const systemctlTime = 5 * time.Second

// refuseUnit returns why command, stop or a restart, may not end process pid: systemd
// would take its end for the end of the unit, and run the unit's ExecStop against the
// daemon that replaces it. A command of the unit itself (ExecStop) may end the process.
// Any command may where the process is not the main process of the unit: the unit of a
// cluster manager or of cron goes on without it.
func refuseUnit(pid int, command string) error {
	group := unitGroup(readGroup(strconv.Itoa(pid)))
	if group == "" || within(readGroup("self"), group) {
		return nil
	}
	unit, options := path.Base(group), []string{}
	if strings.Contains(path.Dir(group), "/user@") {
		options = []string{"--user"}
	}
	main, err := mainPID(unit, options)
	if err == nil && main != pid {
		return nil
	}
	systemctl := strings.Join(append([]string{"systemctl"}, options...), " ")
	cure := systemctl + " stop " + unit
	if command != "stop" {
		cure = fmt.Sprintf("%s daemon-reload && %[1]s %s %s", systemctl, command, unit)
	}
	role := "is run"
	if err != nil { // a busy systemd: the end of the process could not be undone
		role = "may be run"
	}
	return &Exit{
		Status: ExitFailed,
		Text:   fmt.Sprintf("process %d %s by systemd as %s, which would act on its end; use: %s", pid, role, unit, cure),
		Log:    fmt.Sprintf("process %d %s by systemd as %s", pid, role, unit),
	}
}

// readGroup is the control group of a process within systemd's hierarchy, "" if it
// cannot be read.
func readGroup(process string) string {
	text, err := os.ReadFile("/proc/" + process + "/cgroup")
	if err != nil {
		return ""
	}
	return systemdGroup(string(text))
}

// systemdGroup finds systemd's hierarchy in the text of /proc/PID/cgroup; see
// cgroups(7).
func systemdGroup(text string) string {
	for line := range strings.Lines(text) {
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(fields) == 3 && (fields[1] == "name=systemd" || fields[0] == "0" && fields[1] == "") && fields[2] != "/" {
			return fields[2]
		}
	}
	return ""
}

// unitGroup is the control group of the service that group belongs to, "" if it
// belongs to none.
func unitGroup(group string) string {
	for g := group; strings.Contains(g, "/"); g = g[:strings.LastIndexByte(g, '/')] {
		if strings.HasSuffix(g, ".service") {
			return g
		}
	}
	return ""
}

// within reports whether a control group is outer or below it.
func within(group, outer string) bool {
	return group == outer || strings.HasPrefix(group, outer+"/")
}

// mainPID is the main process of a unit, 0 if there is none or no systemd. An error is a
// systemd that does not answer.
func mainPID(unit string, options []string) (int, error) {
	_, noSystemd := os.Stat("/run/systemd/system")
	systemctl, noSystemctl := exec.LookPath("systemctl")
	if errors.Join(noSystemd, noSystemctl) != nil {
		return 0, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), systemctlTime)
	defer cancel()
	args := append(options, "show", "--property=MainPID", "--value", unit)
	result, err := command.Run(ctx, command.Command{Path: systemctl, Args: args})
	if err != nil {
		return 0, err
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(result.Output)))
	return pid, nil
}
