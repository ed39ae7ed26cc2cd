package checker

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/internal/perlre"
)

// An ftpServer is as much of one as an FTP check can see.
type ftpServer struct {
	files map[string]string
	host  string // the host in the reply to PASV, "" is the real one
	pasv  string // the answer to PASV, of the host and the two bytes of the port, "" is the usual one

	listen func() (net.Listener, error) // for data, nil is on c's address

	said []string // lines of the client; to be read after its end
}

func (s *ftpServer) serve(c net.Conn) {
	var data net.Listener
	defer func() {
		if data != nil {
			data.Close()
		}
	}()
	say := func(format string, args ...any) { fmt.Fprintf(c, format+"\r\n", args...) }
	typed := "200 ok"
	say("220-welcome\r\n220 ready")
	for in := bufio.NewScanner(c); in.Scan(); {
		s.said = append(s.said, in.Text())
		verb, arg, _ := strings.Cut(in.Text(), " ")
		switch verb {
		case "USER":
			say("331 and the password?")
		case "PASS":
			if arg == "superfluous" {
				say("202 no password needed")
				continue
			}
			if arg == "250" {
				typed = "250 as you like"
			}
			if arg == "wrong" {
				say("530 Login incorrect.")
				continue
			}
			say("230 in")
		case "FEAT":
			say("211-Features:\r\n EPSV\r\n PASV\r\n UTF8\r\n211 End")
		case "CWD":
			say("550 not there") // has no effect
		case "TYPE":
			say(typed)
		case "PASV", "EPSV":
			data = s.passive(c, verb)
		case "RETR":
			text, ok := s.files[arg]
			if !ok || data == nil {
				say("550 %s: No such file", arg)
				continue
			}
			say("150 here")
			if conn, err := data.Accept(); err == nil {
				io.WriteString(conn, text)
				conn.Close()
			}
			if arg == "/250" { // RFC 959, section 5.4, allows both
				say("250 done")
				continue
			}
			say("226 done")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("502 what?")
		}
	}
}

// passive opens a port for data and sends its number.
func (s *ftpServer) passive(c net.Conn, verb string) net.Listener {
	self := netip.MustParseAddrPort(c.LocalAddr().String()).Addr()
	listen := s.listen
	if listen == nil {
		listen = func() (net.Listener, error) { return net.Listen("tcp", netip.AddrPortFrom(self, 0).String()) }
	}
	l, err := listen()
	if err != nil {
		return nil
	}
	port := netip.MustParseAddrPort(l.Addr().String()).Port()
	if verb == "EPSV" {
		fmt.Fprintf(c, "229 Entering Extended Passive Mode (|||%d|)\r\n", port)
		return l
	}
	host := s.host
	if host == "" {
		host = strings.ReplaceAll(self.String(), ".", ",")
	}
	fmt.Fprintf(c, cmp.Or(s.pasv, "227 Entering Passive Mode (%s,%d,%d)")+"\r\n", host, port>>8, port&255)
	return l
}

