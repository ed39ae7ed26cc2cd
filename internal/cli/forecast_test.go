package cli

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/conf"
)

// TestOutlookLines is the table of check --explain.
func TestOutlookLines(t *testing.T) {
	for name, tt := range map[string]struct{ file, want string }{
		"plain": {"real=10.1.0.1->10.1.0.2:80 gate\n", "0 2 real servers|1 1 real server|2 none"},
		"quorum and backup": {
			"real=10.1.0.1->10.1.0.4:80 gate\n backup=10.2.0.1:80 gate\n quorum=2\n minalive=3\n backupbelow=1\n fallback=127.0.0.1:80\n",
			"0 4 real servers|1 3 real servers|2 3 real servers, 1 of them dead and kept (minalive)|3 the fallback (1 up and out of service: below the quorum)|4 the fallback|4+1 the fallback",
		},
		"many": {
			"real=10.1.0.1->10.1.0.40:80 gate\n quorum=30%\n fallback=127.0.0.1:80\n",
			"0-28 40-12 real servers|29-39 the fallback (11-1 up and out of service: below the quorum)|40 the fallback",
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := conf.Parse("t.cf", []byte("virtual=10.0.0.1:80\n    service=http\n    "+strings.ReplaceAll(tt.file, "\n ", "\n    ")), conf.Options{Hostname: "director"})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, line := range outlookLines(cfg.Virtuals[0])[1:] {
				got = append(got, strings.Join(strings.Fields(line), " "))
			}
			if diff := cmp.Diff(strings.Split(tt.want, "|"), got); diff != "" {
				t.Errorf("the table (-want +got):\n%s", diff)
			}
		})
	}
}

// TestJointWordsWithoutQuorum is that a quorumcommand is not shown where it is never run.
func TestJointWordsWithoutQuorum(t *testing.T) {
	cfg, err := conf.Parse("t.cf", []byte("quorum=1\nquorumcommand=/bin/true\nvirtual=10.0.0.1:80\n    real=10.1.0.1:80 gate\n\nvirtual=10.0.0.2:80\n    real=10.1.0.1:80 gate\n    quorum=0\n"), conf.Options{Hostname: "director"})
	if err != nil {
		t.Fatal(err)
	}
	got := []string{jointWords(cfg.Virtuals[0]), jointWords(cfg.Virtuals[1])}
	if diff := cmp.Diff([]string{"the quorum is 1 of 1; run /bin/true", ""}, got); diff != "" {
		t.Errorf("what check --explain says of the servers together (-want +got):\n%s", diff)
	}
}
