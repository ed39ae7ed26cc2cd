package importer

import (
	"slices"
	"testing"
)

// TestDumpBeside has what "ldirectord save" writes before the table become directives.
func TestDumpBeside(t *testing.T) {
	const daemon = " --mcast-interface eth0 --syncid 7"
	for _, test := range []struct {
		name, dump string
		want       []string
		lost       int // lines that are left out
	}{
		{name: "both", dump: "--set 900 120 301\n--start-daemon master" + daemon + "\n--start-daemon backup" + daemon, want: []string{"ipvstimeouts = 900 120 301", "syncdaemon = both eth0 id 7"}},
		{name: "one", dump: "--start-daemon backup" + daemon + " --sync-maxlen 1472 --mcast-group 224.0.0.90 --mcast-port 8849", want: []string{"syncdaemon = backup eth0 id 7 group 224.0.0.90 port 8849 mtu 1500"}},
		{name: "IPv6", dump: "--start-daemon backup" + daemon + " --sync-maxlen 1452 --mcast-group ff02::1:81", want: []string{"syncdaemon = backup eth0 id 7 group ff02::1:81 mtu 1500"}},
		{name: "two that differ", dump: "--start-daemon master" + daemon + "\n--start-daemon backup --mcast-interface eth1 --syncid 7", want: []string{"syncdaemon = master eth0 id 7"}, lost: 1},
		{name: "of no use", dump: "--set 900 120\n--start-daemon master --syncid 7\n--start-daemon\n--start-daemon master" + daemon + " --sync-maxlen", lost: 4},
	} {
		t.Run(test.name, func(t *testing.T) {
			var lines []string
			left := 0
			for _, p := range fromDump(test.dump + "\n-A -t 10.0.0.1:80 -s rr\n") {
				lines = append(lines, p.lines...)
				left += len(p.notes)
			}
			if !slices.Equal(lines, test.want) || left != test.lost {
				t.Errorf("got %q and %d lines left out, want %q and %d", lines, left, test.want, test.lost)
			}
			if len(test.want) > 0 {
				r, err := Import(test.dump+"\n-A -t 10.0.0.1:80 -s rr\n", Source{})
				if err != nil {
					t.Fatal(err)
				}
				load(t, r.Config)
			}
		})
	}
}
