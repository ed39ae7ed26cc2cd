package checkspec

import (
	"crypto/tls"
	"fmt"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/ldirectord/ldirectord/conf"
)

// valuesOf are other values than the default of the directives that not all checks read.
var valuesOf = map[string]string{
	"request": `"x"`, "receive": `"x"`, "receivenot": `"x"`, "receivedrain": `"x"`, "httpdrain": "404", "receivebytes": "99", "httpmethod": "HEAD", "httpstatus": "299", "httpheader": `"A: b"`,
	"httpversion": "1.0", "httpfollow": "no", "virtualhost": "www", "login": `"bob"`, "passwd": `"x"`, "database": `"d"`, "secret": `"x"`,
	"sslverify": "no", "sslcafile": "/x", "sslname": "www", "sslcert": "/x",
}

// TestReads makes the checker of each service with and without each directive: conf.Reads
// says of which ones the checkers differ.
func TestReads(t *testing.T) {
	for _, service := range conf.Services() {
		usual, usualTLS := madeWith(t, service, "")
		for directive, value := range valuesOf {
			other, otherTLS := madeWith(t, service, "    "+directive+" = "+value+"\n")
			differs := !reflect.DeepEqual(usual, other) || usualTLS != "" && usualTLS != otherTLS
			if reads := conf.Reads(service, directive); reads != differs {
				t.Errorf("service %s with %s: reads %t, another checker %t:\n%+v\n%+v", service, directive, reads, differs, usual, other)
			}
		}
	}
}

// madeWith has the fields of the checker of a block, and what its TLS is made of, "" for
// none.
func madeWith(t *testing.T, service, line string) (fields []any, settings string) {
	t.Helper()
	v := configured(t, "virtual=10.0.0.1:80\n    real=10.1.0.1:80 masq\n    service="+service+"\n    starttls=yes\n"+line).Virtuals[0]
	spec := Of(v, v.Request, v.Receive)
	k := New(spec)
	if row, _ := conf.LookupService(service); row.TLS != conf.NoTLS {
		settings = fmt.Sprint(v.SSLVerify, " ", k.SSLName, " ", k.SSLCAFile, " ", k.SSLCert)
	}
	k.SSLCAFile, k.SSLCert = "", "" // which are no files here
	at := netip.MustParseAddrPort("10.1.0.1:80")
	ask, _ := Maker{}.Checkers(k, at, func(time.Time) {})
	if k.web != nil {
		return exported(*k.web), settings
	}
	return exported(ask), settings
}

// exported are the fields of a checker or its options, without the TLS configuration.
func exported(v any) (fields []any) {
	s := reflect.ValueOf(v)
	for i := range s.NumField() {
		if f := s.Type().Field(i); f.IsExported() && f.Type != reflect.TypeFor[*tls.Config]() {
			fields = append(fields, s.Field(i).Interface())
		}
	}
	return fields
}
