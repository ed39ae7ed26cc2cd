package checker

import (
	"errors"
	"net/netip"
	"testing"
)

func TestSQLQuery(t *testing.T) {
	tests := []struct {
		login, request string
		want           string // "" is incomplete
	}{
		{"u", "/select 1", "select 1"},
		{"u", "select 1", "select 1"},
		{"u", "/* a hint */ select 1", "/* a hint */ select 1"},
		{"u", "//* a hint */ select 1", "/* a hint */ select 1"},
		{"u", "/", ""},
		{"u", "", ""},
		{"u", "/ ", ""},
		{"", "/select 1", ""},
	}
	for _, tt := range tests {
		got, err := sqlQuery(tt.login, tt.request)
		if got != tt.want || errors.Is(err, ErrSQLIncomplete) != (tt.want == "") {
			t.Errorf("sqlQuery(%q, %q) = %q, %v, want %q", tt.login, tt.request, got, err, tt.want)
		}
	}
}

func TestSQLIncomplete(t *testing.T) {
	leavesNothing(t)
	for _, check := range []Caller{MySQL{Request: "/select 1"}, PgSQL{Login: "u", Request: "/"}, Oracle{}} {
		if _, err := check.Check(t.Context()); !errors.Is(err, ErrSQLIncomplete) {
			t.Errorf("%v: error %v, want %v", check, err, ErrSQLIncomplete)
		}
	}
}

func TestSQLString(t *testing.T) {
	addr := netip.MustParseAddrPort("10.1.0.1:99")
	tests := []struct {
		check Checker
		want  string
	}{
		{MySQL{Addr: addr, Login: "u", Passwd: "secret", Database: "shop", Request: "/select 1"}, "mysql 10.1.0.1:99/shop as u"},
		{PgSQL{Addr: addr, Login: "u", Passwd: "secret", Request: "/select 1"}, "pgsql 10.1.0.1:99 as u"},
		{Oracle{Addr: addr, Login: "u", Passwd: "secret", Database: "XE"}, "oracle 10.1.0.1:99/XE as u"},
	}
	for _, tt := range tests {
		if got := tt.check.String(); got != tt.want {
			t.Errorf("String() = %q, want %q", got, tt.want)
		}
	}
}