func TestFTP(t *testing.T) {
	files := map[string]string{
		"/welcome.msg": "Welcome to FTP\n",
		"/empty":       "",
		"/250":         "Welcome",
		"/long":        "begin" + strings.Repeat("x", 3*maxAnswer),
	}
	tests := []struct {
		name string
		f    FTP
		want string
	}{
		{"a file", FTP{Login: "anonymous", Passwd: "a@b", Request: "/welcome.msg", Receive: pattern(t, "Welcome")}, ""},
		{"250 after RETR", FTP{Login: "u", Passwd: "p", Request: "/250", Receive: pattern(t, "Welcome")}, ""},
		{"202 after PASS", FTP{Login: "u", Passwd: "superfluous", Request: "/welcome.msg", Receive: pattern(t, "Welcome")}, ""},
		{"250 after TYPE", FTP{Login: "u", Passwd: "250", Request: "/welcome.msg", Receive: pattern(t, "Welcome")}, ""},
		{"nothing expected", FTP{Login: "u", Passwd: "p", Request: "/welcome.msg"}, ""},
		{"an empty pattern", FTP{Login: "u", Passwd: "p", Request: "/empty", Receive: pattern(t, "")}, ""},
		{"nobody's login", FTP{Request: "/welcome.msg", Receive: pattern(t, "Welcome")}, ""},
		{"the request is no file", FTP{Login: "u", Passwd: "p", Request: "/"}, ""},
		{"the request is no file, Receive is set", FTP{Login: "u", Passwd: "p", Request: "/", Receive: pattern(t, "x")}, "RETR /: 550 /: No such file"},
		{"the beginning of a long file", FTP{Login: "u", Passwd: "p", Request: "/long", Receive: pattern(t, "^begin")}, ""},
		{"another text", FTP{Login: "u", Passwd: "p", Request: "/welcome.msg", Receive: pattern(t, "Willkommen")}, `receive "Willkommen" not found in 15 bytes: "Welcome to FTP\n"`},
		{"an empty file", FTP{Login: "u", Passwd: "p", Request: "/empty", Receive: pattern(t, "x")}, `receive "x" not found in 0 bytes: ""`},
		{"no such file", FTP{Login: "u", Passwd: "p", Request: "/missing"}, "RETR /missing: 550 /missing: No such file"},
		{"wrong password", FTP{Login: "u", Passwd: "wrong", Request: "/welcome.msg"}, "login as u: 530 Login incorrect."},
		{"a command in the request", FTP{Login: "u", Passwd: "p", Request: "/a\r\nDELE b"}, "RETR /a\r\nDELE b: command contains CR or LF"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			leavesNothing(t)
			s := &ftpServer{files: files}
			tt.f.Addr = listen(t, s.serve)
			_, err := tt.f.Check(t.Context())
			if got := errText(err); got != tt.want {
				t.Errorf("error %q, want %q", got, tt.want)
			}
		})
	}
}

// TestFTPPassive has the answers to PASV that are in use (RFC 1123, section 4.1.2.6).
func TestFTPPassive(t *testing.T) {
	for _, pasv := range []string{
		"227 Entering Passive Mode (%s,%d,%d).",
		"227 Entering Passive Mode %s,%d,%d",
		"227 Entering passive mode. %s,%d,%d.",
		"227 =%s,%d,%d",
		"227 Data channel (IPv4) will be (%s, %d, %d)",
		"227-one moment\r\n227 (%s,%d,%d)",
	} {
		t.Run(pasv, func(t *testing.T) {
			s := &ftpServer{files: map[string]string{"/f": "Welcome"}, pasv: pasv}
			f := FTP{Addr: listen(t, s.serve), Login: "u", Passwd: "p", Request: "/f", Receive: pattern(t, "Welcome")}
			if _, err := f.Check(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestFTPDialogue compares the commands with those of the original; only the
// direction of the data connection differs.
func TestFTPDialogue(t *testing.T) {
	s := &ftpServer{files: map[string]string{"/f": "x"}, host: "192,0,2,1"} // another's address is not believed
	served := make(chan struct{})
	addr := listen(t, func(c net.Conn) {
		s.serve(c)
		close(served)
	})
	f := FTP{Addr: addr, Login: "anonymous", Passwd: "a@b", Request: "/f"}
	if _, err := f.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-served
	want := []string{"USER anonymous", "PASS a@b", "FEAT", "TYPE I", "CWD /", "PASV", "RETR /f", "QUIT"}
	if diff := gocmp.Diff(want, s.said); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
}

func TestFTPString(t *testing.T) {
	f := FTP{Addr: netip.MustParseAddrPort("10.1.0.1:21"), Login: "u", Passwd: "secret", Request: "/f"}
	if got, want := f.String(), "ftp /f 10.1.0.1:21 as u"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
}

// pattern compiles a valid pattern.
func pattern(t *testing.T, perl string) *perlre.Pattern {
	t.Helper()
	p, err := perlre.Compile(perl)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
