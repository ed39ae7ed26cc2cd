package conf

import "testing"

// TestVIPDevice wants names that the kernel takes as they are: with lvs%d it would make another
// dummy at each try, and never one of that name.
func TestVIPDevice(t *testing.T) {
	for value, want := range map[string]string{"lvs0": "lvs0", `"bond0.12"`: "bond0.12", "dummy-vip # routed": "dummy-vip", "none": ""} {
		if got, err := readVIPDevice(nil, value); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", value, got, err, want)
		}
	}
	for _, value := range []string{"", "lo", ".", "..", "lvs%d", "eth0:1", "a/b", "a b", "a-name-of-16-chr"} {
		if got, err := readVIPDevice(nil, value); err == nil {
			t.Errorf("%s is accepted as %q", value, got)
		}
	}
}
