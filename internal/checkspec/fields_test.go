package checkspec

import (
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"testing"

	"github.com/ldirectord/ldirectord/checker"
	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/account"
)

// checkTypes are all types of check that a configuration can have.
var checkTypes = []conf.CheckType{
	conf.CheckNegotiate, conf.CheckConnect, conf.CheckCombined, conf.CheckPing, conf.CheckExternal,
	conf.CheckExternalPerl, conf.CheckAgent, conf.CheckOn, conf.CheckOff,
}

// readers are the types of check that read a field of conf.Check, by its name or
// that of its group. All types read the others.
var readers = map[string][]conf.CheckType{
	"Combined":         {conf.CheckCombined},
	"HalfOpen":         {conf.CheckConnect, conf.CheckCombined},
	"CheckCommand":     {conf.CheckExternal, conf.CheckExternalPerl},
	"CheckArgs":        {conf.CheckExternal, conf.CheckExternalPerl},
	"CheckArgsOnly":    {conf.CheckExternal, conf.CheckExternalPerl},
	"CheckUser":        {conf.CheckExternal, conf.CheckExternalPerl},
	"AgentSend":        {conf.CheckAgent},
	"ExternalWeight":   {conf.CheckExternal, conf.CheckExternalPerl},
	"CheckCount":       {conf.CheckPing},
	"NegotiateTimeout": {conf.CheckNegotiate, conf.CheckCombined},
	"Negotiate":        {conf.CheckNegotiate, conf.CheckCombined},
	"Origin":           {conf.CheckNegotiate, conf.CheckCombined, conf.CheckConnect, conf.CheckPing, conf.CheckAgent, conf.CheckOn, conf.CheckOff},
	"HTTP":             {conf.CheckNegotiate, conf.CheckCombined},
	"TLS":              {conf.CheckNegotiate, conf.CheckCombined},
}

// TestEachFieldIsInTheKey changes each field of conf.Check, for each type of check:
// where the check reads it, another key results, whose spec has the new value, so
// that a reload makes another check; elsewhere the check stays.
func TestEachFieldIsInTheKey(t *testing.T) {
	base := configured(t, "virtual=10.0.0.1:80\n    real=10.1.0.1:80 masq\n    service=http\n    virtualhost=www\n    sslname=www\n").Virtuals[0]
	headers := configured(t, "virtual=10.0.0.1:80\n    httpheader=A: b\n").Virtuals[0].HTTPHeader
	for _, field := range reflect.VisibleFields(reflect.TypeFor[conf.Check]()) {
		if field.Anonymous || field.Name == "CheckType" {
			continue
		}
		group := reflect.TypeFor[conf.Check]().Field(field.Index[0]).Name
		for _, kind := range checkTypes {
			before, after := *base, *base
			before.CheckType, after.CheckType = kind, kind
			value := reflect.ValueOf(&after.Check).Elem().FieldByIndex(field.Index)
			switch value.Type() {
			case reflect.TypeFor[conf.Headers]():
				value.Set(reflect.ValueOf(headers))
			case reflect.TypeFor[netip.Addr]():
				value.Set(reflect.ValueOf(netip.MustParseAddr("10.9.0.1")))
			case reflect.TypeFor[account.Account]():
				value.Set(reflect.ValueOf(account.Account{Name: "nobody", UID: 65534}))
			default:
				change(t, field.Name, value)
			}
			types, limited := readers[field.Name]
			if !limited {
				types, limited = readers[group]
			}
			read := !limited || slices.Contains(types, kind)
			old, key := Of(&before, before.Request, before.Receive), Of(&after, after.Request, after.Receive)
			if changed := key != old; changed != read {
				t.Errorf("checktype %s, another %s: another key is %t, want %t", kind, field.Name, changed, read)
			}
			spec := key.Value()
			if got := reflect.ValueOf(spec.Check).FieldByIndex(field.Index).Interface(); read && got != value.Interface() {
				t.Errorf("checktype %s: the spec has %s %v, want %v", kind, field.Name, got, value)
			}
		}
	}
}

// change gives a field another value.
func change(t *testing.T, name string, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int64:
		v.SetInt(v.Int() + 1)
	case reflect.Uint8, reflect.Uint32:
		v.SetUint(v.Uint() + 1)
	case reflect.Array:
		v.Index(0).SetUint(v.Index(0).Uint() + 1)
	default:
		t.Fatalf("%s: no other value of a %s is known", name, v.Type())
	}
}

// TestEachServiceHasAConstructor wants a constructor for each row of conf, and no
// other, and TLS where the row says so.
func TestEachServiceHasAConstructor(t *testing.T) {
	if names := slices.Sorted(maps.Keys(constructors)); !slices.Equal(names, conf.Services()) {
		t.Errorf("constructors are for %q, the directive takes %q", names, conf.Services())
	}
	at := netip.MustParseAddrPort("10.1.0.1:99")
	for _, name := range conf.Services() {
		if name == "oracle" && !checker.HasOracle {
			continue // no client
		}
		row, _ := conf.LookupService(name)
		for _, starttls := range []bool{false, true} {
			v := *configured(t, "virtual=10.0.0.1:80\n    real=10.1.0.1:80 masq\n    service="+name+"\n    request=\"r\"\n").Virtuals[0]
			v.StartTLS = starttls
			c, _ := Maker{}.Checkers(New(Of(&v, v.Request, v.Receive)), at, nil)
			want := row.TLS == conf.OverTLS || row.TLS == conf.StartTLS && starttls
			if got := usesTLS(c); got != want {
				t.Errorf("%s, starttls %t: uses TLS %t, want %t", name, starttls, got, want)
			}
		}
	}
}

// usesTLS reports whether a check begins with TLS or sends STARTTLS. That a check
// follows redirects to https does not count.
func usesTLS(c checker.Checker) bool {
	has := func(name string) bool {
		field := reflect.Indirect(reflect.ValueOf(c)).FieldByName(name)
		return field.IsValid() && !field.IsNil()
	}
	if t, ok := c.(checker.Talker); ok {
		return t.Target().TLS != nil || has("StartTLS")
	}
	return has("TLS") || has("StartTLS")
}
