package checker

import (
	"context"
	"net/netip"

	"github.com/ldirectord/ldirectord/internal/secret"
)

// An Oracle check is up when the query in Request returns at least one row.
// What is in the row does not matter. Login and Request are required.
//
// No Oracle server was to be had for its tests: up to the login they talk to a
// listener of their own, the rest is the library's. A build with the tag
// nooracle leaves that library out; its checks are never up and say why.
type Oracle struct {
	Addr     netip.AddrPort
	Login    string
	Passwd   secret.Text
	Database string // the SID
	Request  string // the query; the slash that request begins with is dropped
}

// String implements Checker.
func (o Oracle) String() string {
	return sqlName("oracle", o.Addr.String(), o.Database, o.Login)
}

// Check implements Caller.
func (o Oracle) Check(ctx context.Context) (detail string, err error) {
	defer recovered(&err)
	query, err := sqlQuery(o.Login, o.Request)
	if err != nil {
		return "", err
	}
	d := newDialer(ctx)
	defer d.Close()
	return "", o.ask(d, query)
}
