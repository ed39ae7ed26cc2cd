//go:build nooracle

package checker

import "errors"

// HasOracle reports whether the program has a client for Oracle.
const HasOracle = false

// send fails: the program has no client for Oracle.
func (Oracle) send(*dialer, string) error {
	return LocalError{errors.New("this ldirectord was built without Oracle (tag nooracle)")}
}
