package director

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/ipvs"
)

// Each certificate of a real server that ends soon is reported once a day; checks of one address
// meet the same certificate.
func TestEachCertificateIsReported(t *testing.T) {
	const text = "checkinterval=10\nsslexpirywarn=14\ncheck=app\n    service=https\n    checkport=8443\n" +
		"check=path\n    service=https\n    checkport=443\n    request=\"other\"\nvirtual=10.0.0.1:443\n    service=https\n    real=10.1.0.1:443 masq\n"
	const also = "    alsocheck=path\n    alsocheck=app\n"
	synctest.Test(t, func(t *testing.T) {
		l := goLive(t, ipvs.NewMemory(), text+also)
		defer l.end()
		time.Sleep(time.Second)
		synctest.Wait()
		soon := time.Now().Add(10 * 24 * time.Hour)
		for _, c := range l.d.checks.List {
			ends := soon
			if c.At.Port() == 8443 {
				ends = soon.Add(time.Hour)
			}
			c.Expires(ends)
		}
		line := func(check, at string) string {
			return "Warning: the certificate of 10.1.0.1:443 (tcp:10.0.0.1:443)" + check + " ends " + at
		}
		own, app := soon.UTC().Format("2006-01-02 15:04 MST"), soon.Add(time.Hour).UTC().Format("2006-01-02 15:04 MST")
		both := []string{line(", check app,", app), line(", check own,", own)}
		reported := func(when string, want []string) {
			t.Helper()
			var got []string
			for s := range strings.SplitSeq(l.logged(), "\n") {
				if strings.HasPrefix(s, "Warning: the cert") {
					got = append(got, strings.Replace(s, "check path,", "check own,", 1)) // whichever is first
				}
			}
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", when, diff)
			}
		}
		time.Sleep(12 * time.Hour)
		reported("the first day", both)
		l.reload(text + also)
		time.Sleep(10 * time.Hour)
		reported("the same day, after a reload", nil)
		time.Sleep(12 * time.Hour)
		reported("the second day", both)
		l.reload(text)
		time.Sleep(12 * time.Hour)
		reported("one check is left, which was reported", nil)
		time.Sleep(24 * time.Hour)
		reported("the third day", []string{line("", own)})
	})
}
