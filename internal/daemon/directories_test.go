package daemon

import (
	"os"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDirectories has options, variables of systemd, and variables of another unit.
func TestDirectories(t *testing.T) {
	usual := directories{pids: "/r", run: "/r/ldirectord", state: "/s", usualPids: "/r", usualRun: "/r/ldirectord"}
	unit := map[string]string{"RUNTIME_DIRECTORY": "/run/ldirectord:/run/more", "STATE_DIRECTORY": "/var/lib/l", "LOGS_DIRECTORY": "/var/log/l"}
	ofUnit := directories{
		pids: "/run/ldirectord", run: "/run/ldirectord", state: "/var/lib/l", logs: "/var/log/l", usualPids: "/r", usualRun: "/r/ldirectord",
		options: []string{"--rundir=/run/ldirectord", "--statedir=/var/lib/l", "--logdir=/var/log/l"},
	}
	withOption := ofUnit
	withOption.pids, withOption.run = "/x", "/x"
	withOption.options = []string{"--rundir=/x", "--statedir=/var/lib/l", "--logdir=/var/log/l"}
	for name, tt := range map[string]struct {
		inv  invocation
		env  map[string]string
		exec string // SYSTEMD_EXEC_PID
		want directories
	}{
		"nothing":                      {want: usual},
		"a unit":                       {env: unit, exec: strconv.Itoa(os.Getpid()), want: ofUnit},
		"a shell of a unit":            {env: unit, exec: strconv.Itoa(os.Getppid()), want: ofUnit},
		"a unit of an older systemd":   {env: unit, want: ofUnit},
		"the unit of another program":  {env: unit, exec: "1", want: usual},
		"an option counts before":      {inv: invocation{runDir: "/x"}, env: unit, want: withOption},
		"an option in another unit":    {inv: invocation{logDir: "/x"}, env: unit, exec: "1", want: directories{pids: "/r", run: "/r/ldirectord", state: "/s", logs: "/x", usualPids: "/r", usualRun: "/r/ldirectord", options: []string{"--logdir=/x"}}},
		"an option of the usual place": {inv: invocation{stateDir: "/s"}, want: directories{pids: "/r", run: "/r/ldirectord", state: "/s", usualPids: "/r", usualRun: "/r/ldirectord", options: []string{"--statedir=/s"}}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, variable := range []string{"RUNTIME_DIRECTORY", "STATE_DIRECTORY", "LOGS_DIRECTORY"} {
				t.Setenv(variable, tt.env[variable])
			}
			t.Setenv("SYSTEMD_EXEC_PID", tt.exec)
			got, err := (&Env{RunDir: "/r", StateDir: "/s"}).ownDirectories(tt.inv)
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(directories{})); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}
