package checker

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/ldirectord/ldirectord/internal/secret"
)

// pgCancelTime is how much of the time for a check is kept for cancelling its
// query; of a short time it is a tenth.
const pgCancelTime = 200 * time.Millisecond

// A PgSQL check is up when the query in Request returns at least one row. What
// is in the row does not matter. Login and Request are required.
//
// As with the original's client library TLS is used if the server offers it,
// without looking at its certificate, and PGSSLMODE and its like in the
// environment are honoured.
type PgSQL struct {
	Addr     netip.AddrPort
	Login    string
	Passwd   secret.Text
	Database string // "" is the one that is called as Login
	Request  string // the query; the slash that request begins with is dropped
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
	// The dialer ends everything at the deadline. Told of it too, the library
	// would tidy up behind our back for longer than the check may take.
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

// pgRow reports whether query returns a row. A query that does not end in time
// is cancelled: the server would go on with it, and with one more after each
// check.
func pgRow(d *dialer, conn *pgconn.PgConn, query string) (bool, error) {
	if !d.deadline.IsZero() {
		forCancel := min(time.Until(d.deadline)/10, pgCancelTime)
		if err := conn.Conn().SetDeadline(d.deadline.Add(-forCancel)); err != nil {
			return false, err
		}
	}
	rows := conn.ExecParams(context.WithoutCancel(d.ctx), query, nil, nil, nil, nil)
	if rows.NextRow() {
		_, _ = rows.Close() // there may be more than is read, it does not matter
		return true, nil
	}
	_, err := rows.Close()
	if isTimeout(err) {
		_ = conn.CancelRequest(d.ctx) // nothing is left to be done if it fails
	}
	return false, err
}

// config is made of a connection string, the only way the library allows; the
// password does not go into it.
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
		return nil, errors.New(oneLine(err.Error()))
	}
	if p.Passwd != "" {
		config.Password = p.Passwd.Reveal()
	}
	config.MaxProtocolMessageBodyLen = maxAnswer // it reserves what is announced
	return config, nil
}

// pgQuote quotes a value for a connection string (libpq's section 34.1.1.1).
func pgQuote(value string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(value) + "'"
}

// pgReason keeps what the server said.
func pgReason(d *dialer, doing string, err error) error {
	if said, ok := errors.AsType[*pgconn.PgError](err); ok {
		return fmt.Errorf("%s: %s (%s)", doing, oneLine(said.Message), oneLine(said.Code))
	}
	return d.reason(doing, err)
}
