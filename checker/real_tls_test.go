//go:debug x509negativeserial=1

package checker_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/lab"
	"github.com/ldirectord/ldirectord/internal/realserver"
)

// A narrowServer is a server that accepts one thing only.
type narrowServer struct {
	name    string
	key     string // the kind of its certificate
	options []string
	word    string // that number 22 of docs/compatibility.md has if it cannot be checked
}

// TestRealTLS compares with OpenSSL: where its client connects, a check does, or
// the documents name what cannot be checked. It looks at one server of each word.
func TestRealTLS(t *testing.T) {
	seen := map[string]bool{}
	compareTLS(t, func(s narrowServer) bool {
		before := seen[s.word]
		seen[s.word] = true
		return !before
	})
}

// compareTLS compares suite by suite, certificate by certificate and group by
// group, for the servers that wanted picks.
func compareTLS(t *testing.T, wanted func(narrowServer) bool) {
	t.Helper()
	lab.Need(t, "openssl")
	limits := documented22(t)
	certificates := newCertificates(t)
	e := engine.New(engine.Options{})
	t.Cleanup(e.Close)
	for _, s := range narrowServers(t) {
		if !wanted(s) {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			file := certificates[s.key]
			if file == "" {
				t.Fatalf("there is no certificate %s", s.key)
			}
			d := realserver.OpenSSL(t, append([]string{"-cert", file, "-key", file}, s.options...)...)
			addr := d.Addr("https")
			theirs := connectsByOpenSSL(addr.String())
			for _, verify := range []checker.Verify{checker.VerifyNone, checker.VerifyChain} {
				config, err := checker.TLSConfig(checker.TLSOptions{Verify: verify, CAFile: file})
				if err != nil {
					t.Fatal(err)
				}
				err = e.Ask(t.Context(), checker.TLS{Addr: addr, Config: config}, 30*time.Second, 1).Err
				switch named := regexp.MustCompile(`\b` + regexp.QuoteMeta(s.word) + `($|[^\w])`).MatchString(limits); {
				case theirs && err != nil && !named:
					t.Errorf("OpenSSL connects, a check does not (%v), and docs/compatibility.md 22 does not name %q", err, s.word)
				case err == nil && named:
					t.Errorf("a check connects, but docs/compatibility.md 22 names %q", s.word)
				case err != nil && !strings.Contains(err.Error(), "(offered: "):
					t.Errorf("%v, which does not say what was offered", err)
				}
			}
		})
	}
}

// documented22 is number 22 of docs/compatibility.md in one line.
func documented22(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/compatibility.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?ms)^22\. .*?^\d+\. `).FindString(string(text))
	if found == "" {
		t.Fatal("docs/compatibility.md has no number 22")
	}
	return strings.Join(strings.Fields(found), " ")
}

// connectsByOpenSSL reports whether OpenSSL's client connects with its defaults.
func connectsByOpenSSL(addr string) bool {
	cmd := exec.Command("/usr/bin/openssl", "s_client", "-connect", addr)
	out, _ := cmd.CombinedOutput()
	return strings.Contains(string(out), "Server certificate") && !strings.Contains(string(out), "Cipher is (NONE)")
}

// newCertificates makes a self-signed certificate of each kind with OpenSSL, in a
// file with its key.
func newCertificates(t *testing.T) map[string]string {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{}
	for kind, options := range map[string][]string{
		"RSA":                {"-newkey", "rsa:2048"},
		"RSA-PSS":            {"-newkey", "rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"},
		"RSA, PSS signature": {"-newkey", "rsa:2048", "-sigopt", "rsa_padding_mode:pss"},
		"negative serial":    {"-newkey", "rsa:2048", "-set_serial", "-5"},
		"serial 0":           {"-newkey", "rsa:2048", "-set_serial", "0"},
		"ECDSA":              {"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"},
		"ECDSA with P-384":   {"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"},
		"ECDSA with P-521":   {"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-521"},
		"Ed25519":            {"-newkey", "ed25519"},
		"Ed448":              {"-newkey", "ed448"},
	} {
		file := filepath.Join(dir, strings.ReplaceAll(kind, " ", "-")+".pem")
		args := append([]string{"req", "-x509", "-nodes", "-batch", "-subj", "/CN=test", "-days", "2", "-keyout", file, "-out", file + ".crt"}, options...)
		if out, err := exec.Command("/usr/bin/openssl", args...).CombinedOutput(); err != nil {
			t.Fatalf("making a certificate %s: %v\n%s", kind, err, out)
		}
		certificate, err := os.ReadFile(file + ".crt")
		if err != nil {
			t.Fatal(err)
		}
		key, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, append(certificate, key...), 0o600); err != nil {
			t.Fatal(err)
		}
		files[kind] = file
	}
	return files
}

// narrowServers are servers with one suite, one certificate, one group each.
func narrowServers(t *testing.T) (list []narrowServer) {
	t.Helper()
	out, err := exec.Command("/usr/bin/openssl", "ciphers", "-s", "-v", "ALL").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line) // name, version, key exchange, authentication, …
		suite, auth := words[0], strings.TrimPrefix(words[3], "Au=")
		switch {
		case words[1] == "TLSv1.3":
			list = append(list, narrowServer{"suite " + suite, "RSA", []string{"-tls1_3", "-ciphersuites", suite}, suiteWord(suite)})
		case (auth == "RSA" || auth == "ECDSA") && !strings.Contains(words[2], "PSK"):
			list = append(list, narrowServer{"suite " + suite, auth, []string{"-tls1_2", "-cipher", suite}, suiteWord(suite)})
		}
	}
	for _, version := range []string{"-tls1_2", "-tls1_3"} {
		for _, kind := range []string{
			"RSA", "RSA-PSS", "RSA, PSS signature", "negative serial", "serial 0", "ECDSA", "ECDSA with P-384", "ECDSA with P-521",
			"Ed25519", "Ed448",
		} {
			word := kind
			if kind == "RSA" {
				word = "key is RSA," // RSA-PSS is another
			}
			list = append(list, narrowServer{"certificate " + kind + " " + version, kind, []string{version}, word})
		}
		for _, group := range []string{"X25519", "P-256", "P-384", "P-521", "X448", "ffdhe2048", "ffdhe3072", "ffdhe4096", "ffdhe6144", "ffdhe8192"} {
			word := group
			if strings.HasPrefix(group, "ffdhe") {
				word = "ffdhe groups"
			}
			options := []string{version, "-groups", group}
			if version == "-tls1_2" {
				options = append(options, "-cipher", "ECDHE:DHE")
			}
			list = append(list, narrowServer{"group " + group + " " + version, "RSA", options, word})
		}
	}
	return list
}

// suiteWord is the word for suites that a check may not speak, suite itself for
// one that it does.
func suiteWord(suite string) string {
	for part, word := range map[string]string{"CAMELLIA": "Camellia", "ARIA": "ARIA", "CCM": "CCM"} {
		if strings.Contains(suite, part) {
			return word
		}
	}
	switch {
	case strings.HasPrefix(suite, "DHE-"):
		return "DHE key exchange"
	case strings.HasSuffix(suite, "-SHA384") && !strings.Contains(suite, "GCM"):
		return "CBC with SHA384"
	}
	return suite
}
