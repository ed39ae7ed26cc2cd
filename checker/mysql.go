package checker

import (
	"context"
	"crypto/tls"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/netip"

	"github.com/go-sql-driver/mysql"

	"github.com/ldirectord/ldirectord/internal/safetext"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// A MySQL check is up when the query in Request returns at least one row, whatever
// its contents. Login and Request are required.
type MySQL struct {
	Addr     netip.AddrPort
	TLS      *tls.Config // nil is plain text, as in the original's client library
	Login    string
	Passwd   secret.Text
	Database string // "" is none
	Request  string // the query; the slash in front of the request is dropped
}

// String implements Checker.
func (m MySQL) String() string {
	return sqlName("mysql", m.Addr.String(), m.Database, m.Login)
}

// Check implements Caller.
func (m MySQL) Check(ctx context.Context) (detail string, err error) {
	defer recovered(&err)
	query, err := sqlQuery(m.Login, m.Request)
	if err != nil {
		return "", err
	}
	d := newDialer(ctx)
	defer d.Close()
	conn, err := m.connect(d)
	if err != nil {
		return "", mysqlReason(d, "login"+asLogin(m.Login), err)
	}
	defer conn.Close()
	if err := mysqlRow(ctx, conn, query); err != nil {
		return "", mysqlReason(d, "query", err)
	}
	return "", nil
}

func (m MySQL) connect(d *dialer) (driver.Conn, error) {
	config := mysql.NewConfig()
	config.Net, config.Addr = "tcp", m.Addr.String()
	config.User, config.Passwd, config.DBName = m.Login, m.Passwd.Reveal(), m.Database
	config.TLS = m.TLS
	config.DialFunc = d.DialContext
	config.Logger = &mysql.NopLogger{} // the default logger writes to stderr
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, err
	}
	return connector.Connect(d.ctx)
}

// mysqlRow returns nil if query returns a row.
func mysqlRow(ctx context.Context, conn driver.Conn, query string) error {
	queryer, ok := conn.(driver.QueryerContext)
	if !ok {
		return errors.ErrUnsupported
	}
	rows, err := queryer.QueryContext(ctx, query, nil)
	if err != nil {
		return err
	}
	defer rows.Close()
	err = rows.Next(make([]driver.Value, len(rows.Columns())))
	if errors.Is(err, io.EOF) {
		return errNoRows
	}
	return err
}

// mysqlReason keeps the server's message.
func mysqlReason(d *dialer, doing string, err error) error {
	if said, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return fmt.Errorf("%s: %s (%d)", doing, safetext.Message(said.Message), said.Number)
	}
	if errors.Is(err, errNoRows) {
		return err
	}
	if errors.Is(err, mysql.ErrInvalidConn) {
		err = errUnclear // its text is only "invalid connection"
	}
	return d.reason(doing, err)
}
