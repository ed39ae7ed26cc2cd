package conf

import (
	"net/netip"
	"testing"
)

func TestNamesOfServices(t *testing.T) {
	four, six := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("fd00::1")
	tests := []struct {
		v        VirtualService
		str, key string
	}{
		{VirtualService{Protocol: TCP, Addr: four, Port: 80}, "10.0.0.1:80", "tcp:10.0.0.1:80"},
		{VirtualService{Protocol: UDP, Addr: six, Port: 53, IPv6: true}, "[fd00::1]:53", "udp:[fd00::1]:53"},
		{VirtualService{Protocol: TCP, Addr: four}, "10.0.0.1:0", "tcp:10.0.0.1:0"},
		{VirtualService{Protocol: FWM, Mark: 8}, "8", "fwm:8"},
		{VirtualService{Protocol: FWM, Mark: 4294967295, IPv6: true}, "4294967295", "fwm6:4294967295"},
	}
	for _, test := range tests {
		if got := test.v.String(); got != test.str {
			t.Errorf("String = %q, want %q", got, test.str)
		}
		if got := test.v.ID(); got != test.key {
			t.Errorf("ID = %q, want %q", got, test.key)
		}
	}
	if got := (&RealServer{Addr: four}).String(); got != "10.0.0.1:0" {
		t.Errorf("real server without a port = %q", got)
	}
	if got := (&Fallback{Addr: six, Port: 80}).String(); got != "[fd00::1]:80" {
		t.Errorf("fallback = %q", got)
	}
}

// TestWords parses the printed words again.
func TestWords(t *testing.T) {
	for word, f := range forwards {
		if f.String() != word {
			t.Errorf("%q prints as %q", word, f)
		}
	}
	for _, row := range checkTypes {
		if row.is.String() != row.Word {
			t.Errorf("%q prints as %q", row.Word, row.is)
		}
	}
	for p, want := range map[Protocol]string{TCP: "tcp", UDP: "udp", FWM: "fwm", 9: "protocol 9"} {
		if p.String() != want {
			t.Errorf("protocol %d prints as %q", p, p)
		}
	}
	if Forward(9).String() != "forwarding method 9" || CheckType(99).String() != "checktype 99" || CheckCombined.String() != "combined" {
		t.Error("unknown values print as something known")
	}
}

func TestPortToCheck(t *testing.T) {
	tests := []struct {
		name string
		v    VirtualService
		real uint16
		want uint16
	}{
		{"checkport first", VirtualService{CheckTarget: CheckTarget{CheckPort: 8080}, Port: 80, Check: Check{Negotiate: Negotiate{Service: "http"}}}, 81, 8080},
		{"the real server's", VirtualService{Port: 80, Check: Check{Negotiate: Negotiate{Service: "http"}}}, 81, 81},
		{"the service's", VirtualService{Port: 8000, Check: Check{Negotiate: Negotiate{Service: "http"}}}, 0, 80},
		{"a mark's", VirtualService{Protocol: FWM, Mark: 7, Check: Check{Negotiate: Negotiate{Service: "https"}}}, 0, 443},
		{"the virtual service's", VirtualService{Port: 7, Check: Check{Negotiate: Negotiate{Service: "simpletcp"}}}, 0, 7},
		{"none", VirtualService{Check: Check{Negotiate: Negotiate{Service: "none"}}}, 0, 0},
	}
	for _, test := range tests {
		if got := test.v.PortToCheck(&RealServer{Port: test.real}); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
}
