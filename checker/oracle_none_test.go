//go:build nooracle

package checker

import (
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// hasOracle is whether this build has a client for Oracle.
const hasOracle = false

func TestOracleLeftOut(t *testing.T) {
	_, err := Oracle{Addr: lab.HoldPort(t), Login: "u", Database: "XE", Request: "/select 1 from dual"}.Check(t.Context())
	if got, want := errText(err), "not checked: this ldirectord was built without Oracle (tag nooracle)"; got != want {
		t.Errorf("error %q, want %q", got, want)
	}
}
