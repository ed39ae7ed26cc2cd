package ipvs

import (
	"errors"
	"io"
	"io/fs"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The words for -A and -a are compared with ipvsadm's own in TestKernel. Here
// stands what ipvsadm does not print.
func TestChangeString(t *testing.T) {
	d := destination("10.1.0.1:8080", Masq, 70000)
	tunnel := destination("[fd00::9]:80", Tunnel, 1).thresholds(10, 5)
	tests := map[string]struct {
		change Change
		want   string
	}{
		"add service": {
			Change{Op: AddService, Service: dns.persistent(300, Prefix(24, false)).flags(FlagOnePacket | FlagSched2).engine("sip")},
			"-A -u 10.0.0.1:53 -s rr -p 300 -M 255.255.255.0 --pe sip -o -b flag-2",
		},
		"edit service":       {Change{Op: EditService, Service: web.persistent(9, 0)}, "-E -t 10.0.0.1:80 -s wrr -p 9"},
		"delete service":     {Change{Op: DeleteService, Service: web}, "-D -t 10.0.0.1:80"},
		"delete IPv6 mark":   {Change{Op: DeleteService, Service: markService(8, true, "rr")}, "-D -f 8 -6"},
		"largest mark":       {Change{Op: DeleteService, Service: markService(math.MaxUint32, false, "rr")}, "-D -f 4294967295"},
		"add destination":    {Change{AddDestination, web, d}, "-a -t 10.0.0.1:80 -r 10.1.0.1:8080 -m -w 70000"},
		"edit destination":   {Change{EditDestination, mark, d}, "-e -f 8 -r 10.1.0.1:8080 -m -w 70000"},
		"delete destination": {Change{DeleteDestination, web, d}, "-d -t 10.0.0.1:80 -r 10.1.0.1:8080"},
		"thresholds": {
			Change{EditDestination, web6, tunnel},
			"-e -t [fd00::1]:80 -r [fd00::9]:80 -i -w 1 -x 10 -y 5 --tun-type ipip",
		},
		"flag-3 of sh":       {Change{Op: AddService, Service: service(TCP, "10.0.0.1:80", "sh").flags(FlagSched3)}, "-A -t 10.0.0.1:80 -s sh -b flag-3"},
		"mask not persisted": {Change{Op: AddService, Service: Service{Key: web.Key, Scheduler: "rr", Netmask: 24}}, "-A -t 10.0.0.1:80 -s rr"},
		"nothing":            {Change{}, "-A --protocol-0 invalid IP:0 -s "},
		"no such operation":  {Change{Op: 77, Service: web}, "-77? -t 10.0.0.1:80"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.change.String()); diff != "" {
				t.Errorf("words (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSaveOrder(t *testing.T) {
	keys := []Service{
		service(TCP, "10.0.0.1:0", "rr"),
		service(TCP, "10.0.0.1:80", "rr"),
		service(TCP, "192.168.0.1:80", "rr"),
		service(UDP, "10.0.0.1:53", "rr"),
		service(TCP, "[fd00::1]:80", "rr"),
		markService(8, false, "rr"),
		markService(8, true, "rr"),
		markService(9, false, "rr"),
	}
	var table []Entry
	var want strings.Builder
	for _, s := range keys {
		table = append([]Entry{{Service: s}}, table...)
		want.WriteString("-A " + s.String() + "\n")
	}
	sortTable(table)
	var got strings.Builder
	if err := Save(&got, table); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.String(), got.String()); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestSaveBeside(t *testing.T) {
	m := NewMemory()
	for _, step := range []struct {
		do   func() error
		want string
	}{
		{func() error { return nil }, ""},
		{func() error { return m.StartSync(SyncDaemon{Role: SyncBackup, Device: "eth0", ID: 7}) }, "--start-daemon backup --mcast-interface eth0 --syncid 7 --sync-maxlen 1472\n"},
		{func() error { return m.SetTimeouts(Timeouts{UDP: 10 * time.Second}) }, "--set 900 120 10\n--start-daemon backup --mcast-interface eth0 --syncid 7 --sync-maxlen 1472\n"},
	} {
		var got strings.Builder
		if err := errors.Join(step.do(), SaveBeside(&got, m)); err != nil || got.String() != step.want {
			t.Errorf("got %q and the error %v, want %q", got.String(), err, step.want)
		}
	}
	if err := SaveBeside(fullDisk{}, m); err == nil || err.Error() != "disk full" {
		t.Errorf("got error %v, want the writer's", err)
	}
	m.Close()
	if err := SaveBeside(io.Discard, m); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("after Close: got %v, want fs.ErrClosed", err)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestSaveTellsErrors(t *testing.T) {
	if err := Save(fullDisk{}, []Entry{{Service: web}}); err == nil || err.Error() != "disk full" {
		t.Errorf("got error %v, want the writer's", err)
	}
}

func TestDestinationPort(t *testing.T) {
	tests := map[string]struct {
		service Service
		forward Forward
		want    uint16
	}{
		"gate takes the service's":     {web, Route, 80},
		"ipip takes the service's":     {web, Tunnel, 80},
		"masq keeps its own":           {web, Masq, 8080},
		"gate in a service for all":    {all, Route, 0},
		"gate in a mark keeps its own": {mark, Route, 8080},
		"masq in a mark keeps its own": {mark, Masq, 8080},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tt.service.DestinationPort(tt.forward, 8080); got != tt.want {
				t.Errorf("got port %d, want %d", got, tt.want)
			}
		})
	}
}
