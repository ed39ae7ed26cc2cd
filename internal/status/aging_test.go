package status

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/eventually"
	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestCertificateAges has a certificate of 90 days, whose renewal fails, end: the faults of the daemon,
// and what check and the doctor say of the files.
func TestCertificateAges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file, key := t.TempDir()+"/c.pem", t.TempDir()+"/k.pem"
		var changes int
		changed := func(path string) {
			changes++
			at := time.Unix(int64(changes), 0) // the clock of files is not that of the test
			if err := os.Chtimes(path, at, at); err != nil {
				t.Fatal(err)
			}
		}
		write := func(serial int64) {
			writeCertificateFor(t, file, serial, 90*day)
			text, err := os.ReadFile(file)
			if err == nil {
				err = os.WriteFile(key, text, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			changed(file)
			changed(key)
		}
		begin := time.Now()
		first := begin.Add(90 * day).Local().Format("2006-01-02 15:04")
		write(1)
		c := newCertificate(file, key)
		expect := func(days int, faults, checked string) {
			t.Helper()
			time.Sleep(max(time.Until(begin.Add(time.Duration(days)*day+time.Hour)), certificateAge))
			var got []string
			for _, f := range c.faults("ADDR") {
				got = append(got, f.String())
			}
			if diff := cmp.Diff(faults, strings.Join(got, "\n")); diff != "" {
				t.Errorf("day %d, faults (-want +got):\n%s", days, diff)
			}
			text := ""
			if err := CheckCertificate(file, key); err != nil {
				text = err.Error()
			}
			if diff := cmp.Diff(checked, text); diff != "" {
				t.Errorf("day %d, check (-want +got):\n%s", days, diff)
			}
		}
		const unused = "the last certificate of ADDR is used, not the renewed one: statuscert: "
		const mismatch = "tls: private key does not match public key"
		expect(1, "", "")
		expect(70, "", "")
		expect(76, "", "the certificate of statuscert ends in 13 days, on "+first+", and clients refuse it then")
		expect(89, "", "the certificate of statuscert ends in 23 hours, on "+first+", and clients refuse it then")

		writeCertificateFor(t, file, 2, 90*day) // and the key is forgotten
		changed(file)
		expect(89, unused+mismatch, "statuslisten cannot speak TLS: statuscert: "+mismatch)
		expect(90, unused+mismatch+"\nclients refuse the certificate of ADDR: statuscert: it has ended on "+first, "statuslisten cannot speak TLS: statuscert: "+mismatch)
		if err := os.Rename(key, key+".away"); err != nil {
			t.Fatal(err)
		}
		expect(91, unused+"open "+key+": no such file or directory\nclients refuse the certificate of ADDR: statuscert: it has ended on "+first,
			"statuslisten cannot speak TLS: statuscert: open "+key+": no such file or directory")
		write(3)
		third := time.Now().Add(90 * day).Local().Format("2006-01-02 15:04")
		expect(92, "", "")
		expect(200, "clients refuse the certificate of ADDR: statuscert: it has ended on "+third, "the certificate of statuscert has ended on "+third+", and clients refuse it")
	})
}

// TestAuthoritiesAge has the authorities of other directors end: one that is good will do.
func TestAuthoritiesAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := t.TempDir() + "/ca.pem"
		date := func(days time.Duration) string { return time.Now().Add(days * day).Local().Format("2006-01-02 15:04") }
		short, long := date(10), date(100)
		both := func(life ...time.Duration) {
			var text []byte
			for _, l := range life {
				writeCertificateFor(t, file, 1, l)
				one, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				text = append(text, one...)
			}
			if err := os.WriteFile(file, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		expect := func(when, want string) {
			t.Helper()
			got := ""
			if err := CheckAuthorities(file); err != nil {
				got = err.Error()
			}
			if got != want {
				t.Errorf("%s: %q, want %q", when, got, want)
			}
		}
		both(10*day, 100*day)
		expect("both are good", "")
		time.Sleep(20 * day)
		expect("one has ended", "")
		time.Sleep(75 * day)
		expect("one has ended, one will", "the certificate of statusca ends in 5 days, on "+long+", and no director can be asked then")
		time.Sleep(6 * day)
		expect("both have ended", "the certificate of statusca has ended on "+short+", and no director can be asked")
	})
}

// TestRenewalIsReported has a renewed certificate that cannot be used among the faults of an open
// statuslisten, and authorities that cannot be read, as long as it is so.
func TestRenewalIsReported(t *testing.T) {
	h := newHouse(t, plainConfig)
	file, ca := h.path("c.pem"), h.path("ca.pem")
	writeCertificate(t, file, 1)
	writeCertificate(t, ca, 1)
	at := lab.HoldPort(t).String()
	h.Use(&conf.Config{StatusServer: conf.StatusServer{StatusListen: at, StatusCert: file, StatusCA: ca}})
	expect := func(when string, want ...string) {
		t.Helper()
		var got []string
		if !eventually.Holds(func() bool {
			got = nil
			for _, f := range h.Mend() {
				got = append(got, f.What)
			}
			return slices.Equal(want, got)
		}) {
			t.Fatalf("%s: %q, want %q", when, got, want)
		}
	}
	expect("at first")
	for _, path := range []string{file, ca} {
		if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	expect("both are broken", "the last certificate of "+at+" is used, not the renewed one", "the other directors cannot be asked")
	writeCertificate(t, file, 2)
	writeCertificate(t, ca, 2)
	expect("both are renewed")
}
