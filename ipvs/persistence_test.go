package ipvs

import "testing"

// ipvsadm 1.31 accepts these values, and converts them like this.
func TestParseNetmask(t *testing.T) {
	tests := map[string]struct {
		text string
		ipv6 bool
		want Netmask
		err  string
	}{
		"none":                  {"", false, 0, ""},
		"none for IPv6":         {"", true, 0, ""},
		"a network":             {"255.255.255.0", false, 0xff, ""},
		"an odd length":         {"255.255.240.0", false, 0xfff, ""},
		"one bit":               {"128.0.0.0", false, 0x7fffffff, ""},
		"the whole address":     {"255.255.255.255", false, 0, ""},
		"all clients":           {"0.0.0.0", false, AllClients, ""},
		"gaps":                  {"255.0.255.0", false, 0x00ff00ff, ""},
		"trailing bits":         {"0.0.0.255", false, 0xffffff00, ""},
		"zero padding":          {"255.255.255.000", false, 0xff, ""},
		"octal":                 {"010.0.0.0", false, 0xf7ffffff, ""},
		"octal 255":             {"0377.255.0.0", false, 0xffff, ""},
		"octal with zeros":      {"0000000000377.0.0.0", false, 0xffffff, ""},
		"octal that looks else": {"000255.255.0.0", false, 0x5200ffff, ""},
		"no octal":              {"08.0.0.0", false, 0, "netmask 08.0.0.0: 08 is no octal number from 0 to 0377; a number that begins with 0 is octal"},
		"octal too large":       {"255.255.255.0400", false, 0, "netmask 255.255.255.0400: 0400 is no octal number from 0 to 0377; a number that begins with 0 is octal"},
		"too large":             {"256.255.255.0", false, 0, "netmask 256.255.255.0: 256 is not a number from 0 to 255"},
		"beyond 32 bits":        {"4294967295.0.0.0", false, 0, "netmask 4294967295.0.0.0: 4294967295 is not a number from 0 to 255"},
		"a length for IPv4":     {"24", false, 0, "netmask 24: a dotted quad is required"},
		"an IPv6 address":       {"ffff::", false, 0, "netmask ffff::: a dotted quad is required"},
		"a length":              {"64", true, 64, ""},
		"a padded length":       {"064", true, 64, ""},
		"the shortest":          {"1", true, 127, ""},
		"the longest":           {"128", true, 0, ""},
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
				t.Errorf("got %#x, want %#x", got, tt.want)
			}
		})
	}
}

// Every netmask that Apply accepts comes back from the kernel's form, and is
// printed as what ParseNetmask takes.
func TestNetmaskThereAndBack(t *testing.T) {
	for _, ipv6 := range []bool{false, true} {
		for i := range 1 << 16 {
			mask := Netmask(i * 0x10001)
			s := Service{Key: Key{IPv6: ipv6}, Netmask: mask, Timeout: 1}
			if s.checkPersistence() != nil {
				continue
			}
			if got := readNetmask(kernelNetmask(mask, ipv6), ipv6); got != mask {
				t.Errorf("netmask %#x (IPv6 %v) is read back as %#x", mask, ipv6, got)
			}
			word := mask.word(ipv6)
			if got, err := ParseNetmask(word, ipv6); err != nil || got != mask {
				t.Errorf("netmask %#x (IPv6 %v) is printed as %q, which is parsed as %#x, error %v", mask, ipv6, word, got, err)
			}
		}
	}
	for _, mask := range []uint32{0, 129, 4711} {
		if s := (Service{Key: Key{IPv6: true}, Netmask: readNetmask(mask, true), Timeout: 1}); s.checkPersistence() == nil {
			t.Errorf("the impossible prefix length %d is taken", mask)
		}
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
