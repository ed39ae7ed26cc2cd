package daemon

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/ldirectord/ldirectord/conf"
)

// TestDirectories has options, variables of systemd, and variables of another unit.
func TestDirectories(t *testing.T) {
	usual := Directories{PIDs: "/r", Run: "/r/ldirectord", State: "/s", usualPIDs: "/r", usualRun: "/r/ldirectord"}
	unit := map[string]string{"RUNTIME_DIRECTORY": "/run/ldirectord:/run/more", "STATE_DIRECTORY": "/var/lib/l", "LOGS_DIRECTORY": "/var/log/l"}
	ofUnit := Directories{
		PIDs: "/run/ldirectord", Run: "/run/ldirectord", State: "/var/lib/l", Logs: "/var/log/l", usualPIDs: "/r", usualRun: "/r/ldirectord",
		options: []string{"--rundir=/run/ldirectord", "--statedir=/var/lib/l", "--logdir=/var/log/l"},
	}
	withOption := ofUnit
	withOption.PIDs, withOption.Run = "/x", "/x"
	withOption.options = []string{"--rundir=/x", "--statedir=/var/lib/l", "--logdir=/var/log/l"}
	for name, tt := range map[string]struct {
		options Wanted
		env     map[string]string
		exec    string // SYSTEMD_EXEC_PID
		want    Directories
	}{
		"nothing":                      {want: usual},
		"a unit":                       {env: unit, exec: strconv.Itoa(os.Getpid()), want: ofUnit},
		"a shell of a unit":            {env: unit, exec: strconv.Itoa(os.Getppid()), want: ofUnit},
		"a unit of an older systemd":   {env: unit, want: ofUnit},
		"the unit of another program":  {env: unit, exec: "1", want: usual},
		"an option counts before":      {options: Wanted{Run: "/x"}, env: unit, want: withOption},
		"an option in another unit":    {options: Wanted{Logs: "/x"}, env: unit, exec: "1", want: Directories{PIDs: "/r", Run: "/r/ldirectord", State: "/s", Logs: "/x", usualPIDs: "/r", usualRun: "/r/ldirectord", options: []string{"--logdir=/x"}}},
		"an option of the usual place": {options: Wanted{State: "/s"}, want: Directories{PIDs: "/r", Run: "/r/ldirectord", State: "/s", usualPIDs: "/r", usualRun: "/r/ldirectord", options: []string{"--statedir=/s"}}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, variable := range []string{"RUNTIME_DIRECTORY", "STATE_DIRECTORY", "LOGS_DIRECTORY"} {
				t.Setenv(variable, tt.env[variable])
			}
			t.Setenv("SYSTEMD_EXEC_PID", tt.exec)
			got, err := FindDirectories("/r", "/s", tt.options)
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(Directories{})); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

// TestStartWithAFIFOAsLog does not wait for a reader of the FIFO.
func TestStartWithAFIFOAsLog(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "log")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "t.cf")
	write(t, file, "logfile=\""+fifo+"\"\nvirtual=10.0.0.1:80\n\treal=10.1.0.1:80 masq\n")
	if _, err := conf.Load(file, Directories{}.ConfigOptions()); err == nil || !strings.Contains(err.Error(), "unable to open logfile") {
		t.Errorf("error is %v", err)
	}
	if err := keepCrashes(fifo); err == nil {
		t.Error("crashes would be kept in a FIFO that no process reads")
	}
}
