package checker

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/ldirectord/ldirectord/internal/safetext"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// pgCancelTime is the part of the timeout reserved for cancelling the
// query; of a short timeout it is a tenth.
const pgCancelTime = 200 * time.Millisecond

// A PgSQL check is up when the query in Request returns at least one row, whatever
// its contents. Login and Request are required.
//
// As in the original's client library TLS is used if the server offers it, without
// verifying its certificate, and the environment counts (PGSSLMODE and others).
type PgSQL struct {
	Addr     netip.AddrPort
	Login    string
	Passwd   secret.Text
	Database string // "" is the database named like Login
	Request  string // the query; the slash in front of the request is dropped
}

// String implements Checker.
func (p PgSQL) String() string {
	return sqlName("pgsql", p.Addr.String(), p.Database, p.Login)
}

// Check implements Caller.
func (p PgSQL) Check(ctx context.Context) (detail string, err error) {
	defer recovered(&err)
	query, err := sqlQuery(p.Login, p.Request)
	if err != nil {
		return "", err
	}
	d := newDialer(ctx)
	defer d.Close()
	config, err := p.config()
	if err != nil {
		return "", err
	}
	config.DialFunc = d.DialContext
	// The dialer ends everything at the deadline. With the context, the library
	// would clean up in the background for longer than the check's timeout.
	ctx = context.WithoutCancel(ctx)
	conn, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return "", pgReason(d, "login"+asLogin(p.Login), err)
	}
	defer conn.Close(ctx)
	found, err := pgRow(d, conn, query)
	switch {
	case found:
		return "", nil
	case err != nil:
		return "", pgReason(d, "query", err)
	}
	return "", errNoRows
}

// pgRow reports whether query returns a row. A query that exceeds its time is
// cancelled: the server would continue it, and one more after each check.
func pgRow(d *dialer, conn *pgconn.PgConn, query string) (bool, error) {
	if !d.deadline.IsZero() {
		forCancel := min(time.Until(d.deadline)/10, pgCancelTime)
		if err := conn.Conn().SetDeadline(d.deadline.Add(-forCancel)); err != nil {
			return false, err
		}
	}
	rows := conn.ExecParams(context.WithoutCancel(d.ctx), query, nil, nil, nil, nil)
	if rows.NextRow() {
		_, _ = rows.Close() // there may be more rows, which do not matter
		return true, nil
	}
	_, err := rows.Close()
	if isTimeout(err) {
		_ = conn.CancelRequest(d.ctx) // a failure leaves nothing to do
	}
	return false, err
}

// config parses a connection string, which is the library's only way; the string
// does not contain the password.
func (p PgSQL) config() (*pgconn.Config, error) {
	settings := []string{
		"host=" + p.Addr.Addr().String(),
		fmt.Sprintf("port=%d", p.Addr.Port()),
		"user=" + pgQuote(p.Login),
	}
	if p.Database != "" {
		settings = append(settings, "dbname="+pgQuote(p.Database))
	}
	config, err := pgconn.ParseConfig(strings.Join(settings, " "))
	if err != nil {
		return nil, errors.New(safetext.Message(err.Error()))
	}
	if p.Passwd != "" {
		config.Password = p.Passwd.Reveal()
	}
	config.MaxProtocolMessageBodyLen = maxAnswer // the library allocates the announced length
	return config, nil
}

// pgQuote quotes a value for a connection string (libpq's section 34.1.1.1).
func pgQuote(value string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(value) + "'"
}

// pgReason keeps the server's message.
func pgReason(d *dialer, doing string, err error) error {
	if said, ok := errors.AsType[*pgconn.PgError](err); ok {
		return fmt.Errorf("%s: %s (%s)", doing, safetext.Message(said.Message), safetext.Message(said.Code))
	}
	return d.reason(doing, err)
}
