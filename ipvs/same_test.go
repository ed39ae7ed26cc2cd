package ipvs

import "testing"

func TestServiceSame(t *testing.T) {
	tests := map[string]struct {
		a, b Service
		want bool
	}{
		"equal":                           {web, web, true},
		"another key":                     {web, web6, false},
		"another scheduler":               {service(TCP, "10.0.0.1:80", "rr"), web, false},
		"the kernel's own flag":           {web, web.flags(FlagHashed), true},
		"one-packet":                      {dns, dns.flags(FlagOnePacket), false},
		"scheduler flags":                 {web, web.flags(FlagSched1), false},
		"persistence":                     {web, web.persistent(9, 0), false},
		"another timeout":                 {web.persistent(8, 0), web.persistent(9, 0), false},
		"another netmask":                 {web.persistent(9, Prefix(24, false)), web.persistent(9, Prefix(25, false)), false},
		"whole netmask":                   {web.persistent(9, 0), web.persistent(9, Prefix(32, false)), true},
		"whole netmask of IPv6":           {web6.persistent(9, 0), web6.persistent(9, Prefix(128, true)), true},
		"32 of IPv6 is not whole":         {web6.persistent(9, 0), web6.persistent(9, Prefix(32, true)), false},
		"all clients is not whole":        {web.persistent(9, 0), web.persistent(9, AllClients), false},
		"persistence engine":              {web, web.engine("sip"), false},
		"timeout without persistence":     {web, Service{Key: web.Key, Scheduler: "wrr", Timeout: 9}, true},
		"netmask without persistence":     {web, Service{Key: web.Key, Scheduler: "wrr", Netmask: 24}, true},
		"families of a mark":              {mark, markService(8, true, "rr"), false},
		"same mark, same everything else": {mark, markService(8, false, "rr"), true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tt.a.Same(tt.b); got != tt.want {
				t.Errorf("%+v.Same(%+v) is %v", tt.a, tt.b, got)
			}
			if got := tt.b.Same(tt.a); got != tt.want {
				t.Errorf("%+v.Same(%+v) is %v", tt.b, tt.a, got)
			}
		})
	}
}

func TestDestinationSame(t *testing.T) {
	d := destination("10.1.0.1:80", Route, 1).thresholds(9, 3)
	busy, local := d, d
	busy.Active, busy.Inactive, busy.Persistent = 1, 2, 3
	local.Forward = Local
	tests := map[string]struct {
		b    Destination
		want bool
	}{
		"equal":                {d, true},
		"counters":             {busy, true},
		"as old kernels tell":  {local, true},
		"another port":         {destination("10.1.0.1:81", Route, 1).thresholds(9, 3), false},
		"another method":       {destination("10.1.0.1:80", Masq, 1).thresholds(9, 3), false},
		"another weight":       {destination("10.1.0.1:80", Route, 65537).thresholds(9, 3), false},
		"another upper":        {destination("10.1.0.1:80", Route, 1).thresholds(8, 3), false},
		"another lower":        {destination("10.1.0.1:80", Route, 1).thresholds(9, 2), false},
		"another weight, both": {destination("10.1.0.1:80", Local, 2).thresholds(9, 3), false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := d.Same(tt.b); got != tt.want {
				t.Errorf("%v.Same(%v) is %v", d, tt.b, got)
			}
			if got := tt.b.Same(d); got != tt.want {
				t.Errorf("%v.Same(%v) is %v", tt.b, d, got)
			}
		})
	}
}
