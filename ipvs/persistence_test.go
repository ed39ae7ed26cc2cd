package ipvs

import "testing"

func TestParseNetmask(t *testing.T) {
	tests := map[string]struct {
		text string
		ipv6 bool
		want uint8
		err  string
	}{
		"none":                  {"", false, 0, ""},
		"none for IPv6":         {"", true, 0, ""},
		"a network":             {"255.255.255.0", false, 24, ""},
		"an odd length":         {"255.255.240.0", false, 20, ""},
		"one bit":               {"128.0.0.0", false, 1, ""},
		"the whole address":     {"255.255.255.255", false, 32, ""},
		"all clients":           {"0.0.0.0", false, AllClients, ""},
		"gaps":                  {"255.0.255.0", false, 0, "netmask 255.0.255.0 has gaps: only leading bits can be used"},
		"trailing bits":         {"0.0.0.255", false, 0, "netmask 0.0.0.255 has gaps: only leading bits can be used"},
		"too large":             {"999.0.0.1", false, 0, "netmask 999.0.0.1: a dotted quad is required"},
		"a length for IPv4":     {"24", false, 0, "netmask 24: a dotted quad is required"},
		"an IPv6 address":       {"ffff::", false, 0, "netmask ffff::: a dotted quad is required"},
		"a length":              {"64", true, 64, ""},
		"the shortest":          {"1", true, 1, ""},
		"the longest":           {"128", true, 128, ""},
		"length 0":              {"0", true, 0, "netmask 0: a prefix length between 1 and 128 is required"},
		"too long":              {"129", true, 0, "netmask 129: a prefix length between 1 and 128 is required"},
		"much too long":         {"300", true, 0, "netmask 300: a prefix length between 1 and 128 is required"},
		"a dotted quad in IPv6": {"255.255.255.0", true, 0, "netmask 255.255.255.0: a prefix length between 1 and 128 is required"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := ParseNetmask(tt.text, tt.ipv6)
			if errorText(err) != tt.err {
				t.Errorf("got error %q, want %q", errorText(err), tt.err)
			}
			if got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

// Every netmask that Apply accepts comes back from the kernel's form, and is
// printed as what ParseNetmask takes.
func TestNetmaskThereAndBack(t *testing.T) {
	for _, ipv6 := range []bool{false, true} {
		for n := range 256 {
			s := Service{Key: Key{IPv6: ipv6}, Netmask: uint8(n), Timeout: 1}
			if s.checkPersistence() != nil {
				continue
			}
			want := wholeNetmask(s.Netmask, ipv6)
			if got := readNetmask(kernelNetmask(s.Netmask, ipv6), ipv6); got != want {
				t.Errorf("netmask %d (IPv6 %v) is read back as %d", n, ipv6, got)
			}
			word := netmaskWord(s.Netmask, ipv6)
			if got, err := ParseNetmask(word, ipv6); err != nil || got != want {
				t.Errorf("netmask %d (IPv6 %v) is printed as %q, which is parsed as %d, error %v", n, ipv6, word, got, err)
			}
		}
	}
	if got := readNetmask(4711, true); got != OddNetmask {
		t.Errorf("an impossible prefix length is read as %d, want OddNetmask", got)
	}
}

func TestParseTimeout(t *testing.T) {
	tests := map[string]struct {
		seconds uint64
		want    uint32
		err     string
	}{
		"shortest":       {1, 1, ""},
		"usual":          {360, 360, ""},
		"longest":        {2678400, 2678400, ""},
		"none":           {0, 0, "persistent timeout 0 is not in 1 to 2678400 seconds"},
		"one too many":   {2678401, 0, "persistent timeout 2678401 is not in 1 to 2678400 seconds"},
		"beyond 32 bits": {1<<32 + 1, 0, "persistent timeout 4294967297 is not in 1 to 2678400 seconds"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := ParseTimeout(tt.seconds)
			if errorText(err) != tt.err {
				t.Errorf("got error %q, want %q", errorText(err), tt.err)
			}
			if got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}
