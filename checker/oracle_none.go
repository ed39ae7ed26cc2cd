//go:build nooracle

package checker

import "errors"

// HasOracle says whether the program was built with a client for Oracle.
const HasOracle = false

// ask is the check of a program that was built without a client for Oracle.
func (Oracle) ask(*dialer, string) error {
	return LocalError{errors.New("this ldirectord was built without Oracle (tag nooracle)")}
}
