package policy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/conf"
)

// TestZeroWeightHazards goes through scheduler, protocol, persistence, flags and
// the reason. internal/acceptance measures the same with a kernel.
func TestZeroWeightHazards(t *testing.T) {
	hashing := map[string]string{"dh": "", "sh": "sh-fallback", "mh": "mh-fallback"}
	schedulers := []string{"rr", "wrr", "lc", "wlc", "lblc", "lblcr", "sed", "nq", "fo", "ovf", "twos", "dh", "sh", "mh"}
	for _, scheduler := range schedulers {
		for _, flags := range []string{"", "sh-fallback", "mh-fallback,mh-port", "flag-1"} {
			for _, udp := range []bool{false, true} {
				for _, bits := range []int{0, 1, 2, 3, 4, 5, 6, 7} {
					v := &conf.VirtualService{Kernel: conf.Kernel{Scheduler: scheduler, SchedFlags: flags, Persist: bits&1 != 0, OPS: udp && bits&4 != 0}, Policy: conf.Policy{Quiescent: bits&2 != 0}}
					if udp {
						v.Protocol = conf.UDP
					}
					flag, hashes := hashing[scheduler]
					refused := hashes && (flag == "" || flags != "flag-1" && !strings.HasPrefix(flags, flag))
					quiesced := 0
					if v.Quiescent {
						quiesced = count(refused, v.Persist, udp && !v.OPS)
					}
					name := fmt.Sprintf("%s %q udp %v persistent %v quiescent %v ops %v", scheduler, flags, udp, v.Persist, v.Quiescent, v.OPS)
					if got := ZeroWeightHazards(v, DisabledZero, func(string) string { return "" }); len(got) != quiesced {
						t.Errorf("%s: when disabled %v, want %d", name, got, quiesced)
					}
					unknown := func(string) string { return "" }
					if got := ZeroWeightHazards(v, Quiesced, unknown); len(got) != quiesced {
						t.Errorf("%s: when down %v, want %d", name, got, quiesced)
					}
					if got := ZeroWeightHazards(v, DrainedZero, unknown); len(got) != count(refused) {
						t.Errorf("%s: when drained %v, want %d", name, got, count(refused))
					}
				}
			}
		}
	}
}

// TestZeroWeightCures names a cure that leaves no weight 0: with quiescent disable does.
func TestZeroWeightCures(t *testing.T) {
	for _, tt := range []struct {
		name      string
		why       ZeroWeight
		quiescent bool
		check     conf.CheckType
		want      string // "" is no hazard
	}{
		{"down", Quiesced, true, conf.CheckConnect, "schedflags = mh-fallback, or quiescent = no"},
		{"down and removed", Quiesced, false, conf.CheckConnect, ""},
		{"drained", DrainedZero, false, conf.CheckConnect, "schedflags = mh-fallback, or disable takes it out instead"},
		{"drained, quiescent", DrainedZero, true, conf.CheckConnect, "schedflags = mh-fallback, or quiescent = no, and disable takes it out instead"},
		{"disabled", DisabledZero, false, conf.CheckConnect, ""},
		{"disabled, quiescent", DisabledZero, true, conf.CheckConnect, "schedflags = mh-fallback, or quiescent = no"},
		{"agent", Quiesced, false, conf.CheckAgent, "schedflags = mh-fallback, or an agent that says down in place of drain or 0%"},
		{"exit status", Quiesced, false, conf.CheckExternal, "schedflags = mh-fallback, or a command that ends with 1 in place of 2"},
	} {
		v := &conf.VirtualService{Check: conf.Check{CheckType: tt.check, ExternalWeight: true}, Kernel: conf.Kernel{Scheduler: "mh"}, Policy: conf.Policy{Quiescent: tt.quiescent}}
		var got strings.Builder
		for _, h := range ZeroWeightHazards(v, tt.why, nil) {
			got.WriteString(h.Cure)
		}
		if got.String() != tt.want {
			t.Errorf("%s: the cure is %q, want %q", tt.name, got.String(), tt.want)
		}
	}
}

// TestSelfDrainHazards has persistent clients, who come back to a real server that drains itself.
func TestSelfDrainHazards(t *testing.T) {
	var drain conf.StatusSet
	drain[4] = 1
	for _, tt := range []struct {
		name    string
		v       conf.VirtualService
		setting string
		want    int
	}{
		{"httpdrain", conf.VirtualService{Check: conf.Check{Negotiate: conf.Negotiate{Service: "http"}, HTTP: conf.HTTP{HTTPDrain: drain}}}, "0", 1},
		{"receivedrain", conf.VirtualService{Check: conf.Check{Negotiate: conf.Negotiate{Service: "dns", ReceiveDrain: "x"}}}, "", 1},
		{"an agent", conf.VirtualService{Check: conf.Check{CheckType: conf.CheckAgent}}, "0", 1},
		{"the kernel forgets", conf.VirtualService{Check: conf.Check{CheckType: conf.CheckAgent}}, "1", 0},
		{"not read", conf.VirtualService{Check: conf.Check{Negotiate: conf.Negotiate{Service: "smtp", ReceiveDrain: "x"}, HTTP: conf.HTTP{HTTPDrain: drain}}}, "0", 0},
		{"a connect check", conf.VirtualService{Check: conf.Check{CheckType: conf.CheckConnect, HTTP: conf.HTTP{HTTPDrain: drain}}}, "0", 0},
	} {
		for _, persist := range []bool{true, false} {
			v := tt.v
			v.Scheduler, v.Persist = "wrr", persist
			want := tt.want
			if !persist {
				want = 0
			}
			if got := ZeroWeightHazards(&v, Quiesced, func(string) string { return tt.setting }); len(got) != want {
				t.Errorf("%s, persistent %t: %v, want %d", tt.name, persist, got, want)
			}
		}
	}
}

// Where the kernel forgets clients of a quiesced real server, they are no hazard.
func TestZeroWeightSetting(t *testing.T) {
	v := &conf.VirtualService{Kernel: conf.Kernel{Scheduler: "rr", Persist: true}, Policy: conf.Policy{Quiescent: true}}
	for value, want := range map[string]int{"": 1, "0": 1, "1": 0} {
		got := ZeroWeightHazards(v, Quiesced, func(name string) string {
			return map[string]string{"expire_quiescent_template": value}[name]
		})
		if len(got) != want {
			t.Errorf("expire_quiescent_template %q: %v, want %d", value, got, want)
		}
	}
}

func count(conditions ...bool) (n int) {
	for _, c := range conditions {
		if c {
			n++
		}
	}
	return n
}
