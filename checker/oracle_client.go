//go:build !nooracle

package checker

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"

	goora "github.com/sijms/go-ora/v2"
	"github.com/sijms/go-ora/v2/configurations"
	"github.com/sijms/go-ora/v2/network"

	"github.com/ldirectord/ldirectord/internal/safetext"
)

// HasOracle reports whether the program has a client for Oracle.
const HasOracle = true

// send returns nil if query returns a row.
func (o Oracle) send(d *dialer, query string) error {
	config, err := o.config(d)
	if err != nil {
		return err
	}
	conn, err := goora.NewConnection("", config)
	if err != nil {
		return err
	}
	// Preset: the library would need two more queries for them.
	conn.NLSData.Language = "AMERICAN"
	// The dialer ends everything at the deadline. With the context, the library
	// would interrupt the connection from a goroutine of its own.
	ctx := context.WithoutCancel(d.ctx)
	if err := conn.OpenWithContext(ctx); err != nil {
		return oracleReason(d, "login as "+o.Login, err)
	}
	defer conn.Close()
	rows, err := conn.QueryContext(ctx, query, nil)
	if err != nil {
		return oracleReason(d, "query", err)
	}
	defer rows.Close()
	err = rows.Next(make([]driver.Value, len(rows.Columns())))
	if errors.Is(err, io.EOF) {
		return errNoRows
	}
	if err != nil {
		return oracleReason(d, "query", err)
	}
	return nil
}

func (o Oracle) config(d *dialer) (*configurations.ConnectionConfig, error) {
	if o.Database == "" {
		return nil, errors.New("no database is given, which is the SID")
	}
	url := goora.BuildUrl(o.Addr.Addr().String(), int(o.Addr.Port()), "", "", "", map[string]string{"SID": o.Database})
	config, err := goora.ParseConfig(url)
	if err != nil {
		return nil, errors.New(safetext.Message(err.Error()))
	}
	config.UserID, config.Password = o.Login, o.Passwd.Reveal()
	config.Location = "UTC" // saves a query for the server's time zone
	config.RegisterDial(func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := d.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &tnsConn{Conn: conn, dialer: d}, nil
	})
	return config, nil
}

// oracleReason keeps the server's message.
func oracleReason(d *dialer, doing string, err error) error {
	if said, ok := errors.AsType[*network.OracleError](err); ok {
		_ = said.Error() // fills in ErrMsg
		return fmt.Errorf("%s: %s", doing, safetext.Message(said.ErrMsg))
	}
	return d.reason(doing, err)
}
