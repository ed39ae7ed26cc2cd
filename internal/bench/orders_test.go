package bench

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestVisits(t *testing.T) {
	at := func(seconds ...int) (v visits) {
		for _, s := range seconds {
			v.visited(time.Unix(int64(s), 0))
		}
		return v
	}
	tests := []struct {
		name    string
		targets []target
		want    Visits
	}{
		{"nobody", nil, Visits{}},
		{"once is no gap", []target{{visits: at(1)}}, Visits{Fewest: 1, Total: 1}},
		{"gaps", []target{{visits: at(1, 2, 5)}}, Visits{Fewest: 3, Total: 3, Mean: 2 * time.Second, Worst: 3 * time.Second}},
		{
			"several",
			[]target{{visits: at(1, 2)}, {}, {visits: at(1, 4)}},
			Visits{Fewest: 0, Total: 4, Mean: 2 * time.Second, Worst: 3 * time.Second},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, count(tt.targets)); diff != "" {
				t.Errorf("count (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBadOrders(t *testing.T) {
	s := &server{targets: make([]target, 3)}
	for order, want := range map[string]string{
		"":               `error: "": EOF`,
		"visits 0 4":     `error: "visits 0 4": there are 3 servers`,
		"visits 2 1":     `error: "visits 2 1": there are 3 servers`,
		"blackhole 0 1":  `error: "blackhole 0 1": no such order`,
		"visits nowhere": `error: "visits nowhere": expected integer`,
		"visits 0 3":     "visits 0 0 0 0",
		"forget 0 3":     "forget",
	} {
		if got := s.order(order); got != want {
			t.Errorf("%q is answered with %q, want %q", order, got, want)
		}
	}
}

func TestParseLogged(t *testing.T) {
	tests := []struct {
		name, line string
		want       change
		ok         bool
	}{
		{"added", "[now] ipvsadm -a -t 10.0.0.1:80 -r 10.1.0.1:80 -m -w 1", change{real: "10.1.0.1:80", up: true}, true},
		{"edited", "[now] ipvsadm -e -t 10.0.0.1:80 -r 10.1.0.1:80 -m -w 10", change{real: "10.1.0.1:80", up: true}, true},
		{"quiesced", "[now] ipvsadm -e -t 10.0.0.1:80 -r 10.1.0.1:80 -m -w 0", change{real: "10.1.0.1:80"}, true},
		{"deleted", "[now] ipvsadm -d -t 10.0.0.1:80 -r 10.1.0.1:80", change{real: "10.1.0.1:80"}, true},
		{"virtual service", "[now] ipvsadm -A -t 10.0.0.1:80 -s wrr", change{}, false},
		{"something else", "[now] Added real server: 10.1.0.1:80", change{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := parseLogged(tt.line)
			got.at = 0
			if ok != tt.ok || ok && got != tt.want {
				t.Errorf("parseLogged(%q) = %+v, %t; want %+v, %t", tt.line, got, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestIndex(t *testing.T) {
	for _, i := range []int{0, 249, 250, 63_999, 64_000, 99_999} {
		if got := index(Addr(i)); got != i {
			t.Errorf("index of %v, the address of %d: %d", Addr(i), i, got)
		}
	}
}
