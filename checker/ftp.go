package checker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/textproto"

	"github.com/jlaffaye/ftp"

	"github.com/ldirectord/ldirectord/internal/perlre"
	"github.com/ldirectord/ldirectord/internal/safetext"
	"github.com/ldirectord/ldirectord/internal/secret"
)

// An FTP check is up when a file can be fetched and its contents match Receive. If
// the request is only "/", which is no file, and Receive is empty, the login is
// enough.
//
// The check opens the data connection itself (PASV, for IPv6 EPSV), always to the
// server's own address; the original let the server open it. See
// docs/compatibility.md.
type FTP struct {
	Addr    netip.AddrPort
	Login   string
	Passwd  secret.Text     // "" is anonymous
	Request string          // the file; "" is "/"
	Receive *perlre.Pattern // nil matches all
	Drain   *perlre.Pattern // contents that match it want no new connections; nil is none
}

// String implements Checker.
func (f FTP) String() string {
	return "ftp " + f.path() + " " + f.Addr.String() + asLogin(f.Login)
}

func (f FTP) path() string { return cmp.Or(f.Request, "/") }

// Check implements Caller.
func (f FTP) Check(ctx context.Context) (detail string, err error) {
	defer recovered(&err)
	d := newDialer(ctx)
	defer d.Close()
	conn, err := f.connect(d)
	if err != nil {
		return "", ftpReason(d, "greeting", err)
	}
	defer func() { _ = conn.Quit() }() // the verdict is known by then
	login := cmp.Or(f.Login, "anonymous")
	err = conn.Login(login, cmp.Or(f.Passwd.Reveal(), "anonymous@"))
	if isPositive(err) { // after PASS, or already after TYPE
		err = conn.Type(ftp.TransferTypeBinary)
	}
	if err != nil && !isPositive(err) {
		return "", ftpReason(d, "login as "+login, err)
	}
	if err := conn.ChangeDir("/"); err != nil && !isReply(err) { // refused: as in ldirectord's check_ftp
		return "", ftpReason(d, "CWD /", err)
	}
	if f.path() == "/" && (f.Receive == nil || f.Receive.String() == "") && f.Drain == nil {
		return "", nil
	}
	data, err := fetch(conn, f.path())
	if err != nil {
		return "", ftpReason(d, "RETR "+f.path(), err)
	}
	return "", judged(f.Receive, f.Drain, data)
}

func (f FTP) connect(d *dialer) (*ftp.ServerConn, error) {
	controlled := false // the control connection is the first one
	return ftp.Dial(f.Addr.String(),
		ftp.DialWithDialFunc(func(network, addr string) (net.Conn, error) {
			conn, err := d.dial(network, addr)
			if err == nil && !controlled {
				controlled = true
				conn = newPassiveConn(conn)
			}
			return conn, err
		}),
		ftp.DialWithDisabledEPSV(f.Addr.Addr().Unmap().Is4()),
		ftp.DialWithDisabledUTF8(true),
	)
}

// fetch returns the contents of a file, or the beginning of a long one.
func fetch(conn *ftp.ServerConn, path string) ([]byte, error) {
	file, err := conn.Retr(path)
	if err != nil {
		return nil, err
	}
	const most = maxAnswer / 2
	data, err := io.ReadAll(io.LimitReader(file, most))
	if len(data) == most {
		// Close would wait until the server has sent the rest.
		return data, nil
	}
	end := file.Close()
	if isPositive(end) {
		end = nil
	}
	return data, errors.Join(err, end)
}

// isPositive reports whether err is a positive reply whose code the library does not
// expect: the first digit decides (RFC 959, section 4.2), and servers answer 202 after
// PASS, and 250 after TYPE and RETR.
func isPositive(err error) bool {
	said, ok := errors.AsType[*textproto.Error](err)
	return ok && said.Code/100 == 2
}

// ftpReason keeps the server's message.
func ftpReason(d *dialer, doing string, err error) error {
	if said, ok := errors.AsType[*textproto.Error](err); ok {
		return fmt.Errorf("%s: %d %s", doing, said.Code, safetext.Message(said.Msg))
	}
	return d.reason(doing, err)
}

// isReply reports whether err is a reply of the server.
func isReply(err error) bool {
	_, ok := errors.AsType[*textproto.Error](err)
	return ok
}
