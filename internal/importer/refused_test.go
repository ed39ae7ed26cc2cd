package importer

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// anyValues are values of which some keywords take some.
var anyValues = []string{
	"", "0", "1", "3", "-1", "1.5", "70000", "4294967295", "4294967296", "x", "no", "yes", "10.1.0.7", "fd00::7", "10.1.0.7/24", `"a b"`, "rr", "sh",
	"NAT", "DR", "TUN type gre", "TUN type ipip", "TUN type gue", "TUN type gue port 5", "FOO", "TCP", "udp", "255.255.255.0", "64", "inet6", "100-200 404",
	"1a2 b", "0xff", "1.1", "2.0", "A", "ZZ", "a..b", "lo", "averyveryverylongname",
}

// TestRefusedValues gives keywords any values: of what keepalived refuses the importer has a comment.
func TestRefusedValues(t *testing.T) {
	needKeepalived(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	blocks := slices.Sorted(maps.Keys(keepalivedWords))
	for range 200 {
		block := blocks[r.IntN(len(blocks))]
		words := strings.Fields(keepalivedWords[block])
		word := words[r.IntN(len(words))]
		value := anyValues[r.IntN(len(anyValues))]
		if of := keywordValues[word]; strings.HasPrefix(of, "{") {
			value = of
		}
		lines := word + " " + value + "\n"
		if before := keywordBefore[word]; before != "" {
			lines = before + "\n" + lines
		}
		text := keywordBlock(block, lines)
		faults := faultsOf(t, dir, text)
		faults = slices.DeleteFunc(faults, func(f string) bool { return strings.Contains(f, "Unknown keyword 'dynamic'") })
		imported, err := Import(text, Source{})
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		load(t, imported.Config)
		if notes := strings.Join(imported.Notes, "\n"); len(faults) > 0 && !strings.Contains(notes, " "+word) &&
			!slices.ContainsFunc(refusedOtherwise, func(other string) bool { return strings.Contains(notes, other) }) {
			t.Errorf("%s %s in %s: keepalived says %q, and the importer\n%s", word, value, block, faults, notes)
		}
	}
}

// refusedOtherwise are comments that name the whole check or block.
var refusedOtherwise = []string{"is not known, ping is taken", "sslcert and sslkey need both files"}
