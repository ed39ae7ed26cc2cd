package director

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/ipvs"
)

const quorumFile = "checkinterval=1\ndriftcheck=1\nvirtual=10.0.0.1:80\n    real=10.1.0.1:80 masq 2\n    real=10.1.0.2:80 masq 3\n    real=10.1.0.3:80 masq 4\n    service=http\n    quorum=2\n    fallback=127.0.0.1:80 masq\n"

// While the kernel refuses the fallback those that are up stay in service without a quorum, as without a
// fallback; they leave when it is in.
func TestQuorumWithRefusedFallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &picky{Memory: ipvs.NewMemory()}
		l := goLive(t, p, quorumFile)
		defer func() { l.end() }()
		time.Sleep(5 * time.Second)
		p.refuse("-a -t 10.0.0.1:80 -r 127.0.0.1:80")
		l.set(true, "10.1.0.1:80")
		l.set(true, "10.1.0.2:80")
		time.Sleep(10 * time.Second)
		if got, want := destinations(saved(t, p)), "10.1.0.3:80 -w 4"; got != want {
			t.Errorf("while the fallback is refused %q, want %q", got, want)
		}
		p.refuse("nothing")
		time.Sleep(10 * time.Second)
		if got, want := destinations(saved(t, p)), "127.0.0.1:80 -w 1"; got != want {
			t.Errorf("when it is taken %q, want %q", got, want)
		}
	})
}

// A server that is up below the quorum is neither down nor gone, and every reader says why it is out.
func TestQuorumIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := goLive(t, ipvs.NewMemory(), quorumFile+"    backup=10.2.0.1:80 masq\n")
		defer func() { l.end() }()
		time.Sleep(5 * time.Second)
		of := func(name string) (report.RealState, report.Reason, *report.VirtualState) {
			snap, err := l.d.Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			reasons, err := l.d.Why(t.Context(), name, "")
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range snap.Virtuals[0].Reals {
				if r.Name == name {
					return r, reasons[0], &snap.Virtuals[0]
				}
			}
			t.Fatalf("no %s", name)
			return report.RealState{}, report.Reason{}, nil
		}
		r, why, v := of("10.2.0.1:80")
		if !r.Backup || !r.Up || r.State != report.StateUp || r.OutReason != "backup" || why.Code != report.ReasonBackup || v.Quorum.State != report.QuorumMet {
			t.Errorf("the backup server is %+v, because %q; the quorum is %+v", r, why.Because, v.Quorum)
		}
		l.set(true, "10.1.0.1:80")
		l.set(true, "10.1.0.2:80")
		time.Sleep(10 * time.Second)
		r, why, v = of("10.1.0.3:80")
		if !r.Up || r.State != report.StateUp || r.InService || r.OutReason != "quorum" || r.Wanted != 0 || why.Code != report.ReasonQuorum || !strings.Contains(why.Because, "the quorum is 2") {
			t.Errorf("the one that is up is %+v, because %q", r, why.Because)
		}
		if v.Quorum.State != report.QuorumLost || v.Quorum.Up != 1 || v.Quorum.Needed != 2 || !v.FallbackIn || v.In != 0 {
			t.Errorf("the quorum is %+v, the fallback is in: %v, in service: %d", v.Quorum, v.FallbackIn, v.In)
		}
	})
}

// A reload with another quorum decides at that quorum, without the hysteresis, although as many are needed as before
// of other real servers.
func TestQuorumOfAnotherFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const head = "checkinterval=1\nvirtual=10.0.0.1:80\n    service=http\n    hysteresis=1\n    fallback=127.0.0.1:80 masq\n"
		f := &flapper{t: t, table: ipvs.NewMemory(), broken: map[string]bool{"2": true, "3": true}, text: head + "    quorum=2\n    real=10.1.0.3:80 masq\n"}
		f.begin()
		defer func() { f.end() }()
		f.has("127.0.0.1=1")
		f.reload(head + "    quorum=1\n    real=10.1.0.1:80 masq\n    real=10.1.0.2:80 masq\n    real=10.1.0.3:80 masq\n")
		time.Sleep(5 * time.Second)
		f.has("1=1")
	})
}
