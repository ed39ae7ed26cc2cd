package director

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/account"
	"github.com/ldirectord/ldirectord/internal/checkspec"
	"github.com/ldirectord/ldirectord/internal/engine"
	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/table"
	"github.com/ldirectord/ldirectord/internal/virtual"
	"github.com/ldirectord/ldirectord/ipvs"
)

// fieldsFile is the configuration of which TestReloadCarriesEachField changes one field.
// The first real server is up, the second down, and every third check of the third fails.
const fieldsFile = `checkinterval=20
virtual=10.0.0.1:80
    real=10.1.0.1:80 masq 2 u:10 l:5
    real=10.1.0.2:80 masq
    real=10.1.0.3:80 masq
    fallback=127.0.0.1:80 masq
    service=http
    virtualhost=www
    sslname=www
    scheduler=sh
    persistent=600
    failurecount=2
    fastinterval=3
    downinterval=40
    checktimeout=2
    negotiatetimeout=3
`

// readWhereUsed are the fields that the program reads in the configuration itself, when it
// needs them. All others are copied: into the table, the limits or the checks.
var readWhereUsed = []string{
	"File", "Line", "Name", "Marks", "PasswdFile", "SecretFile", "Host", "OwnRequest",
	"AgentInterval", // without AgentPort; TestAgentBeside has it
	"CleanStop", "ByHand", "SlowStart", "FlapDamping", "MinAlive", "Quorum", "Hysteresis", "BackupBelow", "KeepRest", "QuorumCommand", "FallbackCommand", "StopCommands", "ResolveAll", "ResolveMax", "Announce", "AnnounceDelay", "AnnounceFallback",
	"EmailAlert", "EmailAlertFrom", "EmailAlertFreq", "EmailAlertStatus", "SMTP", "ServiceName", "Comment", "MonitorFile", "SSLExpiryWarn",
}

// otherValues are values of fields that cannot have just any.
var otherValues = map[string]any{
	"Protocol": conf.UDP, "Scheduler": "mh", "SchedFlags": "sh-port", "Netmask": "255.255.0.0", "Marks": []conf.Mark{{Protocol: conf.UDP}},
	"Addr": netip.MustParseAddr("10.9.0.1"), "CheckAddr": netip.MustParseAddr("10.9.0.2"), "CheckSource": netip.MustParseAddr("10.9.0.3"),
	"MinAlive": conf.Portion{Count: 1}, "QuiescentTime": time.Hour, "Quorum": conf.Portion{Count: 1}, "FlapDamping": conf.FlapDamping{Count: 3, Within: time.Minute}, "CheckUser": account.Account{Name: "nobody", UID: 65534},
}

// readers are the types of check that read a field, where http does not.
var readers = map[string]conf.CheckType{
	"Combined": conf.CheckCombined, "HalfOpen": conf.CheckConnect, "CheckTimeout": conf.CheckConnect, "CheckCommand": conf.CheckExternal, "CheckArgs": conf.CheckExternal, "CheckArgsOnly": conf.CheckExternal, "CheckUser": conf.CheckExternal, "ExternalWeight": conf.CheckExternal, "AgentSend": conf.CheckAgent, "CheckCount": conf.CheckPing,
}

// A inForce is what a director works with, apart from the configuration itself.
type inForce struct {
	Table    string
	Service  ipvs.Service
	Name, ID string
	Limits   policy.Limits
	Fallback table.Slot
	Checks   []checkInForce // of each real server
}

// A checkInForce is a check as it is made.
type checkInForce struct {
	At       netip.AddrPort
	Spec     checkspec.Spec  // without the times that are seen in the next ones
	Made     string          // checker, timeout and attempts
	Interval []time.Duration // the times between two checks
}

// A fieldCase changes one field of the first virtual service.
type fieldCase struct {
	name  string
	value func(v *conf.VirtualService) reflect.Value
}

// fieldCases are all fields of a virtual service, its first real server and its fallback.
func fieldCases() (cases []fieldCase) {
	add := func(of reflect.Type, path string, in func(*conf.VirtualService) any) {
		for _, f := range reflect.VisibleFields(of) {
			// TestReloadOfSeveral changes what is about check blocks.
			if f.Anonymous || slices.Contains([]string{"Reals", "Fallback", "AlsoCheck", "InPlace", "ChecksNeeded", "Check"}, f.Name) {
				continue
			}
			cases = append(cases, fieldCase{path + f.Name, func(v *conf.VirtualService) reflect.Value {
				return reflect.ValueOf(in(v)).Elem().FieldByIndex(f.Index)
			}})
		}
	}
	add(reflect.TypeFor[conf.VirtualService](), "", func(v *conf.VirtualService) any { return v })
	add(reflect.TypeFor[conf.RealServer](), "Reals.", func(v *conf.VirtualService) any { return v.Reals[0] })
	add(reflect.TypeFor[conf.Fallback](), "Fallback.", func(v *conf.VirtualService) any { return v.Fallback })
	return cases
}

// field is the name without the path.
func (c fieldCase) field() string { return c.name[strings.LastIndex(c.name, ".")+1:] }

// configurations returns the configuration before and after the change.
func (c fieldCase) configurations(t *testing.T) (before, after *conf.Config) {
	t.Helper()
	before, after = configured(t, fieldsFile), configured(t, fieldsFile)
	v := after.Virtuals[0]
	for _, v := range []*conf.VirtualService{before.Virtuals[0], v} {
		if kind, ok := readers[c.field()]; ok {
			v.CheckType = kind
		}
		if c.name == "OPS" {
			v.Protocol = conf.UDP
		}
	}
	c.change(t, c.value(v))
	for _, r := range v.Reals { // they have no request of their own
		if c.name == "Request" || c.name == "Receive" {
			r.Request, r.Receive = v.Request, v.Receive
		}
	}
	return before, after
}

