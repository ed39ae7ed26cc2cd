package director

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/ipvs"
)

const commandedFile = `checkinterval=5
cleanstop=no
virtual=10.0.0.1:80
    scheduler=rr
    real=10.1.0.1:80 masq 2
    fallbackcommand="/usr/local/sbin/fallback"
    service=http
`

// What a fallback command has put into the table stays while it is in charge:
// a reload, and a restart, write nothing. When a real server is back the command
// takes it away; if it does not, the next reload purges it.
func TestFallbackCommandsEntriesStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := ipvs.NewMemory()
		apply := func(words string) {
			t.Helper()
			if err := table.Apply(parseIpvsadm(t, strings.Fields(words))); err != nil {
				t.Fatal(err)
			}
		}
		l := goLive(t, table, commandedFile)
		time.Sleep(time.Minute)
		l.set(true, "10.1.0.1:80")
		apply("-a -t 10.0.0.1:80 -r 10.1.0.7:80 -m -w 5")
		time.Sleep(time.Minute)
		before, writes := saved(t, table), table.Writes()
		same := func(after string) {
			t.Helper()
			if diff := cmp.Diff(before, saved(t, table)); diff != "" || table.Writes() != writes {
				t.Errorf("%s: %d writes, the table (-want +got):\n%s", after, table.Writes()-writes, diff)
			}
		}
		l.reload(commandedFile)
		same("after a reload")
		time.Sleep(time.Minute)
		same("after a while")
		l.end()
		same("after the end")
		l = goLive(t, table, commandedFile, "10.1.0.1:80")
		defer func() { l.end() }()
		time.Sleep(time.Minute)
		same("after a restart")
		l.set(false, "10.1.0.1:80")
		time.Sleep(time.Second)
		if got, want := destinations(saved(t, table)), "10.1.0.1:80 -w 2, 10.1.0.7:80 -w 5"; got != want {
			t.Errorf("destinations %q, want %q: the command takes its own away", got, want)
		}
		l.reload(commandedFile)
		if got, want := destinations(saved(t, table)), "10.1.0.1:80 -w 2"; got != want {
			t.Errorf("destinations after a reload %q, want %q", got, want)
		}
	})
}

// The last real server in service leaves the file while a fallback command is
// configured: it is not the command's, and gets no more traffic.
func TestFallbackCommandKeepsNoRealServer(t *testing.T) {
	for _, fallback := range []string{"", "    fallback=127.0.0.1:80 masq\n"} {
		synctest.Test(t, func(t *testing.T) {
			table := ipvs.NewMemory()
			l := goLive(t, table, commandedFile+"    real=10.1.0.2:80 masq 3\n"+fallback, "10.1.0.1:80")
			defer func() { l.end() }()
			time.Sleep(time.Minute)
			if got, want := destinations(saved(t, table)), "10.1.0.2:80 -w 3"; got != want {
				t.Fatalf("destinations %q, want %q", got, want)
			}
			l.reload(commandedFile)
			time.Sleep(time.Minute)
			if got := destinations(saved(t, table)); got != "" {
				t.Errorf("destinations after a reload without the real server: %q", got)
			}
		})
	}
}

// A real server that is up, and refused by the kernel, is not in service: the
// fallback command is in charge, and its entries of the table stay.
func TestFallbackCommandBesideARefusedRealServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := ipvs.NewMemory()
		refused := strings.Replace(commandedFile, "masq 2", "masq 2 l:5", 1)
		l := goLive(t, table, refused)
		defer func() { l.end() }()
		time.Sleep(time.Minute)
		for _, words := range []string{"-a -t 10.0.0.1:80 -r 10.1.0.7:80 -m -w 5", "-a -t 10.0.0.1:80 -r 10.1.0.8:80 -m -w 6"} {
			if err := table.Apply(parseIpvsadm(t, strings.Fields(words))); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		l.reload(refused)
		time.Sleep(time.Minute)
		if got, want := destinations(saved(t, table)), "10.1.0.7:80 -w 5, 10.1.0.8:80 -w 6"; got != want {
			t.Errorf("destinations after a reload %q, want %q", got, want)
		}
		l.reload(commandedFile)
		time.Sleep(time.Minute)
		l.reload(commandedFile)
		if got, want := destinations(saved(t, table)), "10.1.0.1:80 -w 2"; got != want {
			t.Errorf("destinations when the real server is in service %q, want %q", got, want)
		}
	})
}

// What a reload was to delete, and what waited for its successor, is not the
// command's when a later reload puts that in charge.
func TestFallbackCommandKeepsNothingThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := ipvs.NewMemory()
		uncommanded := strings.Replace(commandedFile, "    fallbackcommand=\"/usr/local/sbin/fallback\"\n", "", 1)
		refused := strings.Replace(uncommanded, "masq 2", "masq 2 l:5", 1)
		l := goLive(t, table, refused)
		defer func() { l.end() }()
		time.Sleep(time.Minute)
		if err := table.Apply(parseIpvsadm(t, strings.Fields("-a -t 10.0.0.1:80 -r 10.1.0.7:80 -m -w 5"))); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		l.reload(refused)
		if got, want := destinations(saved(t, table)), "10.1.0.7:80 -w 5"; got != want {
			t.Fatalf("destinations while the real server is refused %q, want %q", got, want)
		}
		l.set(true, "10.1.0.2:80")
		l.reload(strings.Replace(commandedFile, "10.1.0.1:80", "10.1.0.2:80", 1))
		time.Sleep(time.Minute)
		if got := destinations(saved(t, table)); got != "" {
			t.Errorf("destinations after a reload with a dead real server and a command: %q", got)
		}
	})
}

// An operator gives the last real server in service weight 0: the fallback command is not
// in charge, so that a reload purges what is in no file, and the next one has nothing to
// write.
func TestFallbackCommandKeepsNothingBesideAnOperatorsWeight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := ipvs.NewMemory()
		l := goLive(t, table, commandedFile)
		defer func() { l.end() }()
		time.Sleep(time.Minute)
		for _, words := range []string{"-e -t 10.0.0.1:80 -r 10.1.0.1:80 -m -w 0", "-a -t 10.0.0.1:80 -r 10.1.0.7:80 -m -w 5"} {
			if err := table.Apply(parseIpvsadm(t, strings.Fields(words))); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		l.reload(commandedFile)
		if got, want := destinations(saved(t, table)), "10.1.0.1:80 -w 2"; got != want {
			t.Errorf("destinations after a reload %q, want %q", got, want)
		}
		writes := table.Writes()
		l.reload(commandedFile)
		if more := table.Writes() - writes; more > 0 {
			t.Errorf("%d writes at a reload of the same file", more)
		}
	})
}
