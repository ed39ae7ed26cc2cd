package checker

import (
	"errors"
	"strings"
)

// ErrSQLIncomplete is the error of a MySQL, PgSQL or Oracle check without a login
// or a query, which sends nothing. The daemon logs a special line for it.
var ErrSQLIncomplete = errors.New("must specify a login and request string for MySQL, Oracle and PostgreSQL checks")

// errNoRows is the verdict on a working database without a result.
var errNoRows = errors.New("the query returned no rows")

// sqlQuery returns the query in request without the slash in front (as in
// ldirectord's check_sql). The slash of a comment stays.
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

// sqlName is the description of a database check.
func sqlName(service, addr, database, login string) string {
	if database != "" {
		addr += "/" + database
	}
	return service + " " + addr + asLogin(login)
}
