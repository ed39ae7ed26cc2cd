package checker

import (
	"context"
	"net/netip"

	"github.com/ldirectord/ldirectord/internal/secret"
)

// An Oracle check is up when the query in Request returns at least one row,
// whatever its contents. Login and Request are required.
//
// The tests had no Oracle server: they cover the protocol up to the login with a
// listener of their own, the rest is the library's. A build with the tag nooracle
// omits that library; its checks are never up and give the reason.
type Oracle struct {
	Addr     netip.AddrPort
	Login    string
	Passwd   secret.Text
	Database string // the SID
	Request  string // the query; the slash in front of the request is dropped
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
	return "", o.send(d, query)
}
