package checker

import (
	"errors"
	"strings"
)

// ErrSQLIncomplete is the error of a MySQL, PgSQL or Oracle check without a
// login or a query: nothing is asked then. The daemon has a line of its own
// for it in ldirectord.log.
var ErrSQLIncomplete = errors.New("must specify a login and request string for MySQL, Oracle and PostgreSQL checks")

// errNoRows is the verdict on a database that works and has nothing to show.
var errNoRows = errors.New("the query returned no rows")

// sqlQuery returns the query in request, without the slash that every request
// begins with (as in ldirectord's check_sql). A comment keeps its own.
func sqlQuery(login, request string) (string, error) {
	query := request
	if !strings.HasPrefix(query, "/*") {
		query = strings.TrimPrefix(query, "/")
	}
	if login == "" || strings.TrimSpace(query) == "" {
		return "", ErrSQLIncomplete
	}
	return query, nil
}

// sqlName is what a database is called in String.
func sqlName(service, addr, database, login string) string {
	if database != "" {
		addr += "/" + database
	}
	return service + " " + addr + asLogin(login)
}
