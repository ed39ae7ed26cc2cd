package conf

import (
	"reflect"
	"strings"
	"testing"
)

// TestCheckDirectives wants each directive of a block that sets a field of Check in check
// blocks, too, and no other one, but for those of its address and of its counts. No check block is
// an agent.
func TestCheckDirectives(t *testing.T) {
	others := " checkaddress checkport connecttimeout failurecount passwdfile risecount secretfile virtualhost "
	var v VirtualService
	check := reflect.ValueOf(&v.Check).Elem()
	from, to := check.Addr().Pointer(), check.Addr().Pointer()+check.Type().Size()
	for i := range directives {
		d := &directives[i]
		inCheck := false
		if d.field != nil {
			at := reflect.ValueOf(d.field(&v)).Pointer()
			inCheck = from <= at && at < to
		}
		want := d.where&inBlock != 0 && d.name != "agentsend" && (inCheck || strings.Contains(others, " "+d.name+" "))
		if got := strings.Contains(checkDirectives, " "+d.name+" "); got != want {
			t.Errorf("%s in a check block: %t, want %t", d.name, got, want)
		}
	}
}

// TestReaddressedKeepsChecks keeps the checks of real servers whose names are looked up again.
func TestReaddressedKeepsChecks(t *testing.T) {
	const text = "check=a\n\tchecktype=ping\nvirtual=10.0.0.1:80\n\treal=web1:80 masq 1 check=a\n\talsocheck=a\n"
	one, err := Parse("t.cf", []byte(text), testOptions())
	if err != nil {
		t.Fatal(err)
	}
	two, err := Parse("t.cf", []byte(text), testOptions())
	if err != nil {
		t.Fatal(err)
	}
	if same, err := one.Readdressed(two); err != nil || same != one {
		t.Errorf("the same addresses are another configuration: %v", err)
	}
	two.Virtuals[0].Reals[0].Weight = 7
	next, err := one.Readdressed(two)
	if err != nil {
		t.Fatal(err)
	}
	if v := next.Virtuals[0]; v.Named(v.Reals[0].Check) == nil {
		t.Error("the check of the real server is lost")
	}
}
