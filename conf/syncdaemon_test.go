package conf

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSyncDaemon(t *testing.T) {
	asIs := cmp.Comparer(func(a, b netip.Addr) bool { return a == b })
	for value, want := range map[string]SyncDaemon{
		"master eth0":           {Master: true, Device: "eth0"},
		"backup bond0.12 id 7":  {Backup: true, Device: "bond0.12", ID: 7},
		"both eth1 id 0 # both": {Master: true, Backup: true, Device: "eth1"},
		"both eth1 id 255 group 239.0.0.1 port 8849 mtu 9000": {
			Master: true, Backup: true, Device: "eth1", ID: 255, Group: netip.MustParseAddr("239.0.0.1"), Port: 8849, MTU: 9000,
		},
		"both eth1 mtu 1500 group ff02::1:81": {Master: true, Backup: true, Device: "eth1", Group: netip.MustParseAddr("ff02::1:81"), MTU: 1500},
		"none":                                {},
	} {
		got, err := readSyncDaemon(nil, value)
		if err != nil {
			t.Errorf("%s: %v", value, err)
		}
		if diff := cmp.Diff(want, got, asIs); diff != "" {
			t.Errorf("%s (-want +got):\n%s", value, diff)
		}
	}
	for value, want := range map[string]string{
		"":                            "syncdaemon must be master|backup|both DEVICE [id N] [group ADDRESS] [port N] [mtu N], or none",
		"both":                        "syncdaemon must be master|backup|both DEVICE [id N] [group ADDRESS] [port N] [mtu N], or none",
		"both eth0 id":                "syncdaemon must be master|backup|both DEVICE [id N] [group ADDRESS] [port N] [mtu N], or none",
		"slave eth0":                  "syncdaemon: slave is not master, backup or both",
		"both a-name-of-16-chr":       "syncdaemon: a-name-of-16-chr is no name of a device: 1 to 15 characters, none of them : or /",
		"both eth0:1 id 7":            "syncdaemon: eth0:1 is no name of a device: 1 to 15 characters, none of them : or /",
		"both .. id 7":                "syncdaemon: .. is no name of a device: 1 to 15 characters, none of them : or /",
		"both eth0 id 256":            "syncdaemon: id must be a whole number from 0 to 255",
		"both eth0 id -1":             "syncdaemon: id must be a whole number from 0 to 255",
		"both eth0 id 1 id 2":         "syncdaemon: id is given twice",
		"both eth0 port 0":            "syncdaemon: port must be a whole number from 1 to 65535",
		"both eth0 mtu 1071":          "syncdaemon: mtu must be a whole number from 1072 to 65535",
		"both eth0 group 10.0.0.1":    "syncdaemon: group 10.0.0.1 is not a multicast address, such as 224.0.0.81 or ff02::1:81",
		"both eth0 group ff02::1%lo":  "syncdaemon: group ff02::1%lo is not a multicast address, such as 224.0.0.81 or ff02::1:81",
		"both eth0 syncid 7":          "syncdaemon: syncid is not id, group, port or mtu",
		"both eth0 id 99999999999999": "syncdaemon: id must be a whole number from 0 to 255",
	} {
		if _, err := readSyncDaemon(nil, value); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", value, err, want)
		}
	}
}

func TestIPVSTimeouts(t *testing.T) {
	for value, want := range map[string]IPVSTimeouts{
		"900 120 300": {15 * time.Minute, 2 * time.Minute, 5 * time.Minute},
		"0 30 0 # a":  {TCPFin: 30 * time.Second},
		"none":        {},
		"2678400 1 1": {31 * 24 * time.Hour, time.Second, time.Second},
		" 1	2   3 ":   {time.Second, 2 * time.Second, 3 * time.Second},
	} {
		if got, err := readIPVSTimeouts(nil, value); err != nil || got != want {
			t.Errorf("%s: got %v and %v, want %v", value, got, err, want)
		}
	}
	for _, value := range []string{"", "900", "900 120", "900 120 300 1", "a b c", "-1 0 0", "2678401 0 0", "15m 2m 5m"} {
		if _, err := readIPVSTimeouts(nil, value); err == nil {
			t.Errorf("%q is taken", value)
		}
	}
}