func (c fieldCase) change(t *testing.T, v reflect.Value) {
	t.Helper()
	if other, ok := otherValues[c.field()]; ok {
		v.Set(reflect.ValueOf(other))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int64:
		step := int64(1)
		if v.Type() == reflect.TypeFor[time.Duration]() {
			step = int64(7 * time.Second)
		}
		v.SetInt(v.Int() + step)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(v.Uint() + 1)
	case reflect.Array:
		v.Index(0).SetUint(v.Index(0).Uint() + 1)
	case reflect.Struct: // conf.Headers
		v.Set(reflect.ValueOf(configured(t, "virtual=10.0.0.1:80\n    httpheader=A: b\n").Virtuals[0].HTTPHeader))
	default:
		t.Fatalf("%s: no other value of a %s is known", c.name, v.Type())
	}
}

// TestReloadCarriesEachField changes each field of a virtual service, a real server and a
// fallback by a reload. Then the new value is in force: in the configuration, and where it
// is copied. A director that starts with the new file works with the same.
func TestReloadCarriesEachField(t *testing.T) {
	olds := map[[2]any]inForce{} // by the parts that configurations changes in both
	for _, c := range fieldCases() {
		t.Run(c.name, func(t *testing.T) {
			before, after := c.configurations(t)
			base := [2]any{before.Virtuals[0].CheckType, before.Virtuals[0].Protocol}
			old, ok := olds[base]
			if !ok {
				old, _ = runWith(t, before)
				olds[base] = old
			}
			reloaded, v := runWith(t, before, after)
			started, _ := runWith(t, after)
			if got, want := c.value(v).Interface(), c.value(after.Virtuals[0]).Interface(); !reflect.DeepEqual(got, want) {
				t.Errorf("the configuration in force has %v, want %v", got, want)
			}
			copied := !slices.Contains(readWhereUsed, c.field())
			if changed := !cmp.Equal(old, reloaded, inForceOptions); changed != copied {
				t.Errorf("the reload changed what the director works with: %t, want %t:\n%s", changed, copied, cmp.Diff(old, reloaded, inForceOptions))
			}
			if diff := cmp.Diff(started, reloaded, inForceOptions); diff != "" {
				t.Errorf("after the reload it differs from a start with the same file (-started +reloaded):\n%s", diff)
			}
		})
	}
}

var inForceOptions = cmp.Options{
	cmp.Comparer(func(a, b checkspec.Spec) bool { return a == b }),
	cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }),
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
}

// runWith runs a director with one configuration after the other, and returns its
// state after ten minutes of the last one.
func runWith(t *testing.T, configs ...*conf.Config) (f inForce, v *conf.VirtualService) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		peers := &fieldPeers{checks: map[string]*checksMade{}}
		memory := ipvs.NewMemory()
		d := New(Options{Table: memory, Sink: func(event.Event) {}, Ask: peers.ask})
		ended := make(chan error, 1)
		go func() { ended <- d.Run(ctx, configs[0]) }()
		<-d.Ready()
		for _, cfg := range configs[1:] {
			time.Sleep(10 * time.Minute)
			if err := d.Reload(ctx, cfg); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(5 * time.Minute)
		peers.forget()
		time.Sleep(5 * time.Minute)
		_, err := do(ctx, d, func() bool { f, v = peers.inForce(d, memory); return true })
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		<-ended
	})
	return f, v
}

// fieldPeers answer the checks and record them.
type fieldPeers struct {
	mu     sync.Mutex
	checks map[string]*checksMade // by the text of the checker
}

// checksMade are the checks of one checker.
type checksMade struct {
	how   string
	made  int
	times []time.Time // since forget
}

func (p *fieldPeers) ask(_ context.Context, c checker.Checker, timeout time.Duration, attempts int) engine.Result {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := fmt.Sprint(c)
	m := p.checks[text]
	if m == nil {
		m = &checksMade{}
		p.checks[text] = m
	}
	m.how = fmt.Sprintf("%T, %v, %d", c, timeout, attempts)
	m.times = append(m.times, time.Now())
	if m.made++; strings.Contains(text, "10.1.0.2") || strings.Contains(text, "10.1.0.3") && m.made%3 == 0 {
		return engine.Result{Attempts: 1, Err: errors.New("no")}
	}
	return good(c)
}

// forget drops the times of the checks so far.
func (p *fieldPeers) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.checks {
		m.times = nil
	}
}

// inForce is called by the goroutine of d.
func (p *fieldPeers) inForce(d *Director, memory *ipvs.Memory) (inForce, *conf.VirtualService) {
	p.mu.Lock()
	defer p.mu.Unlock()
	v := d.virtuals[0]
	f := inForce{Table: memory.String(), Service: v.Service, Name: v.Name, ID: v.ID, Limits: v.Limits, Fallback: *v.Fallback}
	for _, r := range v.Reals {
		for _, c := range r.Checks {
			f.Checks = append(f.Checks, p.check(r, c))
		}
	}
	return f, v.Conf
}

func (p *fieldPeers) check(r *virtual.Real, c *virtual.Check) checkInForce {
	f := checkInForce{At: c.At, Spec: r.Spec.Value()}
	f.Spec.Timing = conf.Timing{SlowLimit: c.Kit.SlowLimit}
	m := p.checks[fmt.Sprint(c.Ask)]
	if m == nil {
		return f
	}
	f.Made = m.how
	for i := 1; i < len(m.times); i++ {
		f.Interval = append(f.Interval, m.times[i].Sub(m.times[i-1]).Round(time.Second))
	}
	slices.Sort(f.Interval)
	f.Interval = slices.Compact(f.Interval)
	return f
}
