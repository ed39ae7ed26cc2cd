package policy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/conf"
)

// TestAdviceOfBackupBelow: check warns of a backupbelow exactly where backup servers could spare the
// fallback a loss of the quorum, and of backup servers that never come in exactly where they do not.
func TestAdviceOfBackupBelow(t *testing.T) {
	warned := 0
	for reals := 1; reals <= 4; reals++ {
		for backups := 1; backups <= 3; backups++ {
			for quorum := 1; quorum <= 4; quorum++ {
				for below := 1; below <= 4; below++ {
					for _, rest := range []string{"leave", "keep"} {
						v, warnings := adviceOn(t, reals, backups, quorum, below, rest)
						fallbacks, in := comes(v)
						better := *v
						better.BackupBelow = max(below, v.Quorum.Of(reals))
						spared, _ := comes(&better)
						const always = "backup servers are needed at any time"
						name := fmt.Sprintf("%d reals, %d backups, quorum %d, backupbelow %d, quorumrest %s", reals, backups, quorum, below, rest)
						if want := below > reals; strings.Contains(warnings, always) != want {
							t.Errorf("%s: warnings %q, want that they are needed at any time: %v", name, warnings, want)
						}
						warnings = strings.ReplaceAll(warnings, always, "")
						if want := spared < fallbacks && rest == "leave"; strings.Contains(warnings, "backup server") != want {
							t.Errorf("%s: warnings %q, want one about backup servers: %v", name, warnings, want)
						}
						if want := !in && rest == "leave" && spared < fallbacks; strings.Contains(warnings, "never in service") != want {
							t.Errorf("%s: warnings %q, want that they are never in service: %v", name, warnings, want)
						}
						if strings.Contains(warnings, "backup server") {
							warned++
						}
					}
				}
			}
		}
	}
	if warned == 0 {
		t.Error("no combination has a warning")
	}
}

// comes returns how often the fallback is in while real servers die, and whether backup servers ever are.
func comes(v *conf.VirtualService) (fallbacks int, in bool) {
	for _, o := range Forecast(v) {
		if o.DeadBackups > 0 {
			continue
		}
		if o.Fallback {
			fallbacks++
		}
		in = in || o.Backups > 0
	}
	return fallbacks, in
}

func adviceOn(t *testing.T, reals, backups, quorum, below int, rest string) (v *conf.VirtualService, warnings string) {
	t.Helper()
	text := fmt.Sprintf("virtual=10.0.0.1:80\n\treal=10.1.0.1->10.1.0.%d:80 masq\n\tbackup=10.2.0.1->10.2.0.%d:80 masq\n\tfallback=127.0.0.1\n\tquorum=%d\n\tbackupbelow=%d\n\tquorumrest=%s\n",
		reals, backups, quorum, below, rest)
	cfg, problems := conf.CheckFile("t.cf", []byte(text), conf.Options{})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, p := range problems {
		list = append(list, p.Text)
	}
	return cfg.Virtuals[0], strings.Join(list, "\n")
}
