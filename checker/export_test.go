package checker

import (
	"net"
	"net/http"
	"testing"

	"layeh.com/radius"
)

// Small servers of this package's tests, for those that run checks by the engine.

// HealthServer is a grpc server with the health service.
func HealthServer() http.Handler { return healthServer() }

// AnswerLines answers each line with the next of answers.
func AnswerLines(greeting string, answers ...string) func(net.Conn) {
	return answerLines(greeting, answers...)
}

// LDAPServer has entries and lets in cn=m with the password "good".
func LDAPServer(entries ...string) func(net.Conn) { return ldapServer(entries...) }

// MySQLServer answers each query with rows rows.
func MySQLServer(rows int) func(net.Conn) { return newMySQLServer(rows) }

// PgServer answers each query with rows rows and lets in the password "good".
func PgServer(rows int) func(net.Conn) { return pgServer(rows) }

// FTPServer has files and listens for data by listen.
func FTPServer(files map[string]string, listen func() (net.Listener, error)) func(net.Conn) {
	return func(c net.Conn) { (&ftpServer{files: files, listen: listen}).serve(c) }
}

// RadiusServer accepts every request.
func RadiusServer(t *testing.T, secret string) func(net.Conn) {
	return radiusServer(t, secret, func(request *radius.Packet) *radius.Packet {
		return request.Response(radius.CodeAccessAccept)
	})
}
